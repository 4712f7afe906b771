//! Orders of clients about all of their own tokens, without a token in hand.

use std::sync::Arc;

use super::{quota::Quota, retention::Retention};
use crate::{
    client::Identified,
    error::Error,
    log::{NumericDate, Revocation, Selector},
};

/// An order of a client to revoke all tokens that it holds, or all that it holds for one subject.
///
/// A layer in front of the endpoint, such as a profile, turns a call that names no token into it. The
/// endpoint authenticates the client, and
/// [`RecordRevocation::client_orders_within`](super::RecordRevocation::client_orders_within) carries the
/// order out. No order can reach the tokens of another client. A client that has only named itself is
/// refused: everybody knows its identifier, and could end the sessions of all users.
///
/// ```
/// use tower_revocation::revoke::ClientOrder;
///
/// let order = ClientOrder::new().subject("alice");
/// assert_eq!(order.subject.as_deref(), Some("alice"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOrder {
    /// Whose tokens. `None` for those of every subject.
    pub subject: Option<String>,
    /// Revokes only tokens that were issued before the end of this second. `None` for now. A date in
    /// the future counts as now.
    pub before: Option<NumericDate>,
}

impl ClientOrder {
    /// Makes an order about all tokens that the client holds until now.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the order to the tokens for one subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Limits the order to tokens that were issued before the end of this second.
    #[must_use]
    pub fn before(mut self, date: NumericDate) -> Self {
        self.before = Some(date);
        self
    }
}

/// Where the tokens of clients are, for orders.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    issuers: Arc<[String]>,
    /// Whether each issuer is a tenant of the log.
    has_tenants: bool,
    quota: Quota,
}

/// An order as records, and the client that they count for.
#[derive(Debug)]
pub(super) struct OrderedRecords {
    pub(super) client: Selector,
    pub(super) records: Vec<Revocation>,
    /// For backends without a quota of their own.
    pub(super) quota: Quota,
}

impl Orders {
    /// The live records of one client. A token must exist to be revoked, but any subject can be named.
    const MAX_RECORDS: usize = 10_000;

    pub(super) fn new(issuers: Vec<String>, has_tenants: bool) -> Self {
        Self {
            issuers: issuers.into(),
            has_tenants,
            quota: Quota::new(Self::MAX_RECORDS),
        }
    }

    /// Returns the records of an order: one for each tenant that has tokens of the client.
    ///
    /// # Errors
    ///
    /// `invalid_request` if the client has tokens of no known issuer. A record would revoke nothing.
    pub(super) fn records(
        &self,
        order: &ClientOrder,
        client: &impl Identified,
        retention: Retention,
    ) -> Result<OrderedRecords, Error> {
        let now = NumericDate::now();
        let expires = retention.end_of_tokens_issued_by(now);
        let not_before = order.before.map_or(now, |date| date.min(now));
        let client_id = client.client_id();
        let holder = match &order.subject {
            Some(subject) => Selector::subject_and_client(subject, client_id),
            None => Selector::client(client_id),
        };
        let of_client = Selector::client(client_id);
        let issuers = self.issuers.iter();
        let issuers = issuers.filter(|issuer| client.is_client_of(Some(issuer)));
        let tenants: Vec<Option<&String>> = if self.has_tenants {
            issuers.map(Some).collect()
        } else {
            issuers.take(1).map(|_| None).collect()
        };
        let within = |selector: Selector, tenant: Option<&String>| match tenant {
            Some(tenant) => selector.within(tenant),
            None => selector,
        };
        let Some(first) = tenants.first() else {
            return Err(Error::invalid_request("The client has no tokens here"));
        };
        let client = within(of_client, *first);
        let record = |tenant| Revocation::watermark(within(holder, tenant), not_before, expires);
        Ok(OrderedRecords {
            client,
            records: tenants.into_iter().map(record).collect(),
            quota: self.quota.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OfIssuer(&'static str);

    impl Identified for OfIssuer {
        fn client_id(&self) -> &'static str {
            "app"
        }

        fn is_client_of(&self, iss: Option<&str>) -> bool {
            self.0.is_empty() || iss == Some(self.0)
        }
    }

    fn selectors(has_tenants: bool, client: &OfIssuer) -> Option<Vec<Selector>> {
        let issuers = vec!["https://a.test".to_owned(), "https://b.test".to_owned()];
        let orders = Orders::new(issuers, has_tenants);
        let order = ClientOrder::new().subject("ann");
        let ordered = orders.records(&order, client, Retention::default()).ok()?;
        let selectors = ordered.records.iter().map(Revocation::selector);
        Some(selectors.collect())
    }

    #[test]
    fn order_is_one_record_for_each_issuer_of_the_client() {
        let ann = Selector::subject_and_client("ann", "app");
        let (a, b) = (ann.within("https://a.test"), ann.within("https://b.test"));
        assert_eq!(selectors(true, &OfIssuer("")), Some(vec![a, b]));
        assert_eq!(selectors(true, &OfIssuer("https://b.test")), Some(vec![b]));
        assert_eq!(selectors(false, &OfIssuer("")), Some(vec![ann]));
    }

    #[test]
    fn order_without_a_known_issuer_is_refused() {
        for has_tenants in [true, false] {
            let client = OfIssuer("https://c.test");
            assert_eq!(selectors(has_tenants, &client), None);
        }
    }

    #[test]
    fn date_in_the_future_counts_as_now() {
        let orders = Orders::new(vec!["https://a.test".to_owned()], true);
        let order = ClientOrder::new().before(NumericDate::FOREVER);
        let ordered = orders.records(&order, &OfIssuer(""), Retention::default());
        let record = ordered.unwrap().records[0];
        assert!(record.not_before() <= NumericDate::now());
    }
}
