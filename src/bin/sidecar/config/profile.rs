//! `[[profile]]`: the revocation call of another system, on the listener of the gateway.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problem::{Problem, Problems};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    system: System,
    path: String,
    echo_digests: Option<bool>,
    foreign_tokens_as_wso2: Option<bool>,
    success_body: Option<bool>,
    deletes_grant: Option<bool>,
    strict: Option<bool>,
    dangerously_allow_jsonp: Option<bool>,
    tenants: Option<BTreeMap<String, String>>,
}

/// A system whose clients can call.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum System {
    Connect2id,
    Wso2,
    Kustvakt,
    Auth0,
    Cognito,
    CognitoApi,
    Okta,
    Box,
    Pingam,
    Square,
    Github,
    Salesforce,
    Apigee,
    Vault,
}

/// A profile and its switches. A switch of another system is off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    pub(crate) system: System,
    pub(crate) path: String,
    pub(crate) echo_digests: bool,
    pub(crate) foreign_tokens_as_wso2: bool,
    pub(crate) success_body: bool,
    pub(crate) deletes_grant: bool,
    pub(crate) strict: bool,
    pub(crate) dangerously_allow_jsonp: bool,
    /// Names of tenants and their issuers.
    pub(crate) tenants: BTreeMap<String, String>,
}

impl Profile {
    pub(super) fn all(sections: Vec<Section>, found: &mut Problems) -> Vec<Self> {
        let sections = sections.into_iter().enumerate();
        let profiles = sections.map(|(number, section)| Self::new(number, section, found));
        profiles.collect()
    }

    fn new(number: usize, section: Section, found: &mut Problems) -> Self {
        use System::{Auth0, Connect2id, Kustvakt, Salesforce, Wso2};

        let system = section.system;
        let key = |name: &str| format!("profile[{number}].{name}");
        let path = section.path;
        let is_root = path == "/" && system == System::CognitoApi;
        if !is_root && (!path.starts_with('/') || path.ends_with('/') || path.contains(['?', '#']))
        {
            let reason = "expected a path such as \"/oauth2/revoke\", without `/` at its end";
            found.note(Problem::new(key("path"), reason));
        }
        for (name, is_set, systems) in [
            ("echo_digests", section.echo_digests.is_some(), &[Wso2][..]),
            (
                "foreign_tokens_as_wso2",
                section.foreign_tokens_as_wso2.is_some(),
                &[Wso2],
            ),
            ("success_body", section.success_body.is_some(), &[Kustvakt]),
            ("deletes_grant", section.deletes_grant.is_some(), &[Auth0]),
            ("strict", section.strict.is_some(), &[Salesforce]),
            (
                "dangerously_allow_jsonp",
                section.dangerously_allow_jsonp.is_some(),
                &[Salesforce, Wso2],
            ),
            ("tenants", section.tenants.is_some(), &[Connect2id]),
        ] {
            if is_set && !systems.contains(&system) {
                let reason = "it is not a key of this system: remove it";
                found.note(Problem::new(key(name), reason));
            }
        }
        Self {
            system,
            path,
            echo_digests: section.echo_digests.unwrap_or(false),
            foreign_tokens_as_wso2: section.foreign_tokens_as_wso2.unwrap_or(false),
            success_body: section.success_body.unwrap_or(true),
            deletes_grant: section.deletes_grant.unwrap_or(true),
            strict: section.strict.unwrap_or(false),
            dangerously_allow_jsonp: section.dangerously_allow_jsonp.unwrap_or(false),
            tenants: section.tenants.unwrap_or_default(),
        }
    }

    /// Whether its clients do not authenticate, so that no other server could revoke for them.
    pub(crate) fn is_without_clients(&self) -> bool {
        matches!(self.system, System::Salesforce | System::Vault)
    }
}
