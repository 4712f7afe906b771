//! Who is verified next?

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::channel::oneshot;

/// A bounded number of permits, and a bounded queue of those who wait for one.
///
/// Both are shared out by address, as in a fair queue: a verification is numbered one above the
/// latest of its address, but not below the one that was admitted last. The lowest number is next,
/// and where the queue is full the highest gives way. So an address that sends many at once waits
/// behind all others, whatever it claims to be.
#[derive(Debug)]
pub(super) struct Line {
    state: Mutex<State>,
}

/// What has no address is of one address.
type Origin = Option<IpAddr>;

#[derive(Debug)]
struct State {
    permits: usize,
    queue: usize,
    /// No more than there are permits.
    running: Vec<Place>,
    /// No more than fit into the queue, the next one first.
    waiting: BTreeMap<Turn, Waiting>,
    /// The number that was admitted last.
    admitted: u64,
    arrivals: u64,
}

/// When it is somebody's turn: by number, and of equals as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    number: u64,
    arrival: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    origin: Origin,
    turn: Turn,
}

#[derive(Debug)]
struct Waiting {
    origin: Origin,
    permit: oneshot::Sender<Permit>,
}

/// Leave to verify, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    line: Arc<Line>,
    place: Place,
}

/// There is no place in the queue either, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Line {
    pub(super) fn new(permits: usize, queue: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                permits,
                queue,
                running: Vec::new(),
                waiting: BTreeMap::new(),
                admitted: 0,
                arrivals: 0,
            }),
        })
    }

    /// How many permits there are, and how many may wait for one.
    pub(super) fn bounds(&self) -> (usize, usize) {
        let state = self.state();
        (state.permits, state.queue)
    }

    /// Waits for a permit. Dropping the future gives up the place.
    ///
    /// # Errors
    ///
    /// If the queue is full, or becomes full of those who have a better claim.
    pub(super) async fn permit(self: &Arc<Self>, origin: Origin) -> Result<Permit, Full> {
        let (entered, displaced) = self.state().enter(self, origin)?;
        // Outside of the lock: it wakes whoever has waited.
        drop(displaced);
        match entered {
            Entered::Admitted(permit) => Ok(permit),
            // It is dropped when the place goes to somebody else.
            Entered::Waits(permit) => permit.await.map_err(|_| Full),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in it can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many have a permit, and how many wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let mut state = self.state();
        state.forget_the_gone();
        (state.running.len(), state.waiting.len())
    }
}

enum Entered {
    Admitted(Permit),
    Waits(oneshot::Receiver<Permit>),
}

impl State {
    /// What has become of the newcomer, and whose place it has taken.
    fn enter(
        &mut self,
        line: &Arc<Line>,
        origin: Origin,
    ) -> Result<(Entered, Option<Waiting>), Full> {
        let turn = self.turn(origin);
        // A permit is free only if nobody waits.
        if self.running.len() < self.permits {
            let permit = self.admit(line, Place { origin, turn });
            return Ok((Entered::Admitted(permit), None));
        }
        self.forget_the_gone();
        let mut displaced = None;
        if self.waiting.len() >= self.queue {
            match self.waiting.last_entry() {
                Some(last) if turn < *last.key() => displaced = Some(last.remove()),
                _ => return Err(Full),
            }
        }
        let (permit, granted) = oneshot::channel();
        self.waiting.insert(turn, Waiting { origin, permit });
        Ok((Entered::Waits(granted), displaced))
    }

    fn turn(&mut self, origin: Origin) -> Turn {
        let running = self.running.iter();
        let running = running.filter(|place| place.origin == origin);
        let waiting = self.waiting.iter();
        let waiting = waiting.filter(|(_, waiting)| waiting.origin == origin);
        let latest = running
            .map(|place| place.turn.number)
            .chain(waiting.map(|(turn, _)| turn.number))
            .max();
        self.arrivals += 1;
        Turn {
            number: self.admitted.max(latest.unwrap_or_default()) + 1,
            arrival: self.arrivals,
        }
    }

    fn admit(&mut self, line: &Arc<Line>, place: Place) -> Permit {
        self.running.push(place);
        self.admitted = self.admitted.max(place.turn.number);
        let line = Arc::clone(line);
        Permit { line, place }
    }

    /// Ends a verification, and finds the next one.
    fn leave(
        &mut self,
        line: &Arc<Line>,
        place: Place,
    ) -> Option<(oneshot::Sender<Permit>, Permit)> {
        self.running.retain(|running| *running != place);
        loop {
            let (turn, Waiting { origin, permit }) = self.waiting.pop_first()?;
            if !permit.is_canceled() {
                return Some((permit, self.admit(line, Place { origin, turn })));
            }
        }
    }

    /// Whoever does not wait any more has no place.
    fn forget_the_gone(&mut self) {
        self.waiting
            .retain(|_, waiting| !waiting.permit.is_canceled());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = self.line.state().leave(&self.line, self.place);
        if let Some((waiting, permit)) = next {
            // Outside of the lock: who has gone in this very moment drops it, and the next is
            // found.
            drop(waiting.send(permit));
        }
    }
}

#[cfg(test)]
mod tests;
