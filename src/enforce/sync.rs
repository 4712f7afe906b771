//! The locks and atomics of the table and of the watches: those of std, or those of shuttle, whose
//! order a test decides.

#[cfg(all(test, shuttle))]
use shuttle::sync as chosen;
#[cfg(not(all(test, shuttle)))]
use std::sync as chosen;

pub(super) use chosen::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering, fence},
};
