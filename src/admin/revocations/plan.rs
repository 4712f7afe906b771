//! What an order needs: the records, and the role.

use tower::{BoxError, Service};

use super::{
    super::{
        Caller, DryRun, RevocationOrder, Role, handle::HandlesOf, inspect::introspected,
        problem::Refusal, service::Shared,
    },
    order::{self, Ordered},
};
use crate::{
    introspect::{Introspected, Introspection, IssuedWith},
    log::RevocationLog,
    revoke::{AdminRequest, Target},
    token::Secret,
};

/// What an order revokes.
pub(super) struct Plan {
    /// At least one.
    pub(super) requests: Vec<AdminRequest>,
    /// The token that the order names.
    pub(super) token: Option<Planned>,
}

/// A token that an order names.
pub(super) struct Planned {
    pub(super) secret: Secret,
    pub(super) subject: Option<String>,
    pub(super) client: String,
    /// What was issued with it. More may be issued until the records are durable.
    pub(super) issued_with: Option<Box<IssuedWith>>,
}

const FOREIGN_HANDLE: Refusal = Refusal::Unprocessable("the handle is not one of the subject");
const UNNAMED: Refusal = Refusal::Unprocessable("no record can name the token alone");

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    /// Finds out what an order revokes. It does not check the role, except that whether a token is
    /// genuine is not for viewers.
    pub(super) async fn plan<I>(
        &self,
        introspect: I,
        caller: &Caller,
        order: &RevocationOrder,
    ) -> Result<Plan, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
    {
        let secret = match order::target(order, &self.tenants)? {
            Ordered::Target(target) => return self.plan_of(order, target, caller),
            Ordered::Handle { subject, handle } => {
                let tenant = self.tenants.tenant(order.issuer.as_ref())?;
                let target = self.opened(tenant.as_deref(), &subject, &handle)?;
                return self.plan_of(order, target, caller);
            }
            Ordered::Token(secret) => secret,
        };
        caller.needs(Role::Operator)?;
        let token = introspected(introspect, secret.clone()).await?;
        let token = token.into_token().ok_or(order::FOREIGN_TOKEN)?;
        let requests = order::of_token(order, &token, &self.tenants, caller)?;
        if requests.is_empty() {
            return Err(UNNAMED);
        }
        let token = Some(Planned::new(secret, &token));
        Ok(Plan { requests, token })
    }

    fn plan_of(
        &self,
        order: &RevocationOrder,
        target: Target,
        caller: &Caller,
    ) -> Result<Plan, Refusal> {
        Ok(Plan {
            requests: vec![order::named(order, target, &self.tenants, caller)?],
            token: None,
        })
    }

    /// What a handle of a subject names.
    fn opened(&self, tenant: Option<&str>, subject: &str, handle: &str) -> Result<Target, Refusal> {
        let handles = self.handles.as_ref();
        let handles = handles.map(|handles| HandlesOf::subject(handles, tenant, subject));
        let selector = handles.and_then(|handles| handles.open(handle));
        selector.map(Target::Selected).ok_or(FOREIGN_HANDLE)
    }

    pub(super) fn dry_run(&self, plan: &Plan, caller: &Caller) -> Result<DryRun, Refusal> {
        order::dry_run(&plan.requests, &self.index, caller).ok_or(UNNAMED)
    }
}

impl Plan {
    /// # Errors
    ///
    /// Fails if the caller has a lower role than the order needs.
    pub(super) fn check_role(&self, caller: &Caller) -> Result<(), Refusal> {
        let mut requests = self.requests.iter();
        requests.try_for_each(|request| caller.needs(order::role(&request.target)))
    }
}

impl Planned {
    fn new(secret: Secret, token: &Introspection) -> Self {
        Self {
            secret,
            subject: token.sub.clone(),
            client: token.client_id.clone(),
            issued_with: token.issued_with.clone(),
        }
    }
}
