//! What follows from an introspection: pass, confirm or refuse?

use hyper::{Method, Request, Version};
use tower::{BoxError, Service, util::Oneshot};

use super::{Passing, State};
use crate::{
    enforce::{
        judge::{Judge, Judgement},
        life::TokenLife,
        response::Refusing,
        settings::ConfirmBy,
        verdict::{Refused, Verdict},
    },
    introspect::{Introspected, Introspection},
    log::NumericDate,
    token::Secret,
};

/// A request whose token is being checked, and the instance that was ready for it.
pub(super) struct Waiting<S, B> {
    pub(super) judge: Judge,
    pub(super) inner: S,
    pub(super) request: Request<B>,
    /// A copy of the token, if an authority may have to confirm it.
    pub(super) token: Option<Secret>,
}

/// A call to the authority that confirms a token, and what is known of the token already.
pub(super) struct Confirm {
    pub(super) call: Oneshot<ConfirmBy, Secret>,
    pub(super) token: Introspection,
    /// Whether a record of the token may have been forgotten before the authority was asked.
    pub(super) was_forgotten: bool,
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn judge<I, F>(self, introspected: Introspected) -> State<I, F, S, B> {
        let token = match introspected {
            Introspected::Token(token) => token,
            Introspected::Unhandled { reason, .. } | Introspected::Unrecognised(reason) => {
                let refused = Refused::new(Verdict::Invalid(reason));
                return State::refused(&self.judge, refused, None, &self.request);
            }
        };
        let now = NumericDate::now();
        match self.judge.judge(&token, now) {
            Judgement::Verdict(verdict) => self.follow(verdict, token, now, false),
            Judgement::Unknown(cause) => self.undecided(cause, &token),
            Judgement::Confirm => self.confirm(token, now),
        }
    }

    /// The introspection failed.
    pub(super) fn unknown<I, F>(self, cause: BoxError) -> State<I, F, S, B> {
        State::refused(&self.judge, Refused::unknown(cause), None, &self.request)
    }

    /// The authority has returned what it knows of the token. The request keeps the first
    /// introspection, because the authority may know fewer of the token's selectors.
    pub(super) fn confirmed<I, F>(
        self,
        confirm: &Confirm,
        introspected: &Introspected,
    ) -> State<I, F, S, B> {
        let mut token = confirm.token.clone();
        let now = NumericDate::now();
        let verdict = self.judge.confirmed(&token, introspected, now);
        if let Introspected::Token(confirmed) = introspected {
            token.exp = token.exp.into_iter().chain(confirmed.exp).min();
        }
        self.follow(verdict, token, now, confirm.was_forgotten)
    }

    fn confirm<I, F>(mut self, token: Introspection, now: NumericDate) -> State<I, F, S, B> {
        let authority = self.judge.settings.confirm_by.clone();
        let Some((authority, secret)) = authority.zip(self.token.take()) else {
            return self.undecided("there is no token that an authority can confirm", &token);
        };
        // Before the authority is asked: it knows only what was forgotten until then.
        let was_forgotten = self.judge.settings.index.may_have_forgotten(&token, now);
        let confirm = Confirm {
            call: Oneshot::new(authority, secret),
            token,
            was_forgotten,
        };
        State::Confirm {
            confirm: Box::pin(confirm),
            waiting: Some(self),
        }
    }

    fn undecided<I, F>(self, cause: &'static str, token: &Introspection) -> State<I, F, S, B> {
        let refused = Refused::unknown(cause.into());
        State::refused(&self.judge, refused, Some(token), &self.request)
    }

    /// `was_forgotten`: an authority has confirmed the token, although a record of it may have been
    /// forgotten.
    fn follow<I, F>(
        mut self,
        verdict: Verdict,
        token: Introspection,
        now: NumericDate,
        was_forgotten: bool,
    ) -> State<I, F, S, B> {
        if verdict != Verdict::Live {
            let refused = Refused::new(verdict);
            return State::refused(&self.judge, refused, Some(&token), &self.request);
        }
        self.judge.settings.live.passed(now, self.judge.begun);
        let mut passing = None;
        if self.judge.policy.cut_streams {
            let request = &mut self.request;
            let settings = &self.judge.settings;
            let life = settings.index.life(token.clone());
            let life = life.ignore_forgotten(was_forgotten);
            passing = Some(Passing {
                life: life.clone(),
                responds_in_http: settings.responds_in_http,
                connection: request.extensions().get().cloned(),
                is_shared: request.version() >= Version::HTTP_2,
                connects: request.method() == Method::CONNECT,
            });
            let life = TokenLife::new(life).refused_by(Refusing::from(&self.judge));
            request.extensions_mut().insert(life);
        }
        self.request.extensions_mut().insert(token);
        State::Inner {
            future: self.inner.call(self.request),
            passing,
        }
    }
}
