//! What an order is about: names, or a token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::{
    Caller, DryRun, OrderTarget, Receipt, RevocationOrder, Role, Tenants, problem::Refusal,
};
use crate::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector, SelectorClass},
    revoke::{AdminRequest, AdminResponse, Target},
};

/// A longer name is none. A longer reason is a document of its own.
const MAX_NAME: usize = 4096;
pub(super) const FOREIGN_TOKEN: Refusal =
    Refusal::Unprocessable("the token is not one of this server");

/// What an order revokes: names, or a token that has to be introspected first.
pub(super) enum Ordered {
    Target(Target),
    Token(crate::Secret),
    Handle { subject: String, handle: String },
}

/// Reads the one target of an order.
pub(super) fn target(order: &RevocationOrder, tenants: &Tenants) -> Result<Ordered, Refusal> {
    let OrderTarget {
        subject,
        client,
        session,
        grant,
        jti,
        token,
        key,
        issuer,
        handle,
    } = order.target.clone();
    let names = [
        &subject, &client, &session, &grant, &jti, &key, &issuer, &handle,
    ];
    let names = names.into_iter().chain([&order.issuer]).flatten();
    let is_name = |name: &String| !name.is_empty() && name.len() <= MAX_NAME;
    if !names.into_iter().all(is_name) {
        return Err(Refusal::BadRequest("a name is empty or too long"));
    }
    if order.reason.as_ref().is_some_and(|it| it.len() > MAX_NAME) {
        return Err(Refusal::BadRequest("the reason is longer than 4096 bytes"));
    }
    let is_whole = session.is_some() || grant.is_some() || jti.is_some() || token.is_some();
    let is_whole = is_whole || handle.is_some();
    if is_whole && order.before.is_some() {
        return Err(Refusal::BadRequest(
            "a token, a grant or a session is revoked as a whole, without before",
        ));
    }
    if let Some(handle) = handle {
        let others = [&client, &session, &grant, &jti, &key, &issuer];
        return match subject {
            Some(subject) if token.is_none() && others.into_iter().all(Option::is_none) => {
                Ok(Ordered::Handle { subject, handle })
            }
            _ => Err(Refusal::BadRequest(
                "a handle is one of a subject: name both, and nothing else",
            )),
        };
    }
    let by = order.issuer.as_ref();
    Ok(Ordered::Target(
        match (subject, client, session, grant, jti, token, key, issuer) {
            (Some(subject), None, None, None, None, None, None, None) => Target::Subject(subject),
            (None, Some(client), None, None, None, None, None, None) => Target::Client(client),
            (Some(subject), Some(client_id), None, None, None, None, None, None) => {
                Target::SubjectAndClient { subject, client_id }
            }
            (None, None, Some(session), None, None, None, None, None) => Target::Session(session),
            (None, None, None, Some(grant), None, None, None, None) => Target::Grant(grant),
            (None, None, None, None, Some(jti), None, None, None) => Target::Token {
                issuer: tenants.issuer(by)?,
                jti,
            },
            (None, None, None, None, None, Some(token), None, None) => {
                return Ok(Ordered::Token(token));
            }
            (None, None, None, None, None, None, Some(key), None) if by.is_none() => {
                Target::Key(thumbprint(&key)?)
            }
            (None, None, None, None, None, None, Some(_), None) => {
                return Err(Refusal::BadRequest("a key is the same at every issuer"));
            }
            (None, None, None, None, None, None, None, Some(issuer)) => {
                if by.is_some_and(|by| *by != issuer) {
                    return Err(Refusal::BadRequest("the order names two issuers"));
                }
                Target::Issuer(tenants.issuer(Some(&issuer))?)
            }
            _ => {
                return Err(Refusal::BadRequest(
                    "an order has one target, or a subject and a client",
                ));
            }
        },
    ))
}

fn thumbprint(text: &str) -> Result<[u8; 32], Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let thumbprint = bytes.and_then(|bytes| bytes.try_into().ok());
    thumbprint.ok_or(Refusal::BadRequest(
        "a key is a SHA-256 thumbprint in base64url",
    ))
}

/// The role that an order needs.
pub(super) fn role(target: &Target) -> Role {
    match target {
        Target::Token { .. }
        | Target::OpaqueToken(_)
        | Target::Grant(_)
        | Target::Session(_)
        | Target::Subject(_)
        | Target::SubjectAndClient { .. }
        | Target::Key(_) => Role::Operator,
        Target::Client(_) | Target::Issuer(_) => Role::Security,
        Target::Selected(selector) => match selector.class() {
            SelectorClass::Client | SelectorClass::Issuer => Role::Security,
            _ => Role::Operator,
        },
    }
}

