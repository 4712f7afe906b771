//! The lines on stderr.

use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
};

use tracing_subscriber::{
    Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::{Layer as _, SubscriberExt as _},
    reload,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Format, Logging, Problem},
    failure::Failure,
    lines::Lines,
};

/// Changes which lines are written. The last ones are written when the value is dropped.
pub(crate) struct Levels {
    handle: reload::Handle<Targets, Registry>,
    lines: Arc<Lines>,
}

/// Reads `info`, or a list such as `warn,tower_revocation=debug`.
pub(crate) fn levels(logging: &Logging) -> Result<Targets, Problem> {
    let text = &logging.level;
    // `Targets` takes a level that it does not know for a target, and a filter of spans too.
    let is_level = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or_default();
        !level.is_empty() && level.parse::<LevelFilter>().is_ok() && !part.contains('[')
    };
    let parsed = text.parse().ok().filter(|_| text.split(',').all(is_level));
    parsed.ok_or_else(|| {
        Problem::new(
            "logging.level",
            "expected error, warn, info, debug, trace or off, or a list such as \
             \"info,tower_revocation=debug\"",
        )
    })
}

impl Levels {
    /// From now on, lines are written like this.
    pub(crate) fn install(logging: &Logging) -> Result<Self, Failure> {
        let (levels, handle) = reload::Layer::new(levels(logging)?);
        let lines = Lines::start().map_err(|error| Failure::Start(error.to_string()))?;
        let lines = Arc::new(lines);
        let layer = fmt::layer().with_writer(lines.clone());
        let layer = match logging.format {
            Format::Json => layer.json().flatten_event(true).boxed(),
            Format::Text => {
                // https://no-color.org
                let no_color = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
                layer
                    .with_ansi(io::stderr().is_terminal() && !no_color)
                    .boxed()
            }
        };
        // It fails only if there is a subscriber already, and the program installs only this one.
        let _ = tracing_subscriber::registry()
            .with(levels)
            .with(layer)
            .try_init();
        Ok(Self { handle, lines })
    }

    /// Changes the levels. The format stays.
    pub(crate) fn change(&self, levels: Targets) {
        // It fails only if the subscriber is gone, and so is the program then.
        let _ = self.handle.reload(levels);
    }
}

impl Drop for Levels {
    fn drop(&mut self) {
        self.lines.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_is_a_word_or_a_list_of_targets() {
        let read = |level: &str| {
            let format = Format::Text;
            let level = level.to_owned();
            levels(&Logging { format, level })
        };
        for good in [
            "info",
            "off",
            "WARN",
            "warn,tower_revocation=debug",
            "hyper=trace",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "loud",
            "info,loud",
            "a=loud",
            "info,a[span]=debug",
            "info,",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
