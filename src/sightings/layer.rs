//! A layer that notes the tokens of requests.

use tower_layer::Layer;

use super::{Sightings, SightingsService};

/// Notes the token of each request, and passes the request on unchanged.
///
/// **Put it inside of an [`EnforcementLayer`](crate::enforce::EnforcementLayer)**, which puts the
/// [`Introspection`](crate::introspect::Introspection) of a live token into the extensions. Without one,
/// nothing is noted.
///
/// The address of the client is [`ClientAddr`](crate::client::ClientAddr) in the extensions, or else
/// [`PeerAddr`](crate::client::PeerAddr). Behind a proxy, insert the first one, or all sightings have
/// the network of the proxy.
///
/// A request with a token that was seen before allocates nothing. See [the module](super) for an
/// example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct SightingsLayer {
    sightings: Sightings,
}

impl SightingsLayer {
    /// Notes tokens here.
    pub fn new(sightings: Sightings) -> Self {
        Self { sightings }
    }
}

impl<S> Layer<S> for SightingsLayer {
    type Service = SightingsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SightingsService {
            inner,
            sightings: self.sightings.clone(),
        }
    }
}
