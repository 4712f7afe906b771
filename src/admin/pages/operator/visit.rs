//! An operator who has signed in.

use hyper::{Method, body::Body, header::SET_COOKIE, http::request::Parts};
use tower::BoxError;

use super::{
    confirm, home, inspect, order, receipt,
    service::AdminPages,
    sign_in::{self, By, SESSION, SignedIn},
    status, subject, trail,
};
use crate::admin::{
    Caller,
    pages::{
        api::Call,
        failure::Failure,
        form::Fields,
        frame::{Frame, Visitor},
        respond::{Page, see_other},
        visit::Id,
    },
    problem::Refusal,
};

/// One request of an operator who has signed in.
pub(super) struct Visit<'a> {
    pub(super) pages: &'a AdminPages,
    pub(super) caller: Caller,
    pub(super) id: Id,
    /// Whether the session began with this request, which a certificate or a proxy names.
    is_new: bool,
    can_sign_out: bool,
}

impl<'a> Visit<'a> {
    /// `None` if there is no session, or if its operator is none any more.
    pub(super) fn of(pages: &'a AdminPages, head: &Parts) -> Result<Option<Self>, Failure> {
        let access = &pages.shared.access;
        let sessions = pages.shared.sessions.operators();
        let named = access.caller(head).ok();
        let id = SESSION.read(&head.headers);
        let known = id.and_then(|id| Some((sessions.with(&id, |it| it.by.clone())?, id)));
        if let Some((by, id)) = known {
            let caller = match &by {
                By::Token(digest) => access.caller_of_digest(digest),
                By::Name(name) => named.clone().filter(|it| it.name() == &**name),
            };
            if let Some(caller) = caller {
                return Ok(Some(Self {
                    pages,
                    caller,
                    id,
                    is_new: false,
                    can_sign_out: matches!(by, By::Token(_)),
                }));
            }
            sessions.end(&id);
        }
        let Some(caller) = named else {
            return Ok(None);
        };
        let id = sign_in::begin(pages, By::Name(caller.name().into()))?;
        Ok(Some(Self {
            pages,
            caller,
            id,
            is_new: true,
            can_sign_out: false,
        }))
    }

    /// Lets the browser remember a session that began with this request.
    pub(super) fn remembered(&self, mut page: Page) -> Page {
        if self.is_new {
            page.headers_mut().append(SET_COOKIE, SESSION.set(&self.id));
        }
        page
    }

    pub(super) async fn respond<B>(&self, head: &Parts, body: B) -> Result<Page, Failure>
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let path = head.uri.path();
        if head.method == Method::POST {
            let fields = Fields::of_body(&head.headers, body).await?;
            let fields = self.own_form(fields)?;
            return match path {
                "/sign-out" => Ok(sign_in::sign_out(self)),
                "/orders/confirm" => confirm::confirm(self, fields).await,
                "/orders" => order::place(self, fields).await,
                "/tokens" => inspect::inspect(self, fields).await,
                "/" | "/sign-in" | "/subjects" | "/orders/new" | "/status" => {
                    Err(Refusal::Method("GET, HEAD").into())
                }
                _ => Err(Failure::not_found()),
            };
        }
        let query = || Fields::of_query(head.uri.query());
        match path {
            "/" => home::home(self).await,
            "/sign-in" => Ok(see_other("/")),
            "/subjects" => subject::subject(self, query()?).await,
            "/orders" => trail::orders(self, query()?).await,
            "/orders/new" => order::form(self),
            "/tokens" => inspect::form(self),
            "/status" => status::status(self).await,
            "/sign-out" | "/orders/confirm" => Err(Refusal::Method("POST").into()),
            _ => {
                let order = path.strip_prefix("/orders/");
                let receipt = path.strip_prefix("/receipts/");
                match (order, receipt) {
                    (Some(id), _) => trail::order(self, id).await,
                    (None, Some(key)) => receipt::receipt(self, key),
                    (None, None) => Err(Failure::not_found()),
                }
            }
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

    pub(super) fn frame(&self, here: &'static str) -> Frame {
        let form_token = self.pages.shared.sessions.key().token(&self.id);
        Frame::operator(here, form_token).of(Visitor {
            name: self.caller.name().to_owned(),
            role: self.caller.role().as_str(),
            can_sign_out: self.can_sign_out,
        })
    }

    /// Makes a call as this operator.
    pub(super) async fn read<T>(&self, call: Call) -> Result<T, Failure>
    where
        T: serde::de::DeserializeOwned,
    {
        self.pages.api.read(call.by(&self.caller)).await
    }

    /// Uses the session. Fails if it has ended meanwhile.
    pub(super) fn session<R>(&self, with: impl FnOnce(&mut SignedIn) -> R) -> Result<R, Failure> {
        let sessions = self.pages.shared.sessions.operators();
        let used = sessions.with(&self.id, with);
        used.ok_or_else(Failure::signed_out)
    }

    /// The issuers from which a form offers a choice.
    pub(super) fn issuers(&self) -> &'a [String] {
        match &*self.pages.shared.issuers {
            [] | [_] => &[],
            several => several,
        }
    }
}
