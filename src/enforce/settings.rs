//! What is configured, and what follows from it for one request.

use std::{fmt, sync::Arc, time::Duration};

use hyper::{HeaderMap, Request, Uri, http::request::Parts};
use tower::{BoxError, util::BoxCloneSyncService};

use super::{
    Index, Policy,
    bearer::{Presented, Shape, presented},
    observe::Live,
    protocol::Protocol,
    response::Refusals,
};
#[cfg(feature = "tracing")]
use crate::observe::Fingerprints;
use crate::{
    ask::Ask,
    introspect::{Introspected, TokenType},
    log::SelectorClass,
    token::Secret,
};

type TokenFrom = Arc<dyn Fn(&Uri, &HeaderMap) -> Option<Secret> + Send + Sync>;
type PolicyBy = Arc<dyn Fn(&Parts) -> Policy + Send + Sync>;
/// An introspection whose error and response types are erased.
pub(super) type Introspect<I, F> = Ask<I, Secret, F, Introspected>;
pub(super) type ConfirmBy = BoxCloneSyncService<Secret, Introspected, BoxError>;

/// Everything that the setters of the layer set.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) index: Index,
    pub(super) refusals: Refusals,
    pub(super) leeway: Duration,
    pub(super) requires_iat: bool,
    pub(super) required: Vec<SelectorClass>,
    pub(super) confirm_by: Option<ConfirmBy>,
    pub(super) from_extension: bool,
    pub(super) responds_in_http: bool,
    pub(super) policy: Policy,
    pub(super) policy_by: Option<PolicyBy>,
    pub(super) token_from: Option<TokenFrom>,
    pub(super) shape: Shape,
    pub(super) live: Live,
    #[cfg(feature = "tracing")]
    pub(super) fingerprints: Fingerprints,
}

impl Settings {
    /// The defaults.
    pub(super) fn new(index: Index) -> Self {
        Self {
            index,
            refusals: Refusals::new(),
            leeway: Duration::from_secs(60),
            requires_iat: true,
            required: Vec::new(),
            confirm_by: None,
            from_extension: false,
            responds_in_http: false,
            policy: Policy::new(),
            policy_by: None,
            token_from: None,
            shape: Shape::default(),
            live: Live::default(),
            #[cfg(feature = "tracing")]
            fingerprints: Fingerprints::default(),
        }
    }

    /// The policy for a request. A request is only taken apart if its head decides.
    pub(super) fn policy<B>(&self, request: Request<B>) -> (Policy, Request<B>) {
        let Some(choose) = &self.policy_by else {
            return (self.policy, request);
        };
        let (head, body) = request.into_parts();
        (choose(&head), Request::from_parts(head, body))
    }

    /// The protocol of a request or a response with these headers.
    pub(super) fn protocol(&self, headers: &HeaderMap) -> Protocol {
        Protocol::choose(self.responds_in_http, headers)
    }

    pub(super) fn presented(&self, uri: &Uri, headers: &HeaderMap) -> Presented {
        match (presented(headers, self.shape), &self.token_from) {
            (Presented::Nothing, Some(find)) => match find(uri, headers) {
                Some(token) => Presented::Token(TokenType::Bearer, token),
                None => Presented::Nothing,
            },
            (presented, _) => presented,
        }
    }

    /// The name of the request's token in events.
    #[cfg(feature = "tracing")]
    pub(super) fn fingerprint(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        match self.presented(uri, headers) {
            Presented::Token(_, token) => Some(self.fingerprints.of(&token)),
            _ => None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("index", &self.index)
            .field("policy", &self.policy)
            .field("leeway", &self.leeway)
            .field("requires_iat", &self.requires_iat)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}
