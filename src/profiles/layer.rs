//! The layer that puts a profile on a path.

use std::{fmt, sync::Arc, time::Duration};

use hyper::rt::Timer;
use tower::{BoxError, Service, util::BoxCloneSyncService};
use tower_layer::Layer;

use super::{Profile, ProfileService};
use crate::introspect::Introspection;

/// A layer that handles the calls of a [`Profile`] below a path, and passes every other request to the
/// inner service unchanged.
///
/// `endpoint` gets the translated requests: usually
/// [`RevocationLayer::into_endpoint`](crate::RevocationLayer::into_endpoint). It needs responses with
/// an [`Outcome`](crate::Outcome) or an [`Error`](crate::Error) in their extensions, as the
/// [`Endpoint`](crate::Endpoint) has them.
///
/// **The backend of the endpoint must be one of this crate, or pass its requests to one:** most profiles
/// set [options](crate::revoke::RevocationOptions). If the backend ignores them, the response is 500.
///
/// With [`RevocationLayer::cors`](crate::RevocationLayer::cors) of the endpoint, browsers can call the
/// profile by its own methods.
///
/// See [the module](super) for an example.
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ProfileLayer<P, E> {
    pub(super) profile: Arc<P>,
    pub(super) endpoint: E,
    pub(super) settings: Arc<Settings>,
}

/// A service that is called after a revocation.
pub(super) type Hook = BoxCloneSyncService<Introspection, (), BoxError>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) path: Arc<str>,
    pub(super) max_body: usize,
    pub(super) body_timeout: Duration,
    pub(super) timer: Option<Arc<dyn Timer + Send + Sync>>,
    pub(super) after: Option<Hook>,
    pub(super) after_timeout: Duration,
}

impl Settings {
    /// The part of a path below that of the profile, empty or with a `/` at its start.
    pub(super) fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        match &*self.path {
            "/" if path == "/" => Some(""),
            "/" => Some(path),
            own => path
                .strip_prefix(own)
                .filter(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl<P: Profile, E> ProfileLayer<P, E> {
    /// Creates a layer for the calls of `profile` at `path`, and below it if the profile has calls
    /// there.
    ///
    /// **The path is compared byte for byte**, without any normalisation.
    ///
    /// # Panics
    ///
    /// Panics if `path` does not start with `/`, ends with a `/` that is not its only one, or contains
    /// `?` or `#`.
    pub fn new(path: impl Into<Arc<str>>, profile: P, endpoint: E) -> Self {
        let path = path.into();
        assert!(
            path.starts_with('/')
                && (path.len() == 1 || !path.ends_with('/'))
                && !path.contains(['?', '#']),
            "the path of a ProfileLayer must start with `/`, not end with another one, and contain \
             neither `?` nor `#`: {path:?}"
        );
        Self {
            profile: Arc::new(profile),
            endpoint,
            settings: Arc::new(Settings {
                path,
                max_body: 64 * 1024,
                body_timeout: Duration::from_secs(10),
                timer: None,
                after: None,
                after_timeout: Duration::from_secs(10),
            }),
        }
    }

    /// Limits the request body to `bytes` bytes. Defaults to 64 KiB. A longer body is 413.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings_mut().max_body = bytes;
        self
    }

    /// Enables the time-out of the body with the timer of the runtime, as
    /// [`RevocationLayer::timer`](crate::RevocationLayer::timer) does. **Without a timer there is none.**
    pub fn timer(mut self, timer: impl Timer + Send + Sync + 'static) -> Self {
        self.settings_mut().timer = Some(Arc::new(timer));
        self
    }

    /// Limits the time from the request's head to the end of its body. Defaults to 10 s. A slower body
    /// is 408. Requires a [`timer`](Self::timer).
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().body_timeout = limit;
        self
    }

    /// Calls a service after each revocation, with what is known of the token: to delete the
    /// authorization of the user, for example. Defaults to none.
    ///
    /// The revocation is durable by then. If the service fails, or takes longer than 10 s with a
    /// [`timer`](Self::timer), the response is 503, and the client tries again: the service must tolerate
    /// to be called twice for a token. It is called even if the client disconnects. **It needs a runtime
    /// of Tokio.**
    ///
    /// It is not called if the backend does not know the token, nor for a call that names no token, such
    /// as a [`ClientOrder`](crate::revoke::ClientOrder) or an accessor of Vault.
    ///
    /// ```
    /// use tower::{BoxError, service_fn};
    /// use tower_revocation::{
    ///     introspect::Introspection,
    ///     profiles::{Profile, ProfileLayer},
    /// };
    ///
    /// # fn layer<P: Profile, E>(layer: ProfileLayer<P, E>) -> ProfileLayer<P, E> {
    /// layer.after_revocation(service_fn(async |token: Introspection| {
    ///     // DELETE FROM authorizations WHERE subject = … AND client = …
    ///     let _ = (&token.sub, &token.client_id);
    ///     Ok::<_, BoxError>(())
    /// }))
    /// # }
    /// ```
    pub fn after_revocation<S>(mut self, service: S) -> Self
    where
        S: Service<Introspection, Response = ()> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        let service = tower::ServiceExt::<Introspection>::map_err(service, Into::into);
        self.settings_mut().after = Some(BoxCloneSyncService::new(service));
        self
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl<S, P, E: Clone> Layer<S> for ProfileLayer<P, E> {
    type Service = ProfileService<S, P, E>;

    fn layer(&self, inner: S) -> Self::Service {
        ProfileService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<P, E: Clone> Clone for ProfileLayer<P, E> {
    fn clone(&self) -> Self {
        Self {
            profile: self.profile.clone(),
            endpoint: self.endpoint.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<P, E> fmt::Debug for ProfileLayer<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLayer")
            .field("path", &self.settings.path)
            .field("max_body", &self.settings.max_body)
            .field("body_timeout", &self.settings.body_timeout)
            .field("timer", &self.settings.timer.is_some())
            .finish_non_exhaustive()
    }
}
