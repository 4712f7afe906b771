//! Webhooks, verified by the library of Standard Webhooks.

use standardwebhooks::Webhook as Verifier;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    log::SelectorClass,
    notify::{Notice, Webhook},
};

use super::receiver::{Receiver, status};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

#[tokio::test]
async fn receiver_with_one_of_the_keys_accepts_the_notice_as_it_was_sent() {
    let server = Receiver::start(|_| status(204)).await;
    let webhook = Webhook::new(&server.url, &[OLD, NEW].map(Secret::new)).unwrap();
    let mut notice = Notice::new("a1", SelectorClass::Subject, "https://id.test");
    notice.subject = Some("alice \u{e9} \"quoted\"".to_owned());
    webhook.oneshot(notice).await.unwrap();

    let received = &server.received()[0];
    let verify = |key, body: &[u8]| {
        let verifier = Verifier::new(key).unwrap();
        verifier.verify(body, &received.headers)
    };
    verify(OLD, &received.body).unwrap();
    verify(NEW, &received.body).unwrap();
    verify(OTHER, &received.body).unwrap_err();
    let mut changed = received.body.to_vec();
    changed[10] ^= 1;
    verify(NEW, &changed).unwrap_err();
}
