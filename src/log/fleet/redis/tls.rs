//! TLS around a connection. Certificates and host names are always verified.

use std::{io, sync::Arc};

use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, task};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    super::cause::cause,
    fault::Fault,
    settings::{Host, Settings},
};

/// Reads the certificates again for each connection: they may have been renewed.
pub(super) async fn connect(
    stream: TcpStream,
    host: &Host,
    settings: &Settings,
) -> Result<TlsStream<TcpStream>, Fault> {
    let files = settings.files.clone();
    let read = task::spawn_blocking(move || files.config()).await;
    let read = read.map_err(|_| Fault::unavailable("the certificates could not be read"))?;
    let config = read.map_err(Fault::misconfigured)?;
    let name = ServerName::try_from(host.name.clone());
    let name = name.map_err(|_| Fault::misconfigured(format!("{host} is no name for TLS")))?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    connected.map_err(|error| failed(&error, host))
}

fn failed(error: &io::Error, host: &Host) -> Fault {
    match cause(error) {
        Some(rustls::Error::InvalidCertificate(why)) => Fault::misconfigured(format!(
            "the certificate of {host} is not accepted ({why}): set `sslrootcert` to its CA, and \
             use the host name that the certificate has",
        )),
        Some(rustls::Error::AlertReceived(alert)) => Fault::alert(*alert, &host.to_string()),
        _ => Fault::misconfigured(format!(
            "{host} does not speak TLS ({error}): set `tls-port` there, or correct the port",
        )),
    }
}
