//! Who we are, for a server.

use tokio::task;

use super::{
    fault::Fault,
    resp::{Reply, Request},
    settings::Settings,
    wire::Wire,
};

/// Authenticates, if there is a password.
pub(super) async fn authenticate(wire: &mut Wire, settings: &Settings) -> Result<(), Fault> {
    let reader = settings.clone();
    let read = task::spawn_blocking(move || reader.password()).await;
    let read = read.map_err(|_| Fault::unavailable("the password could not be read"))?;
    let Some(password) = read? else {
        return Ok(());
    };
    let mut request = Request::default();
    match &settings.user {
        Some(user) => request.add(&[b"AUTH", user.as_bytes(), password.as_bytes()]),
        None => request.add(&[b"AUTH", password.as_bytes()]),
    };
    for reply in wire.ask(&request).await? {
        if let Reply::Error(error) = reply {
            return Err(Fault::refused(&error, &wire.place));
        }
    }
    Ok(())
}

/// Chooses the database, and says who we are to people who list the clients.
pub(super) async fn introduce(wire: &mut Wire, settings: &Settings) -> Result<(), Fault> {
    let mut request = Request::default();
    request.add(&[b"SELECT", settings.database.to_string().as_bytes()]);
    request.add(&[b"CLIENT", b"SETNAME", b"tower-revocation"]);
    let replies = wire.ask(&request).await?;
    match replies.first() {
        // Users who may not choose have the first one.
        Some(Reply::Error(error)) if settings.database > 0 || error.starts_with("NOAUTH") => {
            Err(Fault::refused(error, &wire.place))
        }
        _ => Ok(()),
    }
}
