//! Limits how many proxies an `OPTIONS` request passes (RFC 9110 §7.6.2).

use hyper::{
    Method, Request,
    header::{HeaderValue, MAX_FORWARDS},
};

use crate::proxy::Error;

/// Who responds to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    Api,
    /// This proxy, because the request must not go further.
    Proxy,
}

impl Recipient {
    /// Counts this proxy in `Max-Forwards`. For other methods than `OPTIONS`, the field has no meaning.
    ///
    /// # Errors
    ///
    /// Fails if the field is not one number.
    pub(super) fn of<B>(request: &mut Request<B>) -> Result<Self, Error> {
        if request.method() != Method::OPTIONS {
            return Ok(Self::Api);
        }
        let mut values = request.headers().get_all(MAX_FORWARDS).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Api);
        };
        let number = number(value).filter(|_| values.next().is_none());
        let number = number.ok_or_else(|| Error::bad_request("Max-Forwards is not one number"))?;
        let Some(rest) = number.checked_sub(1) else {
            return Ok(Self::Proxy);
        };
        request.headers_mut().insert(MAX_FORWARDS, rest.into());
        Ok(Self::Api)
    }
}

/// The largest number stands for all larger ones.
fn number(value: &HeaderValue) -> Option<u32> {
    let digits = value.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.to_str().ok()?.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who responds to `OPTIONS` with these fields, and what the API gets.
    fn of(values: &[&str]) -> Option<(Recipient, Vec<String>)> {
        let mut request = Request::options("/").body(()).unwrap();
        for value in values {
            let value = value.parse().unwrap();
            request.headers_mut().append(MAX_FORWARDS, value);
        }
        let recipient = Recipient::of(&mut request).ok()?;
        let left = request.headers().get_all(MAX_FORWARDS).iter();
        let left = left.map(|value| value.to_str().unwrap().to_owned());
        Some((recipient, left.collect()))
    }

    #[test]
    fn proxy_counts_itself_and_responds_at_zero() {
        let api = |left: &str| Some((Recipient::Api, vec![left.to_owned()]));
        assert_eq!(of(&[]), Some((Recipient::Api, Vec::new())));
        assert_eq!(of(&["1"]), api("0"));
        assert_eq!(of(&["010"]), api("9"));
        assert_eq!(of(&["99999999999999999999"]), api("4294967294"));
        assert_eq!(of(&["0"]).unwrap().0, Recipient::Proxy);
        assert_eq!(of(&["000"]).unwrap().0, Recipient::Proxy);
    }

    #[test]
    fn what_is_not_one_number_is_refused() {
        for wrong in [
            &[""][..],
            &["-1"],
            &["+1"],
            &["1.0"],
            &["1", "1"],
            &["1, 1"],
            &["x"],
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn other_methods_have_no_limit() {
        let request = Request::get("/").header(MAX_FORWARDS, "0");
        let mut request = request.body(()).unwrap();
        assert_eq!(Recipient::of(&mut request).unwrap(), Recipient::Api);
        assert_eq!(request.headers()[MAX_FORWARDS], "0");
    }
}
