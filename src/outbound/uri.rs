//! Which URIs are acceptable, from an operator or from a client?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

use super::address::is_public;

/// Limits the length of a URI, in bytes.
const MAX_URI: usize = 2048;

/// Parses a URI from a client and checks its host, if that is an IP address. The
/// [resolver](super::resolver) checks the addresses of a name.
pub(crate) fn check_client_uri(text: &str, allow_private: bool) -> Result<Uri, &'static str> {
    let (uri, address) = parse_client_uri(text)?;
    match address {
        // The connector does not pass IP addresses to the resolver.
        Some(address) if !allow_private && !is_public(address) => Err("the address is not public"),
        _ => Ok(uri),
    }
}

/// Parses a URI from a client: `https`, or `http` on this machine. Returns the host too if it is an
/// IP address, which is **not checked yet**.
pub(crate) fn parse_client_uri(text: &str) -> Result<(Uri, Option<IpAddr>), &'static str> {
    let (uri, address) = unambiguous_uri(text)?;
    match uri.scheme_str() {
        Some("https") => Ok((uri, address)),
        Some("http") if is_loopback(&uri, address) => Ok((uri, address)),
        _ => Err("the URI is not https"),
    }
}

/// Parses a URI from the operator: `https`, or `http` if the host is this machine or if
/// `allow_http` is set. The address may be private.
pub(crate) fn parse_operator_uri(text: &str, allow_http: bool) -> Result<Uri, &'static str> {
    let (uri, address) = unambiguous_uri(text)?;
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if allow_http || is_loopback(&uri, address) => Ok(uri),
        _ => Err("the URI is not https"),
    }
}

/// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
fn is_loopback(uri: &Uri, address: Option<IpAddr>) -> bool {
    match address {
        Some(address) => address.is_loopback(),
        None => uri
            .host()
            .is_some_and(|host| host.eq_ignore_ascii_case("localhost")),
    }
}

/// Parses a URI of any scheme that all parsers read alike. Returns the host too if it is an IP
/// address.
fn unambiguous_uri(text: &str) -> Result<(Uri, Option<IpAddr>), &'static str> {
    if text.len() > MAX_URI {
        return Err("the URI is too long");
    }
    // The parser drops a fragment silently.
    if text.contains('#') {
        return Err("the URI has a fragment");
    }
    let uri: Uri = text.parse().map_err(|_| "the URI is malformed")?;
    let authority = uri.authority().ok_or("the URI has no host")?;
    if authority.as_str().contains('@') {
        return Err("the URI has userinfo");
    }
    let address = ip_address(authority.host())?;
    Ok((uri, address))
}

/// Returns the host if it is an IP address, and `None` if it is a name.
///
/// Other forms of IPv4 addresses (`2130706433`, `0x7f.1`, `127.1`) are errors. Resolvers accept
/// them as addresses, so they would bypass the check, and no URI needs them.
fn ip_address(host: &str) -> Result<Option<IpAddr>, &'static str> {
    if host.is_empty() {
        return Err("the URI has no host");
    }
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse().ok());
        let address: Ipv6Addr = address.ok_or("the host is not an IP address")?;
        return Ok(Some(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Some(address.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let numeric = match hex {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => last.bytes().all(|digit| digit.is_ascii_digit()),
    };
    if numeric {
        return Err("the host is a number");
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unacceptable_uris_are_refused() {
        for uri in [
            "",
            "/jwks.json",
            "keys.example",
            "http://keys.example/",
            "HTTP://keys.example/",
            "ftp://keys.example/",
            "file:///etc/passwd",
            "https:keys.example",
            "https:///jwks",
            "https://user@keys.example/",
            "https://user:pass@keys.example/",
            "https://1.1.1.1@keys.example/",
            "https://keys.example/#k1",
            "https://keys.example#",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]:8443/",
            "https://[fe80::1]/",
            "https://[fe80::1%25eth0]/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0X7F000001/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://017700000001/",
            "https://0177.0.0.01/",
            "https://127.0.0.1./",
            "https://keys.example\\@1.1.1.1/",
            "https://keys .example/",
            " https://keys.example/",
            "https://keys.example/\r\nx: y",
            "https://:443/",
            "https://0x/",
        ] {
            assert!(check_client_uri(uri, false).is_err(), "{uri:?}");
        }
        assert!(
            check_client_uri(&format!("https://keys.example/{}", "a".repeat(2048)), false).is_err()
        );
    }

    #[test]
    fn names_and_public_addresses_are_accepted() {
        for uri in [
            "https://keys.example/jwks.json?tenant=1",
            "HTTPS://KEYS.EXAMPLE:8443",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]:443/",
            "https://4u.example/",
            "https://1.2.3.com/",
            "https://keys.example./",
        ] {
            assert!(check_client_uri(uri, false).is_ok(), "{uri:?}");
        }
        assert!(check_client_uri("https://127.0.0.1/", true).is_ok());
        // Refused even if private addresses are allowed.
        assert!(check_client_uri("https://2130706433/", true).is_err());
    }
}
