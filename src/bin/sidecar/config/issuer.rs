//! `[[issuer]]`: whose tokens are accepted, and what they look like.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    on_revoke::{self, OnRevoke},
    problem::{Problem, Problems},
    url,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    url: Option<String>,
    dialect: Option<Dialect>,
    audience: Option<Audience>,
    jwks: Option<String>,
    jwks_file: Option<PathBuf>,
    discovery: Option<bool>,
    insecure: Option<bool>,
    introspection: Option<IntrospectionSection>,
    grant_claim: Option<String>,
    ancestors_claim: Option<String>,
    on_revoke: Option<on_revoke::Section>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntrospectionSection {
    url: Option<String>,
    client_id: Option<String>,
    secret_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    method: Option<Method>,
    knows_all_tokens: Option<bool>,
}

/// How an issuer writes its access tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dialect {
    #[default]
    Rfc9068,
    Keycloak,
    Auth0,
    Cognito,
    Okta,
    Wso2,
    Entra,
    /// They are not JWTs: only the introspection endpoint knows them.
    Opaque,
}

/// How this process authenticates at the introspection endpoint.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    #[default]
    Basic,
    Post,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Issuer {
    /// Its identifier (`iss`), byte for byte.
    pub(crate) url: String,
    pub(crate) dialect: Dialect,
    /// A token must be for one of them.
    pub(crate) audience: Vec<String>,
    pub(crate) keys: IssuerKeys,
    /// Whether it may be asked by `http` on another machine.
    pub(crate) insecure: bool,
    pub(crate) introspection: Option<Introspection>,
    /// The claim with the grant of a token, if it is not that of the dialect.
    pub(crate) grant_claim: Option<String>,
    /// The claim with the grants of the tokens that a token descends from.
    pub(crate) ancestors_claim: Option<String>,
    /// Who ends its refresh tokens.
    pub(crate) on_revoke: Option<OnRevoke>,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum IssuerKeys {
    /// At the URI in its metadata.
    Discovered,
    At(String),
    File(PathBuf),
    /// Its tokens are opaque.
    None,
}

/// An introspection endpoint (RFC 7662).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Introspection {
    pub(crate) url: String,
    pub(crate) client_id: Option<String>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) method: Method,
    /// Whether it also knows refresh tokens, so that a token that it does not know is none.
    pub(crate) knows_all_tokens: bool,
}

/// The issuers that are right. Each has an identifier of its own.
pub(super) fn all(sections: Vec<Section>, found: &mut Problems) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for (number, section) in sections.into_iter().enumerate() {
        let key = |part| format!("issuer[{number}].{part}");
        let Some(issuer) = Issuer::new(&format!("issuer[{number}]"), section, found) else {
            continue;
        };
        if issuers.iter().any(|other| other.url == issuer.url) {
            let reason = "another issuer has this identifier too";
            found.note(Problem::new(key("url"), reason));
        }
        let is_opaque = |issuer: &Issuer| issuer.dialect == Dialect::Opaque;
        if is_opaque(&issuer) && issuers.iter().any(is_opaque) {
            found.note(Problem::new(
                key("dialect"),
                "only one issuer can have opaque tokens: they do not say whose they are",
            ));
        }
        issuers.push(issuer);
    }
    issuers
}

