//! Who has to be told about an order?

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Notifier,
    delivery::{Deliveries, Delivery},
    notice::KeptNotice,
};
use crate::{
    log::{NumericDate, SelectorClass},
    revoke::{AdminRequest, Target},
};

/// How many issuers are told about one order, so that the entry stays short.
const MAX_TOLD: usize = 64;

impl Notifier {
    /// Who has to be told about a request to these issuers, by which everything until `before` is
    /// revoked. `None` if nobody has to be told: it is for ever.
    pub(crate) fn plan<'a>(
        &self,
        request: &AdminRequest,
        before: NumericDate,
        issuers: impl IntoIterator<Item = &'a str>,
    ) -> Option<Deliveries> {
        let class = request.selector().class();
        if class.is_for_ever() {
            return None;
        }
        let now = NumericDate::now();
        let recipients = self.shared.recipients();
        let (told, untouched): (Vec<_>, Vec<_>) = issuers
            .into_iter()
            // A selector is a digest, and says to nobody else whom it names.
            .partition(|issuer| {
                !matches!(request.target, Target::Selected(_)) && recipients.can_tell(issuer, class)
            });
        let told = told.into_iter();
        Some(Deliveries {
            untouched: !untouched.is_empty() || told.len() > MAX_TOLD,
            notice: notice(&request.target, class, before, now),
            to: told
                .take(MAX_TOLD)
                .map(|issuer| Delivery::new(issuer, now))
                .collect(),
        })
    }
}

fn notice(
    target: &Target,
    class: SelectorClass,
    before: NumericDate,
    now: NumericDate,
) -> KeptNotice {
    let mut notice = KeptNotice {
        id: id(),
        class: class.as_str().to_owned(),
        subject: None,
        client_id: None,
        key: None,
        before: before.seconds(),
        ordered: now.seconds(),
    };
    match target {
        Target::Subject(subject) => notice.subject = Some(subject.clone()),
        Target::Client(client_id) => notice.client_id = Some(client_id.clone()),
        Target::SubjectAndClient { subject, client_id } => {
            notice.subject = Some(subject.clone());
            notice.client_id = Some(client_id.clone());
        }
        Target::Key(thumbprint) => notice.key = Some(URL_SAFE_NO_PAD.encode(thumbprint)),
        Target::Token { .. }
        | Target::OpaqueToken(_)
        | Target::Grant(_)
        | Target::Session(_)
        | Target::Issuer(_)
        | Target::Selected(_) => {}
    }
    notice
}

/// A name that no other notice has, of whatever log.
fn id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}
