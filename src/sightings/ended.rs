//! How many sightings would an order of an administrator end?

use super::{
    Sightings, State,
    row::Row,
    shard::{Group, Period, Shard},
};
use crate::{
    enforce::Index,
    log::{NumericDate, Selector, SelectorClass},
    revoke::{AdminRequest, Target},
};

impl Sightings {
    /// Returns how many of the live tokens that were seen here these requests would revoke. A token
    /// that several of them would revoke counts once.
    ///
    /// If a request names no subject, it looks at all sightings: call it where waiting does no harm.
    ///
    /// ```
    /// use tower_revocation::{
    ///     enforce::Index, revoke::{AdminRequest, Target}, sightings::Sightings,
    /// };
    ///
    /// let request = AdminRequest::new(Target::Subject("alice".into()));
    /// assert_eq!(Sightings::new().ended_by(&[request], &Index::new()), 0);
    /// ```
    #[must_use]
    pub fn ended_by(&self, requests: &[AdminRequest], index: &Index) -> usize {
        let table = self.table();
        let now = NumericDate::now();
        let period = table.period(now);
        let orders: Vec<_> = requests.iter().map(|it| Order::new(it, now)).collect();
        if let [only] = &orders[..] {
            if let Some(subject) = only.subject() {
                let tenant = only.request.tenant.as_deref();
                let hash = table.hash(tenant, subject);
                let part = table.part(hash);
                let group = part.group(hash, tenant, subject);
                return group.map_or(0, |group| ended_in(group, &orders, period, index));
            }
        }
        let of_part = |part: &Shard| -> usize {
            let groups = part.groups();
            groups.map(|it| ended_in(it, &orders, period, index)).sum()
        };
        table.parts().map(|part| of_part(&part)).sum()
    }
}

fn ended_in(group: &Group, orders: &[Order<'_>], period: Period, index: &Index) -> usize {
    let rows = group.rows(period);
    let is_ended = |row: &&Row| orders.iter().any(|order| order.ends(group, row));
    let is_live = |row: &&Row| group.sighting(row).state(index) == State::Live;
    rows.filter(is_ended).filter(is_live).count()
}

struct Order<'a> {
    request: &'a AdminRequest,
    selector: Selector,
    /// The last second of issue that is covered. `None` for all.
    until: Option<NumericDate>,
}

impl<'a> Order<'a> {
    fn new(request: &'a AdminRequest, now: NumericDate) -> Self {
        let selector = request.selector();
        let is_whole = matches!(
            selector.class(),
            SelectorClass::Token | SelectorClass::Grant | SelectorClass::Session
        );
        let until = request.before.map_or(now, |before| before.min(now));
        Self {
            request,
            selector,
            until: (!is_whole).then_some(until),
        }
    }

    fn subject(&self) -> Option<&'a str> {
        match &self.request.target {
            Target::Subject(subject) | Target::SubjectAndClient { subject, .. } => Some(subject),
            _ => None,
        }
    }

    fn ends(&self, group: &Group, row: &Row) -> bool {
        let is_of_tenant = || group.tenant() == self.request.tenant.as_deref();
        let is_named = match &self.request.target {
            Target::Subject(subject) => *subject == *group.subject() && is_of_tenant(),
            Target::SubjectAndClient { subject, client_id } => {
                *subject == *group.subject()
                    && *client_id == *row.source.client_id
                    && is_of_tenant()
            }
            Target::Client(client_id) => *client_id == *row.source.client_id && is_of_tenant(),
            Target::Issuer(issuer) => row.source.iss.as_deref() == Some(issuer),
            _ => row.selectors.contains(&self.selector),
        };
        let is_in_time = |until| row.iat().is_none_or(|iat| iat <= until);
        is_named && self.until.is_none_or(is_in_time)
    }
}
