//! What an issuer is told.

use serde::{Deserialize, Serialize};

use crate::log::{NumericDate, SelectorClass};

/// An order, as an issuer is told about it.
///
/// ```
/// use tower_revocation::{log::{NumericDate, SelectorClass}, notify::Notice};
///
/// let mut notice = Notice::new("5c0e", SelectorClass::Subject, "https://id.example.com");
/// notice.subject = Some("alice".into());
/// notice.before = NumericDate::now();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// Identifies the notice: letters, digits, `-` and `_`. Every attempt has the same one, so a
    /// receiver can recognise a repetition.
    pub id: String,
    /// What was ordered.
    pub class: SelectorClass,
    /// The issuer that is told.
    pub issuer: String,
    /// The subject (`sub`), if the order names one.
    pub subject: Option<String>,
    /// The client, if the order names one.
    pub client_id: Option<String>,
    /// The key, by its SHA-256 thumbprint in base64url (`jkt`, `x5t#S256`), if the order names one.
    pub key: Option<String>,
    /// What was issued until the end of this second is revoked.
    pub before: NumericDate,
    /// When the order was given.
    pub ordered: NumericDate,
}

/// An order without the issuer, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptNotice {
    pub(crate) id: String,
    pub(crate) class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) before: u64,
    pub(crate) ordered: u64,
}

impl Notice {
    /// Makes a notice that names nobody, about what was issued until now.
    #[must_use]
    pub fn new(id: impl Into<String>, class: SelectorClass, issuer: impl Into<String>) -> Self {
        let now = NumericDate::now();
        Self {
            id: id.into(),
            class,
            issuer: issuer.into(),
            subject: None,
            client_id: None,
            key: None,
            before: now,
            ordered: now,
        }
    }
}

impl KeptNotice {
    /// The notice for one of the issuers that are told. `None` if the class is unknown, such as that
    /// of a later version.
    pub(crate) fn to(&self, issuer: &str, number: usize) -> Option<Notice> {
        let named = |class: &&SelectorClass| class.as_str() == self.class;
        let class = SelectorClass::ALL.iter().find(named)?;
        Some(Notice {
            // Two issuers can have one receiver, and are told different things.
            id: match number {
                0 => self.id.clone(),
                _ => format!("{}_{number}", self.id),
            },
            class: *class,
            issuer: issuer.to_owned(),
            subject: self.subject.clone(),
            client_id: self.client_id.clone(),
            key: self.key.clone(),
            before: NumericDate::new(self.before),
            ordered: NumericDate::new(self.ordered),
        })
    }
}
