//! Any text as the configuration of the sidecar, with flags over it.
//!
//! ```sh
//! cargo fuzz run --sanitizer none sidecar_config fuzz/corpus/sidecar_config fuzz/seeds/sidecar_config
//! ```
//!
//! Each line after one with `@@` is a flag, or a variable if it begins with `SIDECAR_`. Each
//! mistake is one line, whatever the text is.

#![no_main]

#[path = "../../src/bin/sidecar/config/mod.rs"]
mod config;

use libfuzzer_sys::fuzz_target;

/// Each override reads the whole configuration again.
const MOST_OVERRIDES: usize = 16;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (file, settings) = text.split_once("\n@@\n").unwrap_or((text, ""));
    let mut overrides = Vec::new();
    for line in settings.lines().take(MOST_OVERRIDES) {
        let read = match line.split_once('=') {
            Some((name, value)) if name.starts_with("SIDECAR_") => {
                config::from_environment([(name.to_owned(), value.to_owned())])
            }
            _ => config::from_flag(line).map(|flag| vec![flag]),
        };
        match read {
            Ok(read) => overrides.extend(read),
            Err(line) => assert!(!line.contains('\n'), "{line}"),
        }
    }
    match config::read("sidecar.toml", file, overrides.clone()) {
        Ok((config, _)) => {
            let again = config::read("sidecar.toml", file, overrides);
            assert_eq!(again.map(|(again, _)| again), Ok(config));
        }
        Err(lines) => {
            let is_line = |line: &String| !line.contains('\n') && !line.is_empty();
            assert!(!lines.is_empty() && lines.iter().all(is_line), "{lines:?}");
        }
    }
});
