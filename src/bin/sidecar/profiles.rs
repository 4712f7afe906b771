//! The revocation calls of other systems.

use std::convert::Infallible;

use hyper::StatusCode;
use hyper_util::rt::TokioTimer;
use tower::{Layer as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    enforce::Index,
    profiles::{
        Apigee, Auth0, BoxPlatform, Cognito, CognitoApi, Connect2id, GitHub, Kustvakt, Okta,
        PingAm, Profile as Call, ProfileLayer, Salesforce, Square, Vault, Wso2,
    },
};

use crate::{
    config::{Profile, Switch, System},
    gateway::{Inner, erased},
    respond::empty,
    revocation::Endpoint,
    tokens::Introspect,
};

/// What profiles need.
pub(crate) struct Around {
    pub(crate) index: Index,
    /// Of every client.
    pub(crate) endpoint: Endpoint,
    /// Of whoever has a token. `None` if another server has the last word.
    pub(crate) by_possession: Option<Endpoint>,
    pub(crate) introspect: Introspect,
    /// Everything else.
    pub(crate) api: Option<Inner>,
}

impl Around {
    /// The services of these profiles, each for its path and everything below. The longest path comes
    /// first, so that none is hidden by one above it.
    pub(crate) fn services(&self, profiles: &[Profile]) -> Vec<(String, Inner)> {
        let of = |profile: &Profile| Some((profile.path.clone(), self.service(profile)?));
        let mut services: Vec<_> = profiles.iter().filter_map(of).collect();
        services.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        services
    }

    /// `None` if it needs what there is not, which the configuration has refused.
    fn service(&self, profile: &Profile) -> Option<Inner> {
        let endpoint = || self.endpoint.clone();
        let path = &*profile.path;
        Some(match profile.system {
            System::Connect2id => {
                let tenants = profile.tenants.iter();
                let tenants = tenants.fold(Connect2id::new(), |all, (id, issuer)| {
                    all.tenant(id, issuer)
                });
                self.mount(path, tenants, endpoint())
            }
            System::Wso2 => {
                let wso2 = Wso2::new()
                    .echo_digests(profile.has(Switch::EchoDigests))
                    .foreign_tokens_as_wso2(profile.has(Switch::ForeignTokensAsWso2))
                    .dangerously_allow_jsonp(profile.has(Switch::Jsonp));
                self.mount(path, wso2, endpoint())
            }
            System::Kustvakt => {
                let kustvakt = Kustvakt::new().success_body(!profile.has(Switch::NoSuccessBody));
                self.mount(path, kustvakt, endpoint())
            }
            System::Auth0 => {
                let auth0 = Auth0::new().deletes_grant(!profile.has(Switch::KeepGrant));
                self.mount(path, auth0, endpoint())
            }
            System::Cognito => self.mount(path, Cognito, endpoint()),
            System::CognitoApi => self.mount(path, CognitoApi, endpoint()),
            System::Okta => self.mount(path, Okta, endpoint()),
            System::Box => self.mount(path, BoxPlatform, endpoint()),
            System::Pingam => self.mount(path, PingAm, endpoint()),
            System::Github => self.mount(path, GitHub, endpoint()),
            System::Square => self.mount(path, Square, endpoint()),
            System::Apigee => self.mount(path, Apigee, endpoint()),
            System::Salesforce => {
                let salesforce = Salesforce::new()
                    .strict(profile.has(Switch::Strict))
                    .dangerously_allow_jsonp(profile.has(Switch::Jsonp));
                self.mount(path, salesforce, self.by_possession.clone()?)
            }
            System::Vault => {
                let vault = Vault::new(self.introspect.clone(), self.index.clone());
                self.mount(path, vault, self.by_possession.clone()?)
            }
        })
    }

    fn mount<P: Call>(&self, path: &str, profile: P, endpoint: Endpoint) -> Inner {
        let layer = ProfileLayer::new(path, profile, endpoint).timer(TokioTimer::new());
        if let Some(api) = &self.api {
            return erased(layer.layer(api.clone()));
        }
        let nothing = service_fn(async |_| Ok::<_, Infallible>(empty(StatusCode::NOT_FOUND)));
        erased(layer.layer(BoxCloneSyncService::new(nothing)))
    }
}
