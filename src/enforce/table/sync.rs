//! The locks and counters of the table: std's, or those whose turns a test decides.

#[cfg(all(test, shuttle))]
use shuttle::sync as chosen;
#[cfg(not(all(test, shuttle)))]
use std::sync as chosen;

pub(super) use chosen::{
    RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};
