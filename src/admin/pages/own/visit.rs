//! A user who has signed in.

use hyper::{
    Method, StatusCode,
    body::Body,
    header::{AUTHORIZATION, HeaderValue, SET_COOKIE},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use tower::BoxError;

use super::{
    actions, list,
    service::OwnPages,
    sign_in::{self, OwnToken, SESSION},
};
use crate::{
    admin::{
        pages::{
            api::Call,
            failure::Failure,
            form::Fields,
            frame::{Frame, Visitor},
            respond::Page,
            visit::Id,
        },
        problem::Refusal,
    },
    token::Secret,
};

/// One request of a user who has signed in, or whom a proxy has.
pub(super) struct Visit<'a> {
    pub(super) pages: &'a OwnPages,
    pub(super) id: Id,
    token: Secret,
    /// Whether the session begins with this request, which has a token.
    is_new: bool,
    can_sign_out: bool,
}

impl<'a> Visit<'a> {
    /// `None` if there is no session, and no token in the request.
    pub(super) fn of(pages: &'a OwnPages, head: &Parts) -> Result<Option<Self>, Failure> {
        let sessions = pages.shared.sessions.users();
        let given = bearer(head);
        let known = SESSION.read(&head.headers);
        let known = known.and_then(|id| Some((sessions.with(&id, |it| it.typed.clone())?, id)));
        let can_sign_out = given.is_none();
        Ok(match (given, known) {
            (Some(token), Some((None, id))) | (None, Some((Some(token), id))) => Some(Self {
                pages,
                id,
                token,
                is_new: false,
                can_sign_out,
            }),
            (Some(token), _) => Some(Self {
                pages,
                id: Id::random()?,
                token,
                is_new: true,
                can_sign_out,
            }),
            (None, _) => None,
        })
    }

    /// Begins the session of a request with a new token, and lets the browser remember it. Does so only
    /// if the page succeeded, so that a wrong token takes no place from other users.
    pub(super) fn remembered(&self, mut page: Page, head: &Parts) -> Page {
        if self.is_new && page.status().is_success() {
            sign_in::begin(self.pages, head, &self.id, None);
            page.headers_mut().append(SET_COOKIE, SESSION.set(&self.id));
        }
        page
    }

    pub(super) async fn respond<B>(
        &self,
        rest: &str,
        head: &Parts,
        body: B,
    ) -> Result<Page, Failure>
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let page = if head.method == Method::POST {
            let fields = Fields::of_body(&head.headers, body).await?;
            let fields = self.own_form(fields)?;
            match rest {
                "/sign-out" => Ok(sign_in::sign_out(self, "/sign-in")),
                "/end" => actions::end(self, head, fields).await,
                "/end-others" => actions::end_others(self, head).await,
                "/token" => actions::revoke(self, head, fields).await,
                "" | "/" | "/sign-in" => Err(Refusal::Method("GET, HEAD").into()),
                _ => Err(Failure::not_found()),
            }
        } else {
            match rest {
                "" | "/" | "/sign-in" => list::list(self, head).await,
                "/sign-out" | "/end" | "/end-others" | "/token" => {
                    Err(Refusal::Method("POST").into())
                }
                _ => Err(Failure::not_found()),
            }
        };
        match page {
            // The token has expired, or it was revoked: perhaps here.
            Err(failure) if failure.status == StatusCode::UNAUTHORIZED && self.can_sign_out => {
                Ok(sign_in::sign_out(self, "/sign-in?ended"))
            }
            other => other,
        }
    }

    /// Checks that a page of this session contains the form.
    fn own_form(&self, mut fields: Fields) -> Result<Fields, Failure> {
        let token = fields.take("form_token")?;
        let key = self.pages.shared.sessions.key();
        let is_own = token.is_some_and(|token| key.is_token(token.expose(), &self.id));
        if is_own {
            Ok(fields)
        } else {
            Err(Failure::foreign_form())
        }
    }

    /// Uses the session. `None` if it has ended, or has not begun.
    pub(super) fn session<R>(&self, with: impl FnOnce(&mut OwnToken) -> R) -> Option<R> {
        let sessions = self.pages.shared.sessions.users();
        sessions.with(&self.id, with)
    }

    pub(super) fn frame(&self) -> Frame {
        let form_token = self.pages.shared.sessions.key().token(&self.id);
        self.pages.anonymous(form_token).of(Visitor {
            name: "You have signed in".to_owned(),
            role: "",
            can_sign_out: self.can_sign_out,
        })
    }

    /// Makes a call as this user, on behalf of a request.
    pub(super) async fn read<T>(&self, call: Call, head: &Parts) -> Result<T, Failure>
    where
        T: DeserializeOwned,
    {
        self.pages.api.read(call.bearer(&self.token).of(head)).await
    }

    /// Makes a call whose response has no document.
    pub(super) async fn send(&self, call: Call, head: &Parts) -> Result<(), Failure> {
        self.pages
            .api
            .send(call.bearer(&self.token).of(head))
            .await?;
        Ok(())
    }
}

/// The token of a request. A proxy that signs users in may set it.
fn bearer(head: &Parts) -> Option<Secret> {
    let mut fields = head.headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next().map(HeaderValue::to_str), fields.next()) else {
        return None;
    };
    let (scheme, token) = field.ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(token))
}
