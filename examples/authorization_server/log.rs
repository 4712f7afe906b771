//! The log, on stderr. On a terminal, each line appears at once and has colors. Elsewhere, the
//! lines of a tenth of a second are written together.

use std::{
    error::Error,
    io::{self, BufWriter, IsTerminal as _, Stderr, Write as _},
    panic,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::{
    filter::{LevelFilter, ParseError, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::setting::Setting;

/// How long a line may wait for others.
const DELAY: Duration = Duration::from_millis(100);
/// How many bytes wait. The thread that logs more writes them at once.
const CAPACITY: usize = 64 * 1024;

/// The lines that wait. The program calls `flush` before it ends. A signal that it does not handle,
/// such as SIGHUP, loses them.
#[derive(Clone)]
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    waiting: Mutex<BufWriter<Stderr>>,
    first: Condvar,
}

impl Log {
    /// Does not buffer if stderr is a terminal.
    pub(crate) fn new() -> Self {
        let capacity = if io::stderr().is_terminal() {
            0
        } else {
            CAPACITY
        };
        let log = Self(Arc::new(Shared {
            waiting: Mutex::new(BufWriter::with_capacity(capacity, io::stderr())),
            first: Condvar::new(),
        }));
        if capacity > 0 {
            let shared = log.0.clone();
            thread::spawn(move || shared.write_lines_that_wait());
        }
        log
    }

    /// From now on, this is the log of the program. `RUST_LOG` is a level, `off`, or a list such as
    /// `warn,tower_revocation=debug`. Defaults to `info`.
    pub(crate) fn install(&self) -> Result<(), Box<dyn Error>> {
        let levels = match Setting::read("RUST_LOG")? {
            // `Targets` takes a filter of spans for the name of a target that nothing has.
            Some(setting) if setting.value().contains('[') => {
                return Err(setting.wrong("spans in brackets are not supported"));
            }
            Some(setting) => setting
                .value()
                .parse()
                .map_err(|error: ParseError| setting.wrong(error))?,
            None => Targets::new().with_default(LevelFilter::INFO),
        };
        // https://no-color.org
        let no_color = Setting::read("NO_COLOR")?.is_some();
        let lines = fmt::layer()
            .with_writer(self.0.clone())
            .with_ansi(io::stderr().is_terminal() && !no_color);
        tracing_subscriber::registry()
            .with(levels)
            .with(lines)
            .try_init()?;
        // Writes buffered lines before the panic message.
        let log = self.clone();
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            log.flush();
            hook(panic);
        }));
        Ok(())
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&self) {
        // If stderr fails, there is no other place to report it.
        let _ = self.0.waiting().flush();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, BufWriter<Stderr>> {
        // A line that panicked is not in the buffer.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lines_that_wait(&self) {
        loop {
            let waiting = self
                .first
                .wait_while(self.waiting(), |waiting| waiting.buffer().is_empty());
            drop(waiting);
            thread::sleep(DELAY);
            // If it fails, the lines wait for the next attempt.
            let _ = self.waiting().flush();
        }
    }
}

/// Each call is one line.
impl io::Write for &Shared {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        let is_first = waiting.buffer().is_empty();
        let written = waiting.write(line);
        drop(waiting);
        if is_first {
            self.first.notify_one();
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
