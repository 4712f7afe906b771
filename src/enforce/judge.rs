//! Is the token of a request live?

use std::{ops::ControlFlow, sync::Arc};

#[cfg(feature = "profiles")]
use super::Index;
use super::{
    Freshness, Policy, WhenUnknown, observe::Begun, protocol::Protocol, settings::Settings,
    verdict::Verdict,
};
use crate::{
    introspect::{Introspected, Introspection, Reason, TokenKind, TokenType},
    log::{NumericDate, SelectorClass},
};

/// What a verdict depends on besides the token.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) settings: Arc<Settings>,
    pub(super) policy: Policy,
    pub(super) protocol: Protocol,
    /// The scheme of the token, and of the challenge.
    pub(super) scheme: TokenType,
    pub(super) begun: Begun,
}

/// What follows from an introspected token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The token is judged.
    Verdict(Verdict),
    /// The state of the token is unknown, for this reason.
    Unknown(&'static str),
    /// The index is stale, and an authority has to confirm the token.
    Confirm,
}

/// Whether a token that a caller presents for itself is live, by the rules of an enforcement with
/// default settings.
///
/// # Errors
///
/// The reason, if the state of the token is unknown.
#[cfg(feature = "profiles")]
pub(crate) fn is_live(index: &Index, token: &Introspection) -> Result<bool, &'static str> {
    let judge = Judge {
        settings: Arc::new(Settings::new(index.clone())),
        policy: Policy::new(),
        protocol: Protocol::Http,
        scheme: TokenType::Bearer,
        begun: Begun::now(),
    };
    match judge.judge(token, NumericDate::now()) {
        Judgement::Verdict(verdict) => Ok(verdict == Verdict::Live),
        Judgement::Unknown(reason) => Err(reason),
        Judgement::Confirm => Err("the index is stale"),
    }
}

impl Judge {
    /// Whether an authority may have to confirm the token.
    pub(super) fn may_confirm(&self) -> bool {
        self.policy.when_unknown == WhenUnknown::Introspect && self.settings.confirm_by.is_some()
    }

    pub(super) fn judge(&self, token: &Introspection, now: NumericDate) -> Judgement {
        let verdict = match self.by_claims(token, now) {
            ControlFlow::Break(verdict) => verdict,
            ControlFlow::Continue(()) => return self.by_index(token, now),
        };
        Judgement::Verdict(verdict)
    }

    /// What the introspection alone decides.
    fn by_claims(&self, token: &Introspection, now: NumericDate) -> ControlFlow<Verdict> {
        let settings = &self.settings;
        let latest = now + settings.leeway;
        let not_yet = |moment: Option<NumericDate>| moment.is_some_and(|moment| moment > latest);
        let lacks = |class: &SelectorClass| token.selectors_of(*class).next().is_none();
        if token.is_too_old(now) {
            return ControlFlow::Break(Verdict::Invalid(Reason::TooOld));
        }
        if token.is_expired(now) {
            return ControlFlow::Break(Verdict::Expired);
        }
        if token.revoked {
            return ControlFlow::Break(Verdict::Revoked(settings.index.revoked_by(token)));
        }
        let reason = if token.kind != TokenKind::AccessToken {
            Reason::Kind
        } else if token.rotated {
            Reason::Rotated
        } else if not_yet(token.iat) || not_yet(token.nbf) {
            Reason::NotYet
        } else if settings.requires_iat && token.iat.is_none() {
            Reason::NoIat
        } else if token.has_too_many_ancestors() {
            Reason::Ancestors
        } else if settings.required.iter().any(lacks) {
            Reason::LacksSelector
        } else {
            return ControlFlow::Continue(());
        };
        ControlFlow::Break(Verdict::Invalid(reason))
    }

    fn by_index(&self, token: &Introspection, now: NumericDate) -> Judgement {
        let settings = &self.settings;
        // First: the records are then at least as new as this result.
        let freshness = settings.index.freshness();
        // A known record counts, however old the index is.
        if let Some(class) = settings.index.revoked_by(token) {
            return Judgement::Verdict(Verdict::Revoked(Some(class)));
        }
        // The clock has gone back, and a record that covers the token may have been removed.
        let lost = settings.index.may_have_forgotten(token, now);
        match (freshness, self.policy.when_unknown) {
            (Freshness::Unready, _) => Judgement::Unknown("the index has not been loaded"),
            (Freshness::Fresh, _) if !lost => Judgement::Verdict(Verdict::Live),
            (Freshness::Stale(silence), WhenUnknown::ServeStale { max })
                if silence <= max && !lost =>
            {
                Judgement::Verdict(Verdict::Live)
            }
            (_, WhenUnknown::Introspect) if settings.confirm_by.is_some() => Judgement::Confirm,
            (Freshness::Stale(_), _) => Judgement::Unknown("the index is stale"),
            _ => Judgement::Unknown(
                "the clock has gone back, and a record of the token may have been forgotten",
            ),
        }
    }

    /// The verdict after an authority has been asked because the index is stale. A record that came
    /// in the meantime counts, whichever of the two introspections has its selector.
    pub(super) fn confirmed(
        &self,
        token: &Introspection,
        confirmed: &Introspected,
        now: NumericDate,
    ) -> Verdict {
        let confirmed = match confirmed {
            Introspected::Token(confirmed) => confirmed,
            Introspected::Unhandled { reason, .. } | Introspected::Unrecognised(reason) => {
                return Verdict::Invalid(*reason);
            }
        };
        for token in [token, confirmed] {
            if let ControlFlow::Break(verdict) = self.by_claims(token, now) {
                return verdict;
            }
            if let Some(class) = self.settings.index.revoked_by(token) {
                return Verdict::Revoked(Some(class));
            }
        }
        Verdict::Live
    }
}
