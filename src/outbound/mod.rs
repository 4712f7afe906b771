//! The HTTPS client that asks other servers: for keys, for introspection, to forward revocations.

mod address;
mod connector;
mod tls;

use std::{io, net::IpAddr};

use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service as _;

pub(crate) use self::{
    address::{checked_uri, operator_uri, registered_uri},
    connector::{Connector, Failure, Fault, Reach},
    tls::roots_of,
};

/// Finds the addresses of a host.
///
/// ```
/// use std::{io, net::IpAddr};
/// use futures::{FutureExt, future::BoxFuture};
/// use tower_revocation::{jose::RemoteKeys, outbound::Resolve};
///
/// struct Fixed;
///
/// impl Resolve for Fixed {
///     fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
///         async { Ok(vec![IpAddr::from([192, 168, 7, 1])]) }.boxed()
///     }
/// }
///
/// let keys = RemoteKeys::new().resolver(Fixed).allow_private_addresses(true);
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of this host. They are judged by the one who asks.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
struct System;

impl Resolve for System {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name: Result<Name, _> = host.parse();
        Box::pin(async move {
            let name = name.map_err(io::Error::other)?;
            let found = GaiResolver::new().call(name).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
