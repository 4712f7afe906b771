//! Whose names can an order be about?

use super::problem::Refusal;
#[cfg(feature = "notify")]
use crate::revoke::{AdminRequest, Target};

/// The issuers that orders can be about, and whether the names of each are its own.
///
/// A record about the subject `alice` covers only the tokens of its
/// [tenant](crate::introspect::Claims::tenant). So an order must name the tenant as the introspection
/// does, or it would revoke nothing, or the tokens of another `alice`. An order about an issuer that
/// is not one of these is 422.
///
/// ```
/// use tower_revocation::admin::Tenants;
///
/// let several = Tenants::each_issuer(["https://shop.test", "https://bank.test"]);
/// let one_without_a_tenant = Tenants::none(["https://shop.test"]);
/// ```
#[derive(Clone, Debug)]
pub struct Tenants {
    issuers: Vec<String>,
    /// Whether each issuer is a tenant of that name.
    are_tenants: bool,
}

impl Tenants {
    /// Each of these issuers is a tenant of that name, **byte for byte**, as
    /// [`ByIssuer`](crate::introspect::ByIssuer) sets it.
    ///
    /// An order about a subject, a client, a session, a grant or a `jti` then names the issuer. It
    /// need not if there is only one.
    pub fn each_issuer<N>(issuers: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        Self {
            issuers: issuers.into_iter().map(Into::into).collect(),
            are_tenants: true,
        }
    }

    /// The tokens of these issuers have no tenant: the subject `alice` is the same at each of them.
    ///
    /// An order about a subject, a client, a session or a grant can name the issuer only if there is
    /// one. An order about a `jti` names it if there are several.
    pub fn none<N>(issuers: N) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
    {
        Self {
            issuers: issuers.into_iter().map(Into::into).collect(),
            are_tenants: false,
        }
    }

    /// The issuer that an order names, or the only one.
    pub(super) fn issuer(&self, named: Option<&String>) -> Result<String, Refusal> {
        match (named, &*self.issuers) {
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(UNKNOWN),
            (None, _) => Err(Refusal::BadRequest("the order has to name the issuer")),
            (Some(issuer), known) if known.contains(issuer) => Ok(issuer.clone()),
            (Some(_), _) => Err(UNKNOWN),
        }
    }

    /// The tenant of the names in an order.
    pub(super) fn tenant(&self, named: Option<&String>) -> Result<Option<String>, Refusal> {
        match named {
            _ if self.are_tenants => self.issuer(named).map(Some),
            None => Ok(None),
            Some(issuer) if *self.issuers == [issuer.clone()] => Ok(None),
            Some(issuer) if self.issuers.contains(issuer) => Err(Refusal::Unprocessable(
                "the issuers of this server have their names in common",
            )),
            Some(_) => Err(UNKNOWN),
        }
    }

    /// The issuers that a request is about.
    #[cfg(feature = "notify")]
    pub(super) fn of<'a>(&'a self, request: &'a AdminRequest) -> Vec<&'a str> {
        match (&request.target, &request.tenant) {
            (Target::Issuer(issuer), _) => vec![issuer],
            (Target::Key(_), _) | (_, None) => self.issuers.iter().map(|it| &**it).collect(),
            (_, Some(tenant)) => vec![tenant],
        }
    }

    /// Whether a token of this tenant is one of this server.
    pub(super) fn has(&self, tenant: Option<&String>) -> bool {
        match tenant {
            Some(tenant) => self.are_tenants && self.issuers.contains(tenant),
            None => !self.are_tenants,
        }
    }
}

const UNKNOWN: Refusal = Refusal::Unprocessable("the issuer is not one of this server");
