//! `demo`: an issuer, an API and a sidecar in one process, from nothing.

mod api;
mod folder;
mod issuer;

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, path::Path};

use hyper::{Request, Response, body::Incoming};
use tokio::net::TcpListener;
use tower::Service;
use tower_revocation::proxy::server::Server;

use self::{folder::Folder, issuer::Issuer};
use crate::{
    args::Source,
    failure::{Failure, causes},
    out,
    respond::AnyBody,
    run::run_and_tell,
};

/// The audience of the tokens.
const AUDIENCE: &str = "https://api.example.com";

/// Runs until Ctrl-C.
pub(crate) async fn run() -> Result<(), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::Start(causes(error));
    let folder = Folder::make().map_err(|error| failed(&error))?;

    let listener = listener().await?;
    let base = format!("http://{}", address(&listener)?);
    let issuer = Issuer::new(&base, AUDIENCE).map_err(|error| Failure::Start(error.into()))?;
    serve(listener, issuer);
    let listener = self::listener().await?;
    let upstream = format!("http://{}", address(&listener)?);
    serve(listener, api::Api);

    let socket = folder.path().join("admin.sock");
    let text = configuration(&base, &upstream, folder.path());
    for (name, content) in [("config.toml", &*text), ("clients.json", issuer::CLIENTS)] {
        let written = std::fs::write(folder.path().join(name), content);
        written.map_err(|error| failed(&error))?;
    }
    let config = folder.path().join("config.toml");
    let source = Source {
        config: Some(config.clone()),
        set: Vec::new(),
        without_environment: true,
    };
    run_and_tell(source, move |addresses| {
        out::print(&greeting(&base, addresses, &config, &socket));
    })
    .await
}

/// A free port of this machine.
async fn listener() -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind("127.0.0.1:0").await;
    bound.map_err(|error| Failure::Start(causes(&error)))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::Start(causes(&error)))
}

/// Serves until the process ends.
fn serve<S>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<AnyBody>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    tokio::spawn(Server::new().serve(listener, service, std::future::pending()));
}

/// The configuration of the sidecar. It is written to a file, as an operator would do.
fn configuration(issuer: &str, upstream: &str, folder: &Path) -> String {
    let file = |name| toml::Value::from(folder.join(name).display().to_string());
    let [log, clients, socket] = ["log.redb", "clients.json", "admin.sock"].map(file);
    format!(
        r#"[run]
allow_root = true
shutdown_delay = "0s"

[limits]
connections = 256
upstream_requests = 256

[log]
path = {log}
longest_lifetime = "1h"

[[issuer]]
url = "{issuer}"
audience = "{AUDIENCE}"

[gateway]
listen = "127.0.0.1:0"
upstream = "{upstream}"
identity_headers = {{ subject = "x-token-subject", client = "x-token-client" }}

[revoke]
mode = "terminate"
clients = {clients}

[admin]
socket = {socket}
listen = "127.0.0.1:0"
"#
    )
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@".contains(&byte);
    if path.bytes().all(is_plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

fn greeting(
    issuer: &str,
    addresses: &BTreeMap<&'static str, SocketAddr>,
    config: &Path,
    socket: &Path,
) -> String {
    let base = |key| {
        let address = addresses.get(key).map(ToString::to_string);
        format!("http://{}", address.unwrap_or_default())
    };
    let (gateway, admin) = (base("gateway.listen"), base("admin.listen"));
    let program = std::env::current_exe();
    let program = program.map_or_else(
        |_| "revocation-sidecar".into(),
        |it| it.display().to_string(),
    );
    let config = config.display();
    let [program, socket] = [Path::new(&program), socket].map(quoted);
    format!(
        r#"
An issuer, an API and a sidecar in front of it run on this machine. Its configuration:
{config}

Get a token, use it, revoke it, and see that it is refused. In another terminal:

TOKEN=$(curl -s -u demo:demo-secret -d grant_type=client_credentials {issuer}/token \
  | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -si -H "Authorization: Bearer $TOKEN" {gateway}/hello
curl -si -u demo:demo-secret -d "token=$TOKEN" {gateway}/oauth2/revoke
curl -si -H "Authorization: Bearer $TOKEN" {gateway}/hello

Get another one, revoke everything of its user, and see that it is refused too:

TOKEN=$(curl -s -u demo:demo-secret -d grant_type=client_credentials {issuer}/token \
  | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
{program} revoke --subject alice --reason "laptop stolen" --socket {socket}
curl -si -H "Authorization: Bearer $TOKEN" {gateway}/hello

See what the sidecar counts:

curl -s {admin}/metrics

Ctrl-C ends all of them and removes their files.
"#
    )
}
