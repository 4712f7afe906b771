//! Resolves names, and checks the addresses that they resolve to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use super::address::is_public;

/// Resolves host names. The default is the resolver of the system.
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
/// let keys = RemoteKeys::builder()
///     .resolver(Fixed)
///     .allow_private_addresses(true)
///     .build();
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// Returns the addresses of `host`.
    ///
    /// The caller checks them: an implementation need not leave out private addresses. An empty
    /// list fails the request.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the system (`getaddrinfo`).
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name: Result<Name, _> = host.parse();
        Box::pin(async move {
            let name = name.map_err(io::Error::other)?;
            let found = GaiResolver::new().call(name).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The resolver of the connector: it passes on only the addresses that the settings allow.
///
/// The connector uses exactly these addresses. There is no second lookup that could return others
/// (DNS rebinding).
#[derive(Clone)]
pub(super) struct CheckedResolver {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) allow_private: bool,
}

impl Service<Name> for CheckedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.resolver.resolve(name.as_str());
        let allow_private = self.allow_private;
        Box::pin(async move {
            let mut addresses = resolving.await?;
            if addresses.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "the name has no address",
                ));
            }
            addresses.retain(|address| allow_private || is_public(*address));
            if addresses.is_empty() {
                let refused = "the name has no public address";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
            }
            // The connector sets the port of the URI.
            let with_port = |address| SocketAddr::new(address, 0);
            Ok(addresses
                .into_iter()
                .map(with_port)
                .collect::<Vec<_>>()
                .into_iter())
        })
    }
}

/// Whether this is the error of [`CheckedResolver`] for a name without an allowed address. The
/// operating system's own errors have a code.
pub(super) fn is_forbidden(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_public_addresses_of_a_name_are_used() {
        struct Mixed;

        impl Resolve for Mixed {
            fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
                assert_eq!(host, "keys.example");
                let found = [
                    "127.0.0.1",
                    "1.1.1.1",
                    "::1",
                    "2606:4700:4700::1111",
                    "fe80::1",
                ];
                let found = found.map(|address| address.parse().unwrap()).to_vec();
                Box::pin(async { Ok(found) })
            }
        }

        for (allow_private, expected) in [
            (false, vec!["1.1.1.1:0", "[2606:4700:4700::1111]:0"]),
            (
                true,
                vec![
                    "127.0.0.1:0",
                    "1.1.1.1:0",
                    "[::1]:0",
                    "[2606:4700:4700::1111]:0",
                    "[fe80::1]:0",
                ],
            ),
        ] {
            let mut checked = CheckedResolver {
                resolver: Arc::new(Mixed),
                allow_private,
            };
            let found = checked.call("keys.example".parse().unwrap()).await.unwrap();
            let found: Vec<_> = found.map(|address| address.to_string()).collect();
            assert_eq!(found, expected);
        }
    }
}
