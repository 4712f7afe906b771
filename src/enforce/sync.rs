//! The locks and atomics of the table, of the watches and of the last contact: those of std, or those
//! of shuttle or loom, whose order a test decides.

#[cfg(all(test, loom))]
use loom::sync as chosen;
#[cfg(all(test, shuttle))]
use shuttle::sync as chosen;
#[cfg(not(all(test, any(shuttle, loom))))]
use std::sync as chosen;

pub(super) use chosen::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};
