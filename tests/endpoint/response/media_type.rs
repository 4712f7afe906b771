//! The content type, the charset and the content coding of a request.

use hyper::header;

use super::own;
use crate::fixture::World;

#[tokio::test]
async fn media_types_are_parsed_and_compared() {
    let attempt = async |value: &str| {
        let mut request = own("token=RT1");
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, value.parse().unwrap());
        World::new().send(request).await
    };
    let form = "application/x-www-form-urlencoded";
    let good = [
        "APPLICATION/X-WWW-FORM-URLENCODED; CHARSET=\"utf-8\"",
        &format!("{form};"),
        &format!("{form};;; charset=UTF-8 ;"),
        &format!("{form}; boundary=x"),
        &format!("{form}; x=\"a;charset=latin1\""),
        &format!("{form}; x=\"a\\\";charset=latin1\""),
    ];
    for value in good {
        attempt(value).await.assert_ok();
    }
    let bad = [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencoded2",
        "application/x-www-form-urlencoded, application/json",
        "; charset=utf-8",
    ];
    for value in bad {
        let response = attempt(value).await;
        response.assert_error(415, "invalid_request");
        assert_eq!(response.header(header::ACCEPT), Some(form));
    }
    let mut none = own("token=RT1");
    none.headers_mut().remove(header::CONTENT_TYPE);
    World::new()
        .send(none)
        .await
        .assert_error(415, "invalid_request");
    let mut two = own("token=RT1");
    two.headers_mut()
        .append(header::CONTENT_TYPE, form.parse().unwrap());
    World::new().send(two).await.assert_invalid_request();
}

#[tokio::test]
async fn charset_does_not_matter_for_ascii() {
    // The media type does not define this parameter.
    let attempt = async |charset: &str, body: &'static str| {
        let mut request = own(body);
        let form = format!("application/x-www-form-urlencoded; charset={charset}");
        let form = form.parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        World::new().send(request).await
    };
    let utf8 = ["utf-8", "UTF-8", "\"utf-8\"", "utf8", "Utf8", "\"UTF8\""];
    let others = [
        "ISO-8859-1",
        "iso-8859-1",
        "us-ascii",
        "\"US-ASCII\"",
        "windows-1252",
        "latin1",
        "utf-16",
        "utf-8; charset=latin1",
        "latin1; charset=utf-8",
        "",
        "madeup",
    ];
    for charset in utf8.iter().chain(&others) {
        attempt(charset, "token=RT1").await.assert_ok();
        // Escapes of ASCII characters.
        attempt(charset, "token=%52T1&x=%7F%41+").await.assert_ok();
    }
    // An é in UTF-8, raw and escaped.
    for body in ["token=RT1&x=é", "token=RT1&x=%C3%A9"] {
        for charset in utf8 {
            attempt(charset, body).await.assert_ok();
        }
        for charset in others {
            let response = attempt(charset, body).await;
            response.assert_error(415, "invalid_request");
            let form = "application/x-www-form-urlencoded";
            assert_eq!(response.header(header::ACCEPT), Some(form));
        }
    }
    attempt("iso-8859-1", "token=RT1&x=%e9")
        .await
        .assert_error(415, "invalid_request");
    // A broken escape is an error with every charset.
    for body in ["token=RT1&x=%E", "token=RT1&x=%8z", "token=RT1&x=%"] {
        for charset in ["utf-8", "iso-8859-1"] {
            attempt(charset, body).await.assert_invalid_request();
        }
    }
}

#[tokio::test]
async fn only_identity_coding_is_accepted() {
    let attempt = async |value: &str| {
        let mut request = own("token=RT1");
        request
            .headers_mut()
            .insert(header::CONTENT_ENCODING, value.parse().unwrap());
        World::new().send(request).await
    };
    for value in ["identity", "Identity", "identity, identity", ""] {
        attempt(value).await.assert_ok();
    }
    for value in ["gzip", "identity, gzip", "br"] {
        let response = attempt(value).await;
        response.assert_error(415, "invalid_request");
        assert_eq!(response.header(header::ACCEPT_ENCODING), Some("identity"));
    }
}
