//! The one connection of a leaf to its relay. It comes back by itself.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

use super::{
    super::{
        codec::{Broken, LONGEST_ANSWER, MEDIA_TYPE},
        question::Question,
    },
    fault::Fault,
};

/// The size of the longest response head, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// A connection to a server takes at most this long. Longer than a question waits: it is there for
/// the next one then.
const CONNECTING: Duration = Duration::from_secs(10);

/// Bytes to and from a relay.
pub(in crate::log::fleet::feed) trait Stream:
    AsyncRead + AsyncWrite + Send + Unpin + 'static
{
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// An open connection, and the token to send on it.
pub(in crate::log::fleet::feed) struct Opened {
    pub(in crate::log::fleet::feed) stream: Box<dyn Stream>,
    pub(in crate::log::fleet::feed) token: Option<HeaderValue>,
}

/// Opens a connection.
pub(in crate::log::fleet::feed) type Open =
    dyn Fn() -> BoxFuture<'static, Result<Opened, Fault>> + Send + Sync;

/// Where the relay is.
#[derive(Clone, Debug)]
pub(in crate::log::fleet::feed) struct Place {
    /// Host and port, for messages and for `Host`.
    pub(in crate::log::fleet::feed) authority: String,
    pub(in crate::log::fleet::feed) path: String,
}

pub(super) struct Connection {
    place: Place,
    open: Arc<Open>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    /// Goes on if a question is given up.
    opening: Option<JoinHandle<Result<Session, Fault>>>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(opening) = &self.opening {
            opening.abort();
        }
    }
}

struct Session {
    sender: SendRequest<Empty<Bytes>>,
    token: Option<HeaderValue>,
}

impl Connection {
    pub(super) fn new(place: Place, open: Arc<Open>) -> Self {
        Self {
            place,
            open,
            state: Mutex::default(),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place.authority
    }

    /// Asks the relay, and returns the body of its answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Bytes, Fault> {
        let mut state = self.state.lock().await;
        // Taken out: if this question is given up, the connection ends, and its answer is not read.
        if let Some(session) = state.session.take() {
            match self.exchange(session, question, &mut state).await {
                // The relay may have closed it meanwhile.
                Err(fault) if fault.lost => {}
                asked => return asked,
            }
        }
        let opening = state.opening.get_or_insert_with(|| {
            let (open, place) = ((self.open)(), self.place.authority.clone());
            tokio::spawn(async move {
                let opened = timeout(CONNECTING, handshake(open, &place)).await;
                opened.unwrap_or_else(|_| Err(Fault::late(&place)))
            })
        });
        let opened = opening.await;
        state.opening = None;
        let session = opened.map_err(|_| Fault::unavailable("the runtime of the log ends"))??;
        self.exchange(session, question, &mut state).await
    }

    async fn exchange(
        &self,
        mut session: Session,
        question: &Question,
        state: &mut State,
    ) -> Result<Bytes, Fault> {
        let failed = |error: hyper::Error| Fault::asking(&error, self.place());
        session.sender.ready().await.map_err(failed)?;
        let request = self.request(question, session.token.as_ref())?;
        let response = session.sender.send_request(request).await.map_err(failed)?;
        let body = self.read(response, session.token.is_some()).await?;
        state.session = Some(session);
        Ok(body)
    }

    fn request(
        &self,
        question: &Question,
        token: Option<&HeaderValue>,
    ) -> Result<Request<Empty<Bytes>>, Fault> {
        let target = format!("{}{}", self.place.path, question.query());
        let mut request = Request::get(target)
            .header(HOST, &self.place.authority)
            .header(ACCEPT, MEDIA_TYPE)
            .header(
                USER_AGENT,
                concat!("tower-revocation/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(|_| Fault::misconfigured("the URL of the feed cannot be sent"))?;
        question.add_fields(request.headers_mut());
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        Ok(request)
    }

    async fn read(&self, response: Response<Incoming>, has_token: bool) -> Result<Bytes, Fault> {
        let Place { authority, path } = &self.place;
        if response.status() != StatusCode::OK {
            return Err(Fault::refused(
                response.status(),
                authority,
                path,
                has_token,
            ));
        }
        let body = Limited::new(response.into_body(), LONGEST_ANSWER);
        let body = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return Fault::broken(Broken::NoFeed, authority);
            }
            Fault::asking(&*error, authority)
        })?;
        Ok(body.to_bytes())
    }
}

async fn handshake(
    open: BoxFuture<'static, Result<Opened, Fault>>,
    place: &str,
) -> Result<Session, Fault> {
    let Opened { stream, token } = open.await?;
    let connected = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, connection) = connected.map_err(|error| Fault::asking(&error, place))?;
    // It ends with the sender.
    tokio::spawn(connection);
    Ok(Session { sender, token })
}
