//! Writes lines to stderr beside the requests: a reader that is slow holds up nobody.

use std::{
    io::{self, Write},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// How many lines wait. A line beyond them is lost, and counted.
const WAITING: usize = 16 * 1024;
/// How long the end of the process waits for them.
const AT_THE_END: Duration = Duration::from_secs(2);
/// Lines that were lost, because nobody has read those before.
pub(crate) const LOST: &str = "sidecar_log_lines_lost_total";

/// The lines that wait.
pub(crate) struct Lines(SyncSender<Line>);

enum Line {
    Text(Vec<u8>),
    /// Tell when everything before is written.
    Flush(SyncSender<()>),
}

impl Lines {
    /// Starts the thread that writes.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = thread::Builder::new().name("lines".to_owned());
        thread.spawn(move || write(&receiver))?;
        Ok(Self(sender))
    }

    /// Waits until the lines are written, but not for ever.
    pub(crate) fn flush(&self) {
        let deadline = Instant::now() + AT_THE_END;
        let (done, is_done) = sync_channel(1);
        let mut flush = Line::Flush(done);
        // If stderr is not read, the queue may be full.
        while let Err(TrySendError::Full(again)) = self.0.try_send(flush) {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(Duration::from_millis(10));
            flush = again;
        }
        let _ = is_done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

fn write(lines: &Receiver<Line>) {
    while let Ok(line) = lines.recv() {
        match line {
            // If stderr fails, there is no other place to say so.
            Line::Text(text) => drop(io::stderr().write_all(&text)),
            Line::Flush(done) => drop(done.send(())),
        }
    }
}

/// Each call is one line.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.0.try_send(Line::Text(line.to_vec())) {
            metrics::counter!(LOST).increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_ends_although_nobody_reads_its_lines() {
        let (sender, _nobody_reads) = sync_channel(1);
        let lines = Lines(sender);
        (&lines).write_all(b"a line\n").unwrap();
        let start = Instant::now();
        lines.flush();
        assert!(start.elapsed() >= AT_THE_END);
    }
}
