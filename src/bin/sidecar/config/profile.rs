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

/// What is different from the default of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    EchoDigests,
    ForeignTokensAsWso2,
    NoSuccessBody,
    KeepGrant,
    Strict,
    Jsonp,
}

/// A profile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    pub(crate) system: System,
    pub(crate) path: String,
    switches: Vec<Switch>,
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
        let mut switches = Vec::new();
        // The default of each, and what the other value means.
        for (name, value, default, switch, systems) in [
            (
                "echo_digests",
                section.echo_digests,
                false,
                Switch::EchoDigests,
                &[Wso2][..],
            ),
            (
                "foreign_tokens_as_wso2",
                section.foreign_tokens_as_wso2,
                false,
                Switch::ForeignTokensAsWso2,
                &[Wso2],
            ),
            (
                "success_body",
                section.success_body,
                true,
                Switch::NoSuccessBody,
                &[Kustvakt],
            ),
            (
                "deletes_grant",
                section.deletes_grant,
                true,
                Switch::KeepGrant,
                &[Auth0],
            ),
            (
                "strict",
                section.strict,
                false,
                Switch::Strict,
                &[Salesforce],
            ),
            (
                "dangerously_allow_jsonp",
                section.dangerously_allow_jsonp,
                false,
                Switch::Jsonp,
                &[Salesforce, Wso2],
            ),
        ] {
            match value {
                Some(_) if !systems.contains(&system) => found.note(of_another(&key(name))),
                Some(value) if value != default => switches.push(switch),
                _ => {}
            }
        }
        if section.tenants.is_some() && system != Connect2id {
            found.note(of_another(&key("tenants")));
        }
        Self {
            system,
            path,
            switches,
            tenants: section.tenants.unwrap_or_default(),
        }
    }

    pub(crate) fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    /// Whether its clients do not authenticate, so that no other server could revoke for them.
    pub(crate) fn is_without_clients(&self) -> bool {
        matches!(self.system, System::Salesforce | System::Vault)
    }
}

fn of_another(key: &str) -> Problem {
    Problem::new(key, "it is not a key of this system: remove it")
}
