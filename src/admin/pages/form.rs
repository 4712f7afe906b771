//! The fields of a form.

use hyper::{
    HeaderMap, StatusCode,
    body::Body,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use tower::BoxError;

use super::failure::Failure;
use crate::{
    admin::{problem::Refusal, request},
    form,
    token::Secret,
};

/// The fields of a form or of a query.
pub(super) struct Fields(Vec<(String, Secret)>);

impl Fields {
    /// Reads the body of a form.
    pub(super) async fn of_body<B>(headers: &HeaderMap, body: B) -> Result<Self, Failure>
    where
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let mut kinds = headers.get_all(CONTENT_TYPE).iter();
        let is_form = match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind == "application/x-www-form-urlencoded",
            _ => false,
        };
        if !is_form || headers.contains_key(CONTENT_ENCODING) {
            let detail =
                "the body must be application/x-www-form-urlencoded, without a content coding";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = request::read(body, request::MAX_BODY).await?;
        Ok(Self::parse(&body)?)
    }

    /// Reads a query.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, Refusal> {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::BadRequest("the form is not well-formed UTF-8");
        form::pairs(text).map(Self).map_err(|_| malformed)
    }

    /// Takes a field. An empty one is none.
    ///
    /// # Errors
    ///
    /// Fails if there are several.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Secret>, Refusal> {
        let mut found = None;
        self.0.retain_mut(|(known, value)| {
            if known != name {
                return true;
            }
            let values = found.get_or_insert_with(Vec::new);
            values.push(std::mem::replace(value, Secret::new("")));
            false
        });
        let mut values = found.unwrap_or_default().into_iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.expose().is_empty())),
            _ => Err(Refusal::BadRequest("a field is repeated")),
        }
    }

    /// Takes a field that is no secret.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let value = self.take(name)?;
        Ok(value.map(|value| value.expose().to_owned()))
    }

    /// Takes a token that was typed or pasted, without the blanks around it.
    pub(super) fn token(&mut self) -> Result<Secret, Refusal> {
        let token = self.take("token")?;
        let token = token.map(|token| Secret::new(token.expose().trim()));
        let token = token.filter(|token| !token.expose().is_empty());
        token.ok_or(Refusal::BadRequest("the token is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_is_taken_once() {
        let mut fields = Fields::of_query(Some("a=1&b=%3Cb%3E+x&c=&d=1&d=1")).unwrap();
        assert_eq!(fields.text("b").unwrap().as_deref(), Some("<b> x"));
        assert_eq!(fields.text("b").unwrap(), None);
        assert_eq!(fields.text("c").unwrap(), None);
        assert!(fields.text("d").is_err());
        assert!(Fields::of_query(Some("a=%zz")).is_err());
        assert!(Fields::of_query(None).is_ok());
    }
}
