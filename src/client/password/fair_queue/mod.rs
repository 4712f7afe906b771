//! A fair queue for permits.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::channel::oneshot;

/// A limited number of permits, and a bounded queue of verifications that wait for one.
///
/// Both are shared fairly between addresses. A verification gets the number after the latest one of
/// its address, but not less than the number that was admitted last. The lowest number is next. If
/// the queue is full, the highest number is refused. So an address that sends many requests at once
/// waits behind all others, whichever clients it claims.
#[derive(Debug)]
pub(super) struct FairQueue {
    state: Mutex<State>,
}

/// All requests without an address count as one address.
type Origin = Option<IpAddr>;

#[derive(Debug)]
struct State {
    permits: usize,
    queue: usize,
    /// At most one for each permit.
    running: Vec<Place>,
    /// At most the length of the queue, the next one first.
    waiting: BTreeMap<Turn, Waiting>,
    /// The number that was admitted last.
    admitted: u64,
    arrivals: u64,
}

/// The position in the queue: by number, then by arrival.
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

/// Permission to verify, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    fair_queue: Arc<FairQueue>,
    place: Place,
}

/// There is no place in the queue, or the place was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl FairQueue {
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

    /// The number of permits, and the length of the queue.
    pub(super) fn bounds(&self) -> (usize, usize) {
        let state = self.state();
        (state.permits, state.queue)
    }

    /// Waits for a permit. Dropping the future gives up the place.
    ///
    /// # Errors
    ///
    /// Fails if the queue is full, or if others with a lower number fill it later.
    pub(super) async fn permit(self: &Arc<Self>, origin: Origin) -> Result<Permit, Full> {
        let (entered, displaced) = self.state().enter(self, origin)?;
        // Outside the lock, because it wakes a task.
        drop(displaced);
        match entered {
            Entered::Admitted(permit) => Ok(permit),
            // The sender is dropped if another verification takes the place.
            Entered::Waits(permit) => permit.await.map_err(|_| Full),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of permits in use and of waiting verifications.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let mut state = self.state();
        state.remove_abandoned();
        (state.running.len(), state.waiting.len())
    }
}

enum Entered {
    Admitted(Permit),
    Waits(oneshot::Receiver<Permit>),
}

impl State {
    /// Returns what the new verification got, and the one that lost its place.
    fn enter(
        &mut self,
        fair_queue: &Arc<FairQueue>,
        origin: Origin,
    ) -> Result<(Entered, Option<Waiting>), Full> {
        let turn = self.turn(origin);
        // A permit is free only if no request waits.
        if self.running.len() < self.permits {
            let permit = self.admit(fair_queue, Place { origin, turn });
            return Ok((Entered::Admitted(permit), None));
        }
        self.remove_abandoned();
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

    fn admit(&mut self, fair_queue: &Arc<FairQueue>, place: Place) -> Permit {
        self.running.push(place);
        self.admitted = self.admitted.max(place.turn.number);
        let fair_queue = Arc::clone(fair_queue);
        Permit { fair_queue, place }
    }

    /// Ends a verification, and finds the next one.
    fn leave(
        &mut self,
        fair_queue: &Arc<FairQueue>,
        place: Place,
    ) -> Option<(oneshot::Sender<Permit>, Permit)> {
        self.running.retain(|running| *running != place);
        loop {
            let (turn, Waiting { origin, permit }) = self.waiting.pop_first()?;
            if !permit.is_canceled() {
                return Some((permit, self.admit(fair_queue, Place { origin, turn })));
            }
        }
    }

    /// Removes verifications whose future was dropped.
    fn remove_abandoned(&mut self) {
        self.waiting
            .retain(|_, waiting| !waiting.permit.is_canceled());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = self.fair_queue.state().leave(&self.fair_queue, self.place);
        if let Some((waiting, permit)) = next {
            // Outside the lock: if the receiver is dropped now, dropping the permit finds the next
            // one.
            drop(waiting.send(permit));
        }
    }
}

#[cfg(test)]
mod tests;
