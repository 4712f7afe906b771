//! Signed notices to a receiver.

use std::time::Duration;

use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    log::{NumericDate, SelectorClass},
    notify::{Notice, NotifyError, NotifyErrorKind, Webhook},
};

use super::receiver::{Received, Receiver, status};

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

async fn receiver() -> Receiver {
    Receiver::start(|_| status(202)).await
}

fn of(server: &Receiver) -> Webhook {
    let uri = format!("{}/hook", server.url);
    Webhook::new(&uri, &[Secret::new(KEY)]).unwrap()
}

fn notice() -> Notice {
    let mut notice = Notice::new("a1", SelectorClass::SubjectAndClient, "https://id.test");
    notice.subject = Some("alice".to_owned());
    notice.client_id = Some("shop".to_owned());
    notice.ordered = NumericDate::new(1_300_819_380);
    notice.before = NumericDate::new(1_300_819_379);
    notice
}

fn field<'a>(received: &'a Received, name: &str) -> &'a str {
    received.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn receiver_gets_the_order() {
    let server = receiver().await;
    of(&server).oneshot(notice()).await.unwrap();
    let received = &server.received()[0];
    assert_eq!(
        (&*received.path, received.method.as_str()),
        ("/hook", "POST")
    );
    assert_eq!(field(received, "content-type"), "application/json");
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    let expected = json!({
        "type": "revocation.ordered",
        "timestamp": "2011-03-22T18:43:00Z",
        "data": {
            "class": "subject_and_client",
            "issuer": "https://id.test",
            "subject": "alice",
            "client_id": "shop",
            "before": 1_300_819_379,
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn each_attempt_has_the_same_id_and_body() {
    let server = receiver().await;
    server.next(status(500));
    let webhook = of(&server);
    assert!(webhook.clone().oneshot(notice()).await.is_err());
    webhook.oneshot(notice()).await.unwrap();
    let received = server.requests("/hook", 2).await;
    let [first, second] = &received[..] else {
        panic!("{received:?}");
    };
    assert_eq!(field(first, "webhook-id"), "msg_a1");
    assert_eq!(field(second, "webhook-id"), "msg_a1");
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn only_success_is_success_and_gone_is_final() {
    let server = receiver().await;
    let webhook = of(&server);
    let tell = async |answer| {
        server.next(answer);
        webhook
            .clone()
            .oneshot(notice())
            .await
            .map_err(|error: NotifyError| error.kind())
    };
    for code in [200, 201, 202, 204] {
        assert_eq!(tell(status(code)).await, Ok(()));
    }
    for code in [301, 307, 400, 404, 429, 500, 503] {
        let kind = tell(status(code)).await.unwrap_err();
        assert!(
            matches!(kind, NotifyErrorKind::Status(it) if it == code),
            "{kind:?}"
        );
        assert!(!kind.is_final());
    }
    for code in [401, 403] {
        assert_eq!(tell(status(code)).await, Err(NotifyErrorKind::Unauthorized));
    }
    let gone = tell(status(410)).await.unwrap_err();
    assert!(gone.is_final());
    server.stall(true);
    let slow = webhook.timeout(Duration::from_millis(50));
    let error = slow.oneshot(notice()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::TimedOut);
}
