//! The task of a node, and the handle of it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{
    FleetLog,
    core::NodeSettings,
    driver::{Clock, Driver},
    engine::Engine,
    node::Node,
    operation::Operation,
    readiness::Demands,
};

/// At most this many commands can wait for the driver, which takes them at once.
const COMMANDS: usize = 16 * 1024;

impl FleetLog {
    /// Starts the task of a node.
    #[cfg(test)]
    pub(super) fn start<E: Engine>(engine: E, settings: NodeSettings, clock: Clock) -> Self {
        Self::start_with(Arc::new(engine), settings, clock, Operation::default())
    }

    /// Starts the task of a node.
    pub(super) fn start_with<E: Engine>(
        engine: Arc<E>,
        settings: NodeSettings,
        clock: Clock,
        operation: Operation,
    ) -> Self {
        let (commands, received) = mpsc::channel(COMMANDS);
        let demands = Demands {
            lease: settings.lease,
            skew: operation.skew,
        };
        let read_only = engine.read_only();
        let node = Node::new(demands, operation.is_silent, read_only.is_some());
        let node = Arc::new(node);
        let durability = {
            let engine = engine.clone();
            Arc::new(move || engine.durability())
        };
        #[cfg(feature = "jwt")]
        let once = engine.once_store();
        #[cfg(feature = "admin")]
        let journal = engine.journal_store();
        let lease = settings.lease;
        #[cfg(feature = "feed")]
        let relay = Arc::new(super::feed::Relay::new(
            engine.clone(),
            clock.clone(),
            &settings,
        ));
        #[cfg(all(feature = "issued", feature = "postgres"))]
        let issued_server = engine.issued_server();
        let driver = Driver::new(engine, node.clone(), received, settings, clock);
        #[cfg(feature = "feed")]
        let driver = driver.serve(relay.clone());
        #[cfg(test)]
        let driver = driver.remember_at_most(operation.remembers);
        let driver = match &operation.kept {
            Some((kept, found)) => driver.keep(kept.clone(), *found),
            None => driver,
        };
        tokio::spawn(driver.run());
        Self {
            node,
            commands,
            lease,
            durability,
            read_only,
            #[cfg(feature = "jwt")]
            once,
            #[cfg(feature = "admin")]
            journal,
            #[cfg(feature = "admin")]
            runtime: tokio::runtime::Handle::current(),
            #[cfg(feature = "feed")]
            relay,
            kept: operation.kept.map(|(kept, _)| kept),
            #[cfg(all(feature = "issued", feature = "postgres"))]
            issued_server,
        }
    }
}
