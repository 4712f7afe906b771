//! What is to be said about one request.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    Freshness, Policy, WhenUnknown, observe::Begun, protocol::Protocol, settings::Settings,
    verdict::Verdict,
};
use crate::{
    introspect::{Introspected, Introspection, Reason, TokenKind, TokenType},
    log::{NumericDate, SelectorClass},
};

/// What a verdict depends on, besides the token.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) settings: Arc<Settings>,
    pub(super) policy: Policy,
    pub(super) protocol: Protocol,
    /// In which scheme the token came, and the challenge goes.
    pub(super) scheme: TokenType,
    pub(super) begun: Begun,
}

/// What follows from what is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// This.
    Verdict(Verdict),
    /// It cannot be found out, for this reason.
    Unknown(&'static str),
    /// The index is stale, and an authority is to be asked.
    Confirm,
}

impl Judge {
    /// Whether an authority may have to be asked.
    pub(super) fn may_confirm(&self) -> bool {
        self.policy.when_unknown == WhenUnknown::Introspect && self.settings.confirm_by.is_some()
    }

    pub(super) fn judge(&self, token: &Introspection, now: NumericDate) -> Judgement {
        let verdict = match self.by_itself(token, now) {
            ControlFlow::Break(verdict) => verdict,
            ControlFlow::Continue(()) => return self.by_the_index(token, now),
        };
        Judgement::Verdict(verdict)
    }

    /// What can be said without looking elsewhere.
    fn by_itself(&self, token: &Introspection, now: NumericDate) -> ControlFlow<Verdict> {
        let settings = &self.settings;
        let latest = now + settings.leeway;
        let not_yet = |moment: Option<NumericDate>| moment.is_some_and(|moment| moment > latest);
        let lacks = |class: &SelectorClass| token.selectors_of(*class).next().is_none();
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
        } else if settings.required.iter().any(lacks) {
            Reason::LacksSelector
        } else {
            return ControlFlow::Continue(());
        };
        ControlFlow::Break(Verdict::Invalid(reason))
    }

    fn by_the_index(&self, token: &Introspection, now: NumericDate) -> Judgement {
        let settings = &self.settings;
        // First, so that what was fresh is what is asked.
        let freshness = settings.index.freshness();
        // A record that is known holds, however old the index is.
        if let Some(class) = settings.index.revoked_by(token) {
            return Judgement::Verdict(Verdict::Revoked(Some(class)));
        }
        // The clock has gone back, and what would cover it may be lost.
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
            _ => Judgement::Unknown("the clock has gone back behind what was forgotten"),
        }
    }

    /// What an authority said of a token that the index is too old for. Records may have come since
    /// it was asked: those hold, whichever of the two knows the selector.
    pub(super) fn confirmed(
        &self,
        token: &Introspection,
        known: &Introspected,
        now: NumericDate,
    ) -> Verdict {
        let known = match known {
            Introspected::Token(known) => known,
            Introspected::Unhandled { reason, .. } | Introspected::Unrecognised(reason) => {
                return Verdict::Invalid(*reason);
            }
        };
        for token in [token, known] {
            if let ControlFlow::Break(verdict) = self.by_itself(token, now) {
                return verdict;
            }
            if let Some(class) = self.settings.index.revoked_by(token) {
                return Verdict::Revoked(Some(class));
            }
        }
        Verdict::Live
    }
}
