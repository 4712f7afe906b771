//! The bytes of a WebSocket, in both directions.

use std::time::Duration;

use hyper::{http::Extensions, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::active::{Active, Activity};
use crate::{enforce::TokenLife, proxy::server::Ending};

/// The client's side of a WebSocket, and what ends it.
pub(super) struct Tunnel {
    client: OnUpgrade,
    life: TokenLife,
    ending: Ending,
    idle_timeout: Duration,
}

impl Tunnel {
    pub(super) fn from(client: OnUpgrade, extensions: &Extensions, idle_timeout: Duration) -> Self {
        // The layer inserts none if its policy does not cut streams, or without a token.
        let life = extensions.get::<TokenLife>().cloned();
        Self {
            client,
            life: life.unwrap_or_else(TokenLife::unwatched),
            ending: extensions.get::<Ending>().cloned().unwrap_or_default(),
            idle_timeout,
        }
    }

    /// Copies bytes from now on, until one side closes, there are none for too long, the token ends or the
    /// server stops.
    pub(super) fn open(self, api: OnUpgrade) {
        let Self {
            client,
            life,
            ending,
            idle_timeout,
        } = self;
        let activity = Activity::new();
        tokio::spawn(async move {
            let copied = async {
                let (client, api) = tokio::try_join!(client, api).ok()?;
                // Every byte passes this side, in one direction or the other.
                let mut client = Active::new(TokioIo::new(client), &activity);
                let mut api = TokioIo::new(api);
                // Both sides notice that the connections close.
                copy_bidirectional(&mut client, &mut api).await.ok()
            };
            tokio::select! {
                _ = copied => {}
                () = activity.idle(idle_timeout) => {}
                _ = life.end() => {}
                () = ending.cut() => {}
            }
        });
    }
}
