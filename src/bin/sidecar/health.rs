//! Is the process alive, and can it tell revoked tokens from live ones?

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use serde::Serialize;
use tower_revocation::{
    enforce::{Freshness, Index},
    log::RevocationLog as _,
};

use crate::store::Store;

/// What the process knows of itself. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Health(Arc<State>);

#[derive(Default)]
struct State {
    is_serving: AtomicBool,
    is_stopping: AtomicBool,
    log: Mutex<Option<(Store, Index)>>,
    /// Why the log cannot be opened or read yet.
    log_error: Mutex<Option<String>>,
    /// Why the latest configuration is not in use.
    reload_error: Mutex<Option<String>>,
    /// Issuers whose keys were not fetched, and why.
    without_keys: Mutex<BTreeMap<String, String>>,
}

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) ready: bool,
    /// Why the process is not ready.
    reasons: Vec<Reason>,
    /// What is wrong but leaves the process ready.
    warnings: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    part: String,
    reason: String,
}

impl Health {
    /// The configuration is in use.
    pub(crate) fn serve(&self) {
        self.0.is_serving.store(true, Release);
    }

    /// The process ends: others should be asked from now on.
    pub(crate) fn stop(&self) {
        self.0.is_stopping.store(true, Relaxed);
    }

    pub(crate) fn opened(&self, store: Store, index: Index) {
        *lock(&self.0.log) = Some((store, index));
    }

    pub(crate) fn log_failed(&self, error: Option<String>) {
        *lock(&self.0.log_error) = error;
    }

    pub(crate) fn reload_failed(&self, error: Option<String>) {
        *lock(&self.0.reload_error) = error;
    }

    pub(crate) fn reload_error(&self) -> Option<String> {
        lock(&self.0.reload_error).clone()
    }

    /// Issuers have no keys, for these reasons.
    pub(crate) fn without_keys(&self, issuers: BTreeMap<String, String>) {
        *lock(&self.0.without_keys) = issuers;
    }

    /// What operators read.
    pub(crate) fn report(&self) -> Report {
        let mut reasons = Vec::new();
        let mut warnings = Vec::new();
        let reason = |part: &str, reason: String| Reason {
            part: part.to_owned(),
            reason,
        };
        if self.0.is_stopping.load(Relaxed) {
            reasons.push(reason("process", "the process ends".into()));
        } else if !self.0.is_serving.load(Acquire) {
            reasons.push(reason("process", "the process starts".into()));
        }
        match &*lock(&self.0.log) {
            None => {
                let error = lock(&self.0.log_error).clone();
                let error = error.unwrap_or_else(|| "the log is not open yet".into());
                reasons.push(reason("log", error));
            }
            Some((store, index)) => {
                let health = store.health();
                let is_ready = index.readiness().is_ready() && health.is_ready();
                match health.reason() {
                    // A log that cannot be written serves what it knows.
                    Some(why) if is_ready => warnings.push(reason("log", why)),
                    Some(why) => reasons.push(reason("log", why)),
                    None if is_ready => {}
                    None => reasons.push(reason("index", why(index))),
                }
            }
        }
        for (issuer, error) in &*lock(&self.0.without_keys) {
            reasons.push(reason(issuer, error.clone()));
        }
        if let Some(error) = self.reload_error() {
            warnings.push(reason("configuration", error));
        }
        Report {
            ready: reasons.is_empty(),
            reasons,
            warnings,
        }
    }
}

fn why(index: &Index) -> String {
    match index.freshness() {
        Freshness::Unready => "the log has not been read yet".into(),
        Freshness::Stale(silence) => {
            format!(
                "what is known of the log is {:.1} s old",
                silence.as_secs_f64()
            )
        }
        _ => "the process is not ready yet".into(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
