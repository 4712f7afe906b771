//! A WebSocket of axum, and a client of tungstenite.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing,
};
use futures::{SinkExt as _, StreamExt as _};
use hyper::header;
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, client::IntoClientRequest as _},
};
use tower_revocation::{
    enforce::{Policy, TokenLife},
    log::NumericDate,
};

use crate::{
    aborted, by_axum,
    fixture::{Guarded, just_past, serve, soon, within_a_second},
};

/// Sends a signal when the task of a handler is dropped.
struct Guard(UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.0.send(());
    }
}

/// A handler that knows nothing of tokens.
async fn echo(State(gone): State<UnboundedSender<()>>, upgrade: WebSocketUpgrade) -> Response {
    let guard = Guard(gone);
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let _guard = guard;
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

/// A handler that closes with a reason.
async fn polite_echo(
    Extension(life): Extension<TokenLife>,
    State(gone): State<UnboundedSender<()>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let guard = Guard(gone);
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let _guard = guard;
        let end = loop {
            tokio::select! {
                end = life.end() => break end,
                message = socket.recv() => match message {
                    Some(Ok(message)) => socket.send(message).await.unwrap(),
                    _ => return,
                },
            }
        };
        let goodbye = CloseFrame {
            code: 3000,
            reason: end.to_string().into(),
        };
        _ = socket.send(Message::Close(Some(goodbye))).await;
        // Wait until the client has closed as well.
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

fn app(guarded: &Guarded) -> (Router, UnboundedReceiver<()>) {
    let (sender, gone) = mpsc::unbounded_channel();
    let app = Router::new()
        .route("/echo", routing::get(echo))
        .route("/polite", routing::get(polite_echo))
        .layer(guarded.layer.clone())
        .with_state(sender);
    (app, gone)
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(url: String, token: &str) -> Client {
    let mut request = url.into_client_request().unwrap();
    let authorization = format!("Bearer {token}").parse().unwrap();
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, authorization);
    let (client, _) = soon(connect_async(request)).await.unwrap();
    client
}

/// The server echoes.
async fn assert_echo(client: &mut Client, text: &'static str) {
    client.send(text.into()).await.unwrap();
    let message = soon(client.next()).await.unwrap().unwrap();
    assert_eq!(message.into_text().unwrap(), text);
}

/// The client and the handler see the end of the connection.
async fn assert_aborted(client: &mut Client, gone: &mut UnboundedReceiver<()>) {
    let last = within_a_second(client.next()).await;
    assert!(matches!(last, Some(Err(_))), "{last:?}");
    within_a_second(gone.recv()).await.unwrap();
}

#[tokio::test]
async fn one_handler_that_knows_nothing_of_tokens_is_aborted() {
    let guarded = Guarded::new().await;
    let (app, mut gone) = app(&guarded);
    for (authority, token) in [
        (aborted::by_hyper_util(app.clone()).await, "alice"),
        (by_axum::serve(app.clone()).await, "carol"),
    ] {
        let url = format!("ws://{authority}/echo");
        let mut client = connect(url.clone(), token).await;
        let mut bob = connect(url, "bob").await;
        for client in [&mut client, &mut bob] {
            assert_echo(client, "before").await;
        }
        assert_eq!(guarded.index.watched(), 2);

        guarded.revoke(token).await;
        assert_aborted(&mut client, &mut gone).await;

        assert_echo(&mut bob, "after").await;
        drop(bob);
        soon(gone.recv()).await.unwrap();
        assert_eq!(guarded.index.watched(), 0);
    }
}

#[tokio::test]
async fn a_handler_is_aborted_when_its_token_expires_and_not_earlier() {
    let guarded = Guarded::new().await;
    let (app, mut gone) = app(&guarded);
    let url = format!("ws://{}/echo", aborted::by_hyper_util(app).await);
    let exp = NumericDate::now() + Duration::from_secs(2);
    guarded.expire(exp);
    let mut client = connect(url, "alice").await;
    assert_echo(&mut client, "before").await;

    let last = just_past(exp, client.next()).await;
    assert!(matches!(last, Some(Err(_))), "{last:?}");
    soon(gone.recv()).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_waits_for_the_end_closes_itself() {
    let guarded = Guarded::new().await;
    let (app, mut gone) = app(&guarded);
    // The connections of this server cannot be aborted.
    let url = format!("ws://{}/polite", serve(app).await);
    let mut client = connect(url, "alice").await;
    assert_echo(&mut client, "before").await;

    guarded.revoke("alice").await;
    let message = within_a_second(client.next()).await.unwrap();
    let tungstenite::Message::Close(Some(goodbye)) = message.unwrap() else {
        panic!("the socket is not closed");
    };
    assert_eq!(u16::from(goodbye.code), 3000);
    assert_eq!(goodbye.reason, "the token was revoked");
    assert!(soon(client.next()).await.is_none());
    within_a_second(gone.recv()).await.unwrap();
}

#[tokio::test]
async fn a_socket_continues_if_the_policy_does_not_cut_it() {
    let mut guarded = Guarded::new().await;
    guarded.layer = guarded.layer.policy(Policy::new().cut_streams(false));
    let (app, _gone) = app(&guarded);
    let url = format!("ws://{}/echo", aborted::by_hyper_util(app).await);
    let mut client = connect(url, "alice").await;
    assert_echo(&mut client, "before").await;

    guarded.revoke("alice").await;

    assert_echo(&mut client, "after").await;
    assert_eq!(guarded.index.watched(), 0);
}
