//! Finds and reads the configuration.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use crate::{
    args::Source,
    config::{self, Config, Origins, Override},
    failure::Failure,
    files::{self, Files},
};

/// Where the configuration is looked for in the end.
const USUAL: &str = "/etc/sidecar/config.toml";
/// The variable with the path of the file.
const VARIABLE: &str = "SIDECAR_CONFIG";
/// The variable with the path of the admin socket.
const SOCKET: &str = "SIDECAR_ADMIN__SOCKET";

impl Source {
    /// Reads the file, the environment and the flags.
    pub(crate) fn read(&self, files: &mut Files) -> Result<(Config, Origins), Failure> {
        let overrides = self.overrides()?;
        let (name, text) = match self.path() {
            Some(path) => {
                let name = path.display().to_string();
                let text = files.read("", &path);
                let text = text.map_err(|problem| Failure::usage(problem.reason().to_owned()))?;
                (name, text.expose().to_owned())
            }
            None if overrides.is_empty() => {
                return Err(Failure::usage(format!(
                    "there is no configuration: name one with --config FILE, or write {USUAL}; \
                     --print-default prints one"
                )));
            }
            None => ("the environment".to_owned(), String::new()),
        };
        config::read(&name, &text, overrides).map_err(Failure::Usage)
    }

    /// The admin socket, whatever else the configuration says. `None` if it says nothing that can
    /// be read.
    pub(crate) fn socket(&self) -> Option<PathBuf> {
        if let Some(socket) = env::var_os(SOCKET).filter(|socket| !socket.is_empty()) {
            return Some(PathBuf::from(socket));
        }
        let text = files::read(&self.path()?).ok()?;
        config::socket(text.expose())
    }

    fn path(&self) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| {
            let path = env::var_os(VARIABLE).filter(|path| !path.is_empty());
            path.map(PathBuf::from)
        });
        let usual = || Some(PathBuf::from(USUAL)).filter(|path| exists(path));
        named.or_else(usual)
    }

    fn overrides(&self) -> Result<Vec<Override>, Failure> {
        let mut variables = Vec::new();
        let environment = (!self.without_environment).then(env::vars_os);
        for (name, value) in environment.into_iter().flatten() {
            // The names of settings are ASCII, and others are of no interest.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => variables.push((name, value)),
                Err(_) if name.starts_with("SIDECAR_") => {
                    return Err(Failure::usage(format!("{name}: the value is not UTF-8")));
                }
                Err(_) => {}
            }
        }
        let mut overrides = config::from_environment(variables).map_err(Failure::usage)?;
        for flag in &self.set {
            overrides.push(config::from_flag(flag).map_err(Failure::usage)?);
        }
        Ok(overrides)
    }
}

/// A file that cannot be read exists too: it must not be passed over.
fn exists(path: &Path) -> bool {
    match path.metadata() {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
