//! The cookies of the pages, which are nobody else's.

use hyper::{
    HeaderMap,
    header::{COOKIE, HeaderValue},
};

/// What the names of all cookies of the pages begin with.
const NAMES: &[u8] = b"__Host-revocation-";

/// Removes them from a request. The other cookies stay, **byte for byte**.
///
/// A browser sends them to every path and every port of the host, so also to the API, which could use the
/// session of a user.
pub(crate) fn remove(headers: &mut HeaderMap) {
    let mut fields = headers.get_all(COOKIE).iter();
    if !fields.any(|field| pairs(field).any(is_ours)) {
        return;
    }
    let kept: Vec<_> = headers.get_all(COOKIE).iter().filter_map(without).collect();
    headers.remove(COOKIE);
    for field in kept {
        headers.append(COOKIE, field);
    }
}

/// The field without these cookies. `None` if nothing is left.
fn without(field: &HeaderValue) -> Option<HeaderValue> {
    if !pairs(field).any(is_ours) {
        return Some(field.clone());
    }
    let others: Vec<_> = pairs(field).filter(|pair| !is_ours(pair)).collect();
    let others = others.join(&b';');
    let others = others.trim_ascii_start();
    let mut kept = HeaderValue::from_bytes(others).ok()?;
    kept.set_sensitive(field.is_sensitive());
    (!others.is_empty()).then_some(kept)
}

fn pairs(field: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    field.as_bytes().split(|byte| *byte == b';')
}

fn is_ours(pair: &[u8]) -> bool {
    pair.trim_ascii_start().starts_with(NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(fields: &[&'static str]) -> Vec<HeaderValue> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_static(field));
        }
        remove(&mut headers);
        headers.get_all(COOKIE).iter().cloned().collect()
    }

    #[test]
    fn only_the_cookies_of_the_pages_are_removed() {
        let user = "__Host-revocation-user=x";
        let form = "__Host-revocation-user-form=y; __Host-revocation-operator=z";
        assert!(left(&[user, form]).is_empty());
        assert_eq!(left(&["a=1;b=\"2\" ;  c", user]), ["a=1;b=\"2\" ;  c"]);
        assert_eq!(left(&["a=1; __Host-revocation-user=x;b=2;"]), ["a=1;b=2;"]);
        assert_eq!(left(&["__Host-revocation-user=x; b= 2"]), ["b= 2"]);
        let others = [
            "x=__Host-revocation-user=x",
            "__host-revocation-user=x",
            ";;",
        ];
        assert_eq!(left(&others), others);
    }
}
