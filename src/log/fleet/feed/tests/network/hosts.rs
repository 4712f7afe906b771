//! The processes.

use std::{
    collections::HashSet,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::time::sleep;
use turmoil::net::{TcpListener, TcpStream};

use super::super::{
    super::leaf::{Fault, Leaf, Open, Opened, Place},
    Clock, FeedService, FleetLog, LEASE, Model, NodeSettings,
};
use crate::log::{Moment, NumericDate, Position, Reader, Revocation, RevocationLog as _, Selector};

const PORT: u16 = 80;

/// A process, and what remains of it when it crashes.
pub(super) struct Host {
    pub(super) name: &'static str,
    /// Whom it follows. `None`: the engine.
    upstream: Option<&'static str>,
    engine: Model,
    begun: Moment,
    /// How fast its clock is.
    rate: f64,
    seed: AtomicU64,
    /// Its connections to the engine, one for each start. The last one is the current one.
    pub(super) links: Mutex<Vec<Model>>,
    /// What it knows, once it knows everything.
    pub(super) seen: Mutex<Option<Arc<Seen>>>,
}

impl Host {
    pub(super) fn new(
        name: &'static str,
        upstream: Option<&'static str>,
        engine: &Model,
        rate: f64,
        seed: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            upstream,
            engine: engine.clone(),
            begun: Moment::now(),
            rate,
            seed: AtomicU64::new(seed),
            links: Mutex::default(),
            seen: Mutex::default(),
        })
    }

    /// What its clock says so long after the beginning.
    fn moment(&self, elapsed: Duration) -> Moment {
        self.begun + elapsed.mul_f64(self.rate)
    }

    /// Whether it may accept tokens by what it knows. `None` if it does not run, or has just begun.
    pub(super) fn knows(&self, elapsed: Duration) -> Option<(Arc<Seen>, bool)> {
        let seen = self.seen.lock().unwrap().clone()?;
        let asked = seen.0.lock().unwrap().complete?;
        let is_fresh = self.moment(elapsed).since(asked) <= LEASE;
        Some((seen, is_fresh))
    }

    pub(super) async fn run(self: Arc<Self>) -> turmoil::Result {
        let log = self.start();
        let feed = FeedService::authorized_by(&log, |_| Some("everybody"));
        tokio::spawn(serve(feed));
        let seen = Arc::<Seen>::default();
        let reader: Arc<dyn Reader> = seen.clone();
        while log.follow(Arc::downgrade(&reader)).await.is_err() {
            sleep(LEASE / 50).await;
        }
        *self.seen.lock().unwrap() = Some(seen);
        pending().await
    }

    fn start(self: &Arc<Self>) -> FleetLog {
        let settings = NodeSettings {
            lease: LEASE,
            append_timeout: Duration::from_secs(2),
            waits: false,
            seed: self.seed.fetch_add(1 << 32, Ordering::SeqCst),
            name: self.name.into(),
        };
        let host = self.clone();
        let clock: Clock = Arc::new(move || {
            let elapsed = turmoil::sim_elapsed();
            host.moment(elapsed.expect("a host asks"))
        });
        let Some(upstream) = self.upstream else {
            let link = self.engine.connection();
            self.links.lock().unwrap().push(link.clone());
            return FleetLog::start(link, settings, clock);
        };
        let place = Place {
            authority: upstream.to_owned(),
            path: "/feed".to_owned(),
        };
        let open: Arc<Open> = Arc::new(move || Box::pin(connect(upstream)));
        FleetLog::start(Leaf::new(place, open, LEASE), settings, clock)
    }
}

async fn connect(to: &str) -> Result<Opened, Fault> {
    let stream = TcpStream::connect((to, PORT)).await;
    let stream = stream.map_err(|error| Fault::connecting(&error, to))?;
    Ok(Opened {
        stream: Box::new(stream),
        token: None,
    })
}

async fn serve(feed: FeedService) {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await.unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(feed.clone());
        let server = hyper::server::conn::http1::Builder::new();
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

/// What a process knows.
#[derive(Default)]
pub(super) struct Seen(Mutex<Known>);

#[derive(Default)]
struct Known {
    selectors: HashSet<Selector>,
    complete: Option<Moment>,
}

impl Seen {
    pub(super) fn has(&self, token: &Selector) -> bool {
        self.0.lock().unwrap().selectors.contains(token)
    }

    /// How many tokens it knows.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().selectors.len()
    }
}

impl Reader for Seen {
    fn read(&self, records: &[Revocation]) {
        let selectors = records.iter().map(Revocation::selector);
        self.0.lock().unwrap().selectors.extend(selectors);
    }

    fn complete(&self, _: Position, asked: Moment) {
        self.0.lock().unwrap().complete = Some(asked);
    }

    fn forgotten(&self, _: NumericDate) {}
}