impl Issuer {
    /// `None` if something is wrong.
    fn new(at: &str, section: Section, found: &mut Problems) -> Option<Self> {
        let key = |part: &str| format!("{at}.{part}");
        let insecure = section.insecure.unwrap_or(false);
        let url = match section.url {
            Some(url) => check(&key("url"), &url, insecure).map(|()| url),
            None => Err(Problem::missing(key("url"), "\"https://id.example.com\"")),
        };
        let url = found.or_note(url);
        let audience = match section.audience {
            Some(Audience::One(audience)) => vec![audience],
            Some(Audience::Several(audiences)) => audiences,
            None => Vec::new(),
        };
        if audience.is_empty() || audience.iter().any(String::is_empty) {
            found.note(Problem::missing(
                key("audience"),
                "\"https://api.example.com\": without it, tokens for other APIs would be accepted",
            ));
        }
        let dialect = section.dialect.unwrap_or_default();
        let places = (section.discovery, section.jwks, section.jwks_file);
        let keys = match places {
            (None | Some(false), None, None) if dialect == Dialect::Opaque => Ok(IssuerKeys::None),
            _ if dialect == Dialect::Opaque => {
                let reason =
                    "opaque tokens have no keys: remove `jwks`, `jwks_file` and `discovery`";
                Err(Problem::new(key("dialect"), reason))
            }
            (None | Some(true), None, None) => Ok(IssuerKeys::Discovered),
            (None | Some(false), Some(uri), None) => {
                check(&key("jwks"), &uri, insecure).map(|()| IssuerKeys::At(uri))
            }
            (None | Some(false), None, Some(file)) => Ok(IssuerKeys::File(file)),
            (Some(false), None, None) => {
                let reason = "without discovery, set `jwks` to a URL or `jwks_file` to a file";
                Err(Problem::new(key("discovery"), reason))
            }
            _ => Err(Problem::new(
                at,
                "`discovery`, `jwks` and `jwks_file` exclude each other",
            )),
        };
        let keys = found.or_note(keys);
        if dialect == Dialect::Opaque && section.introspection.is_none() {
            found.note(Problem::missing(
                key("introspection"),
                "{ url = \"https://id.example.com/introspect\", client_id = \"sidecar\", \
                 secret_file = \"/run/secrets/introspection\" }: nobody else knows opaque tokens",
            ));
        }
        let claims = [
            ("grant_claim", &section.grant_claim),
            ("ancestors_claim", &section.ancestors_claim),
        ];
        for (name, claim) in claims {
            match claim {
                Some(_) if dialect == Dialect::Opaque => {
                    let reason = "opaque tokens have no claims: remove it";
                    found.note(Problem::new(key(name), reason));
                }
                Some(claim) if claim.is_empty() => {
                    found.note(Problem::new(key(name), "expected the name of a claim"));
                }
                _ => {}
            }
        }
        let introspection = section.introspection.and_then(|section| {
            let endpoint = Introspection::new(&key("introspection"), section, insecure);
            found.or_note(endpoint)
        });
        let on_revoke = section.on_revoke.and_then(|section| {
            let told = OnRevoke::new(&key("on_revoke"), section, url.as_deref(), insecure);
            found.or_note(told)
        });
        Some(Self {
            url: url?,
            dialect,
            audience,
            keys: keys?,
            insecure,
            introspection,
            grant_claim: section.grant_claim,
            ancestors_claim: section.ancestors_claim,
            on_revoke,
        })
    }
}

impl Introspection {
    fn new(at: &str, section: IntrospectionSection, insecure: bool) -> Result<Self, Problem> {
        let key = |part: &str| format!("{at}.{part}");
        let Some(url) = section.url else {
            let example = "\"https://id.example.com/oauth2/introspect\"";
            return Err(Problem::missing(key("url"), example));
        };
        check(&key("url"), &url, insecure)?;
        match (
            &section.client_id,
            &section.secret_file,
            &section.token_file,
        ) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => {}
            _ => {
                return Err(Problem::new(
                    at,
                    "set `client_id` and `secret_file`, or `token_file`: this process must \
                     authenticate there",
                ));
            }
        }
        Ok(Self {
            url,
            client_id: section.client_id,
            secret_file: section.secret_file,
            token_file: section.token_file,
            method: section.method.unwrap_or_default(),
            knows_all_tokens: section.knows_all_tokens.unwrap_or(false),
        })
    }
}

pub(super) fn check(key: &str, text: &str, insecure: bool) -> Result<(), Problem> {
    let uri = url::parse(key, text, &["https", "http"])?;
    if uri.scheme_str() == Some("http") && !insecure && !url::is_this_machine(&uri) {
        return Err(Problem::new(key, url::PLAIN));
    }
    Ok(())
}
