//! The cookie that names a session.

use hyper::{
    HeaderMap,
    header::{COOKIE, HeaderValue},
};

use super::id::Id;

/// The name of a cookie. A browser stores a cookie of this prefix only from this very host, over a
/// secure connection, and for all paths, so no other host can set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Cookie(pub(in super::super) &'static str);

impl Cookie {
    /// The session that a request names. `None` also if it names several.
    pub(in super::super) fn read(self, headers: &HeaderMap) -> Option<Id> {
        let fields = headers.get_all(COOKIE).iter();
        let pairs = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.0);
        let (value, None) = (values.next(), values.next()) else {
            return None;
        };
        value.and_then(|(_, value)| Id::parse(value))
    }

    /// The field that sets it, until the browser ends. Scripts cannot read it, and requests that
    /// other sites cause do not have it.
    pub(in super::super) fn set(self, id: &Id) -> HeaderValue {
        self.field(&id.text(), "")
    }

    /// The field that removes it.
    pub(in super::super) fn clear(self) -> HeaderValue {
        self.field("", "; Max-Age=0")
    }

    fn field(self, value: &str, more: &str) -> HeaderValue {
        let name = self.0;
        let field = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{more}");
        HeaderValue::try_from(field).expect("visible ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE_NAME: Cookie = Cookie("__Host-test");

    fn read(fields: &[&str]) -> Option<Id> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_str(field).unwrap());
        }
        COOKIE_NAME.read(&headers)
    }

    #[test]
    fn one_cookie_of_the_name_is_read() {
        let id = Id::random().unwrap();
        let pair = format!("__Host-test={}", id.text());
        assert!(read(&[&pair]) == Some(id.clone()));
        assert!(read(&["a=b; c", &format!("x=y;  {pair}; z=1")]) == Some(id));
        for fields in [
            &[][..],
            &[&*format!("{pair}; {pair}")],
            &[&*pair, &*pair],
            &[&*format!("__host-test={}", &pair[12..])],
            &[&*format!("{pair}x")],
        ] {
            assert!(read(fields).is_none(), "{fields:?}");
        }
    }
}
