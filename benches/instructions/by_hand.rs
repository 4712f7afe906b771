//! The same revocation in a hyper service written by hand, without a framework.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::Body,
    header::{self, HeaderValue},
};

use tower::BoxError;

use crate::{
    rules::{self, Basic, MAX_BODY, Parameters, Refusal},
    server::{PATH, Server},
};

/// Handles a request. `read` reads its body.
pub(crate) async fn respond<B>(
    server: Server,
    request: Request<B>,
    read: impl AsyncFnOnce(B) -> Result<Bytes, Refusal>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != PATH {
        return Ok(rules::sealed(StatusCode::NOT_FOUND, Full::default()));
    }
    if request.method() != Method::POST {
        let mut response = rules::sealed(StatusCode::METHOD_NOT_ALLOWED, Full::default());
        let allow = HeaderValue::from_static("POST");
        response.headers_mut().insert(header::ALLOW, allow);
        return Ok(response);
    }
    Ok(match revoke(&server, request, read).await {
        Ok(()) => rules::sealed(StatusCode::OK, Full::default()),
        Err(refusal) => refusal.response(),
    })
}

/// Reads a body, however long it takes.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, Refusal>
where
    B: Body<Error: Into<BoxError>>,
{
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => Refusal::PAYLOAD_TOO_LARGE,
        None => Refusal::INVALID_REQUEST,
    })?;
    Ok(body.to_bytes())
}

async fn revoke<B>(
    server: &Server,
    request: Request<B>,
    read: impl AsyncFnOnce(B) -> Result<Bytes, Refusal>,
) -> Result<(), Refusal> {
    let basic = read_head(request.headers(), request.uri())?;
    let body = read(request.into_body()).await?;
    let parameters: Parameters =
        serde_urlencoded::from_bytes(&body).map_err(|_| Refusal::INVALID_REQUEST)?;
    parameters.revoke(server, &basic)
}

fn read_head(headers: &HeaderMap, uri: &Uri) -> Result<Basic, Refusal> {
    let basic = Basic::read(headers, uri)?;
    let content_type = headers.get(header::CONTENT_TYPE);
    let media_type = content_type.and_then(|value| value.to_str().ok()?.split(';').next());
    match media_type {
        Some(form)
            if form
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded") =>
        {
            Ok(basic)
        }
        _ => Err(Refusal::UNSUPPORTED_MEDIA_TYPE),
    }
}
