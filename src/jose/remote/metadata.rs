//! Reads the `jwks_uri` in the metadata of an issuer.

use hyper::Uri;
use serde_json::Value;

use super::RemoteError;
use crate::{jose::Members, outbound::parse_operator_uri};

/// Returns the URIs where the metadata of this issuer may be: that of `OpenID` Connect Discovery
/// §4.1 first, which is more common, then that of RFC 8414 §3.1.
pub(super) fn well_known(issuer: &str) -> [String; 2] {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let start = issuer.find("://").map_or(0, |scheme| scheme + 3);
    let path = issuer[start..]
        .find('/')
        .map_or(issuer.len(), |path| start + path);
    let (origin, path) = issuer.split_at(path);
    [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// Returns the `jwks_uri`, if the metadata is of exactly this issuer.
pub(super) fn jwks_uri(json: &[u8], issuer: &str, plain_http: bool) -> Result<Uri, RemoteError> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let members = Members::parse(json)
        .map_err(|_| RemoteError::metadata("it is not a strict JSON object"))?;
    let text = |name| members.get(name).and_then(Value::as_str);
    // RFC 8414 §3.3: metadata of another issuer must not be used.
    if text("issuer") != Some(issuer) {
        return Err(RemoteError::metadata("it is of another issuer"));
    }
    let uri = text("jwks_uri").ok_or(RemoteError::metadata("it names no jwks_uri"))?;
    let uri = parse_operator_uri(uri, plain_http).map_err(RemoteError::metadata)?;
    if uri.scheme_str() == Some("http") && !plain_http {
        return Err(RemoteError::metadata("its jwks_uri is not https"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_uris_follow_both_specifications() {
        for (issuer, expected) in [
            (
                "https://as.example.com",
                [
                    "https://as.example.com/.well-known/openid-configuration",
                    "https://as.example.com/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "https://tenant.example.com/",
                [
                    "https://tenant.example.com/.well-known/openid-configuration",
                    "https://tenant.example.com/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "http://localhost:8080/realms/a",
                [
                    "http://localhost:8080/realms/a/.well-known/openid-configuration",
                    "http://localhost:8080/.well-known/oauth-authorization-server/realms/a",
                ],
            ),
        ] {
            assert_eq!(well_known(issuer), expected);
        }
    }

    #[test]
    fn metadata_must_be_of_this_issuer() {
        const ISSUER: &str = "https://as.example.com";
        let read = |json: &str| jwks_uri(json.as_bytes(), ISSUER, false);
        let good = r#"{"issuer":"https://as.example.com","jwks_uri":"https://10.0.0.1/k"}"#;
        assert_eq!(read(good).unwrap(), "https://10.0.0.1/k");
        for bad in [
            "[]",
            "{}",
            &good.replace("com\"", "com/\""),
            &good.replace("as.example", "AS.example"),
            &good.replace("issuer", "iss"),
            &good.replace("jwks_uri", "jwks"),
            &good.replace("https://10", "http://10"),
            &good.replace("https://10.0.0.1", "http://localhost"),
            &good.replace("https://10", "file://10"),
            &good.replace('{', r#"{"issuer":"https://as.example.com","#),
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
