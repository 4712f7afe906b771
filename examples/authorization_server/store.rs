//! Where revocations are: in a file of this process, or on a server that several processes share.

use std::{env, error::Error};

use tower::util::Either;
use tower_revocation::log::{EmbeddedLog, FleetLog};

use crate::setting::{Setting, causes};

pub(crate) type Store = Either<EmbeddedLog, FleetLog>;

/// Reads `LOG`. Without it, the log is a file. So an empty value, of a secret that is missing perhaps, is
/// an error.
pub(crate) fn setting() -> Result<Option<Setting>, Box<dyn Error>> {
    let log = Setting::read("LOG")?;
    if log.is_none() && env::var_os("LOG").is_some() {
        return Err("LOG is empty: set it to the URL of a log, or do not set it".into());
    }
    Ok(log)
}

/// Connects to the server at `LOG`.
pub(crate) async fn connect(log: &Setting) -> Result<FleetLog, Box<dyn Error>> {
    let connected = FleetLog::connect(log.value()).await;
    connected.map_err(|error| wrong(&error))
}

/// The process ends. A fleet does not wait for it then.
pub(crate) async fn close(log: Store) -> Result<(), Box<dyn Error>> {
    match log {
        Store::Left(file) => file.drain().await?,
        // Each append had its answer.
        Store::Right(fleet) => {
            if let Err(error) = fleet.close().await {
                eprintln!(
                    "others wait for the lease of this process: {}",
                    causes(&error)
                );
            }
        }
    }
    Ok(())
}

/// An error about `LOG`. It has only the name of the variable: the URL may have a password.
pub(crate) fn wrong(error: &(dyn Error + 'static)) -> Box<dyn Error> {
    format!("LOG: {}", causes(error)).into()
}
