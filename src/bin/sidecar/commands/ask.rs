//! Sends one request to the admin socket.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::{
    args::{Running, Source},
    failure::{Failure, causes},
    listeners::usual_socket,
};

/// The limit for an answer, in bytes.
const LARGEST: usize = 1024 * 1024;
/// The time for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the sidecar answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Running {
    /// Asks, and waits for the answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        document: Option<Value>,
    ) -> Result<Answer, Failure> {
        let socket = self.socket();
        let failed = |error: &(dyn std::error::Error + 'static)| {
            let (socket, cause) = (socket.display(), causes(error));
            Failure::Start(format!(
                "{socket}: {cause}: does the sidecar run? It may have another admin.socket, or another user"
            ))
        };
        let exchange = async {
            let stream = UnixStream::connect(&socket)
                .await
                .map_err(|it| failed(&it))?;
            let connected = http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, connection) = connected.map_err(|it| failed(&it))?;
            tokio::spawn(connection);
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header(HOST, "localhost")
                .header(ACCEPT, "application/json");
            if document.is_some() {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            let body = document.map(|it| it.to_string()).unwrap_or_default();
            let request = request.body(Full::new(Bytes::from(body)));
            let request = request.map_err(|it| failed(&it))?;
            let response = sender.send_request(request).await;
            let (head, body) = response.map_err(|it| failed(&it))?.into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|it| failed(&*it))?.to_bytes();
            Ok(Answer {
                status: head.status,
                text: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        let answered = tokio::time::timeout(TIMEOUT, exchange).await;
        answered.unwrap_or_else(|_| {
            let socket = socket.display();
            Err(Failure::Start(format!(
                "{socket}: no answer in {} s",
                TIMEOUT.as_secs()
            )))
        })
    }

    /// The socket that is named, else that of the configuration, else the usual one. The rest of
    /// the configuration may be wrong: the sidecar that runs still uses the one before.
    fn socket(&self) -> PathBuf {
        let named = self.socket.clone().or_else(|| {
            let source = Source {
                config: self.config.clone(),
                set: Vec::new(),
                without_environment: false,
            };
            source.socket()
        });
        named.unwrap_or_else(usual_socket)
    }
}

impl Answer {
    /// Prints the answer if it is a success. An error goes to stderr.
    pub(crate) fn print(&self) -> ExitCode {
        let text = self.text.trim_end();
        if self.status.is_success() {
            crate::out::line(text);
            return ExitCode::SUCCESS;
        }
        let problem: Value = serde_json::from_str(text).unwrap_or_default();
        let member = |name: &str| problem.get(name).and_then(Value::as_str);
        let why = member("detail").or_else(|| member("title"));
        let why = why.unwrap_or_else(|| self.status.canonical_reason().unwrap_or_default());
        let line = format!("{}: {why}", self.status.as_u16());
        eprintln!("revocation-sidecar: {}", crate::config::one_line(&line));
        ExitCode::FAILURE
    }
}