/// The request for a target that the order names.
pub(super) fn named(
    order: &RevocationOrder,
    target: Target,
    tenants: &Tenants,
    caller: &Caller,
) -> Result<AdminRequest, Refusal> {
    let has_tenant = matches!(
        target,
        Target::Grant(_)
            | Target::Session(_)
            | Target::Subject(_)
            | Target::Client(_)
            | Target::SubjectAndClient { .. }
    );
    let tenant = if has_tenant {
        tenants.tenant(order.issuer.as_ref())?
    } else {
        None
    };
    let mut request = request(order, target, caller);
    request.tenant = tenant;
    Ok(request)
}

/// The requests that revoke a token, and what falls with it.
pub(super) fn of_token(
    order: &RevocationOrder,
    token: &Introspection,
    tenants: &Tenants,
    caller: &Caller,
) -> Result<Vec<AdminRequest>, Refusal> {
    let is_named = match &order.issuer {
        Some(named) => {
            let named = tenants.issuer(Some(named))?;
            let of: Vec<_> = [&token.iss, &token.tenant].into_iter().flatten().collect();
            // A token that names no issuer is one of the only issuer.
            let is_known = !of.is_empty() || tenants.issuer(None).is_ok();
            is_known && of.into_iter().all(|issuer| *issuer == named)
        }
        None => true,
    };
    if !is_named || !tenants.has(token.tenant.as_ref()) {
        return Err(FOREIGN_TOKEN);
    }
    let of = |target| {
        let mut request = request(order, target, caller);
        request.tenant.clone_from(&token.tenant);
        request
    };
    Ok(targets_of(token)?.into_iter().map(of).collect())
}

/// What has to be revoked so that a token and what falls with it are revoked.
pub(in crate::admin) fn targets_of(token: &Introspection) -> Result<Vec<Target>, Refusal> {
    let is_refresh_token = token.kind == TokenKind::RefreshToken;
    let family = match (&token.grant, &token.sid) {
        (Some(grant), _) if is_refresh_token => Some(Target::Grant(grant.clone())),
        (None, Some(sid)) if is_refresh_token => Some(Target::Session(sid.clone())),
        _ => Target::of_token(token),
    };
    let mut targets: Vec<Target> = family.into_iter().collect();
    if let Some(with) = token.issued_with.as_ref().filter(|_| is_refresh_token) {
        targets.extend(with.tokens.iter().map(|(selector, _)| {
            let [_, digest @ ..] = selector.to_bytes();
            Target::OpaqueToken(digest)
        }));
        if let (Some(_), Some(subject)) = (with.unnamed_until, &token.sub) {
            // An order reaches until now. The clock of the issuer may be ahead of ours.
            let now = NumericDate::now();
            if let Some(latest) = with.latest_iat.filter(|latest| *latest > now) {
                let ahead = latest.seconds().saturating_sub(now.seconds());
                return Err(Refusal::Unavailable(ahead));
            }
            targets.push(Target::SubjectAndClient {
                subject: subject.clone(),
                client_id: token.client_id.clone(),
            });
        }
    }
    Ok(targets)
}

fn request(order: &RevocationOrder, target: Target, caller: &Caller) -> AdminRequest {
    let mut request = AdminRequest::new(target).actor(caller.name());
    request.reason.clone_from(&order.reason);
    request.before = order.before.map(NumericDate::new);
    request
}

/// What the caller is told about the record of a class.
pub(super) fn receipt(class: SelectorClass, response: &AdminResponse) -> Receipt {
    let known = |date: NumericDate| (date < NumericDate::FOREVER).then(|| date.seconds());
    Receipt {
        id: None,
        class: class.as_str().to_owned(),
        epoch: response.position.epoch,
        sequence: response.position.sequence,
        not_before: known(response.not_before),
        expires: known(response.expires),
        refresh_tokens: (!class.is_for_ever()).then(|| "untouched".to_owned()),
    }
}

/// What the requests would do.
pub(super) fn dry_run(requests: &[AdminRequest], index: &Index, caller: &Caller) -> Option<DryRun> {
    let now = NumericDate::now();
    let first = requests.first()?;
    let class = first.selector().class();
    let covers = |request: &AdminRequest| {
        let until = request.before.map_or(now, |before| before.min(now));
        let issued = if is_permanent(&request.selector()) {
            NumericDate::new(u64::MAX - 1)
        } else {
            until
        };
        index.covers_selector(&request.selector(), Some(issued))
    };
    Some(DryRun {
        class: class.as_str().to_owned(),
        allowed: requests.iter().all(|it| caller.role() >= role(&it.target)),
        already_revoked: requests.iter().all(covers),
        permanent: is_permanent(&first.selector()),
        sightings: None,
    })
}

fn is_permanent(selector: &Selector) -> bool {
    selector.class().is_for_ever()
}
