//! The bytes of a WebSocket, in both directions.

use hyper::{http::Extensions, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::{enforce::TokenLife, proxy::server::Ending};

/// The client's side of a WebSocket, and what ends it.
pub(super) struct Tunnel {
    client: OnUpgrade,
    life: TokenLife,
    ending: Ending,
}

impl Tunnel {
    pub(super) fn from(client: OnUpgrade, extensions: &Extensions) -> Self {
        // The layer inserts none if its policy does not cut streams, or without a token.
        let life = extensions.get::<TokenLife>().cloned();
        Self {
            client,
            life: life.unwrap_or_else(TokenLife::unwatched),
            ending: extensions.get::<Ending>().cloned().unwrap_or_default(),
        }
    }

    /// Copies bytes from now on, until one side closes, the token ends or the server stops.
    pub(super) fn open(self, api: OnUpgrade) {
        let Self {
            client,
            life,
            ending,
        } = self;
        tokio::spawn(async move {
            let copied = async {
                let (client, api) = tokio::try_join!(client, api).ok()?;
                let (mut client, mut api) = (TokioIo::new(client), TokioIo::new(api));
                // Both sides notice that the connections close.
                copy_bidirectional(&mut client, &mut api).await.ok()
            };
            tokio::select! {
                _ = copied => {}
                _ = life.end() => {}
                () = ending.cut() => {}
            }
        });
    }
}
