//! Wraps the file of the store. After a failure, it restores the header of the last durable commit.
//!
//! A commit is one `fsync`. If that fails, the system may drop the pages that it could not write,
//! and still return them to everyone who reads the file: to this process, and to the next one. The
//! store would take the commit for a whole one and build the next one on it, and a power loss would
//! uncover pages that were never on the disk. So the header of the last successful `fsync` is
//! written back after a failure. It refers to pages on the disk only: the store never changes them
//! before the next commit is durable.

use std::{
    fmt, io,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::{BackendError, StorageBackend};

#[derive(Debug)]
pub(super) struct Backend<B> {
    inner: B,
    headers: Mutex<Headers>,
}

#[derive(Default)]
struct Headers {
    /// The header as of the last successful `fsync`.
    durable: Vec<u8>,
    /// The header that was written since, if it was.
    written: Vec<u8>,
}

impl<B: StorageBackend> Backend<B> {
    pub(super) fn new(inner: B) -> Self {
        Self {
            inner,
            headers: Mutex::default(),
        }
    }

    /// Writes the last durable header back if an operation has failed.
    fn or_restore(&self, done: io::Result<()>) -> io::Result<()> {
        done.inspect_err(|_| {
            let mut headers = self.headers();
            if !headers.durable.is_empty() && !headers.written.is_empty() {
                // If this fails as well, the system accepts no writes to the file at all.
                let _ = self.inner.write(0, &headers.durable);
            }
            headers.written.clear();
        })
    }

    fn headers(&self) -> MutexGuard<'_, Headers> {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: StorageBackend> StorageBackend for Backend<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.or_restore(self.inner.sync_data())?;
        let Headers { durable, written } = &mut *self.headers();
        if !written.is_empty() {
            std::mem::swap(durable, written);
            written.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset == 0 {
            let mut headers = self.headers();
            headers.written.clear();
            headers.written.extend_from_slice(data);
        }
        self.or_restore(self.inner.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}
