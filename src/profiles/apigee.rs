//! Apigee.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use tower::{BoxError, Service};

use super::{
    Answer, Call, ClientOrder, Parameters, Profile, ProfileRequest, orders::AnyClientOrders,
};
use crate::{
    error::{Error, ErrorKind},
    log::NumericDate,
    revoke::{AdminResponse, Cascade, RevocationOptions},
};

#[doc = include_str!("apigee.md")]
#[derive(Clone, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Apigee {
    orders: Option<AnyClientOrders>,
}

impl Apigee {
    /// The profile for calls that have a token. A call that names a user is 400.
    pub fn new() -> Self {
        Self::default()
    }

    /// Carries out calls that name a user or the app by this service, usually a
    /// [`ClientOrders`](super::ClientOrders).
    pub fn orders<S>(mut self, orders: S) -> Self
    where
        S: Service<ClientOrder, Response = Option<AdminResponse>, Error = BoxError>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.orders = Some(AnyClientOrders::new(orders));
        self
    }
}

impl Profile for Apigee {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        check_query(request.head.uri.query())?;
        let mut parameters = request.form()?;
        match parameters.take("action")? {
            None => {}
            Some(action) if action.expose() == "revoke" => {}
            Some(action) if action.expose() == "approve" => {
                return Err(Error::invalid_request("A revoked token stays revoked").code(CONFLICT));
            }
            Some(_) => return Err(Error::invalid_request("There is no such action")),
        }
        let user = parameters.take("end_user_id")?;
        let app = parameters.take("app_id")?;
        let before = parameters.take("revoke_before_timestamp")?;
        if user.is_none() && app.is_none() {
            if before.is_some() {
                return Err(Error::invalid_request("A token is revoked as a whole"));
            }
            return revoke(request, parameters);
        }
        if parameters.has("token") {
            return Err(Error::invalid_request(
                "Either a token or a user and an app is needed",
            ));
        }
        let orders = self.orders.as_ref();
        let orders = orders.ok_or_else(|| Error::invalid_request("A user cannot be named here"))?;
        if let Some(app) = app {
            // An app can only revoke its own tokens. The authenticator compares it.
            parameters.insert("client_id", app)?;
        }
        let mut order = ClientOrder::new(request.credentials(&parameters)?);
        order.subject = user.map(|user| user.expose().to_owned());
        order.before = before.map(|date| timestamp(date.expose())).transpose()?;
        orders.send(order).await.map(Call::done)
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        let is_conflict = |error: &Error| error.error_code() == Some(CONFLICT);
        if answer.result().err().is_some_and(is_conflict) {
            return answer.status(StatusCode::CONFLICT).into_response();
        }
        answer.into_response()
    }
}

const CONFLICT: &str = "conflict";

fn revoke(request: ProfileRequest, mut parameters: Parameters) -> Result<Call, Error> {
    if let Some(kind) = parameters.take("type")? {
        let hint = match kind.expose() {
            "accesstoken" => "access_token",
            "refreshtoken" => "refresh_token",
            _ => return Err(Error::invalid_request("There is no such type")),
        };
        parameters.insert("token_type_hint", hint)?;
    }
    let cascade = match parameters.take_switch("cascade")? {
        Some(true) => Cascade::Grant,
        Some(false) | None => Cascade::Token,
    };
    let options = RevocationOptions::new().cascade(cascade);
    Ok(request.revoke(parameters).options(options))
}

/// Policies often read the token from the query. It would be in the logs of every proxy.
fn check_query(query: Option<&str>) -> Result<(), Error> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
    let is_token = |name: &str| matches!(name, "access_token" | "refresh_token");
    if pairs.iter().any(|(name, _)| is_token(name)) {
        return Err(Error::invalid_request(
            "Tokens are not allowed in the query",
        ));
    }
    Ok(())
}

/// A date in milliseconds since 1970.
fn timestamp(text: &str) -> Result<NumericDate, Error> {
    let milliseconds: Option<u64> = text.parse().ok();
    let milliseconds = milliseconds.ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
    Ok(NumericDate::new(milliseconds / 1000))
}
