//! One order of a request: what it revokes, what the trail has of it, and what came of it.

#[cfg(feature = "notify")]
use super::super::{Tenants, trail::Trail};
use super::{
    super::{
        Caller, Receipt, RevocationOrder,
        problem::Refusal,
        response::RETRY_AFTER,
        trail::{Begun, Entry, FAILED, REVOKED},
    },
    plan::{Plan, Planned},
    repetition::Repetition,
};
use crate::{
    log::{NewJournalEntry, NumericDate},
    revoke::AdminRequest,
};

/// The content of an entry can grow by so much: by its receipt, and by what issuers are told.
const GROWTH: usize = 16 * 1024;

/// One order of a request.
pub(super) struct Step {
    pub(super) order: RevocationOrder,
    /// What it revokes. `None` if nothing has to be done.
    pub(super) plan: Option<Plan>,
    /// What the trail has.
    begun: Option<Begun>,
    pub(super) result: Option<Result<Receipt, Refusal>>,
}

impl Step {
    pub(super) fn new(order: RevocationOrder) -> Self {
        Self {
            order,
            plan: None,
            begun: None,
            result: None,
        }
    }

    /// The trail has this of the order. If an earlier request has carried it out, that is its result.
    pub(super) fn is_begun(
        &mut self,
        begun: Option<Begun>,
        repetition: Option<&Repetition>,
    ) -> Result<(), Refusal> {
        let Some(begun) = begun else { return Ok(()) };
        if let Some(repetition) = repetition {
            repetition.check(&begun)?;
        }
        if let Some(receipt) = begun.receipt() {
            self.plan = None;
            self.result = Some(Ok(receipt));
        }
        self.begun = Some(begun);
        Ok(())
    }

    /// The order is not carried out.
    pub(super) fn is_refused(&mut self, refusal: Refusal) {
        self.plan = None;
        self.result = Some(Err(refusal));
    }

    /// The entry for the trail. `None` if the order is not carried out, or has an entry.
    pub(super) fn entry(
        &self,
        caller: &Caller,
        now: NumericDate,
        repetition: Option<&Repetition>,
    ) -> Result<Option<Entry>, Refusal> {
        let (Some(plan), None) = (&self.plan, &self.begun) else {
            return Ok(None);
        };
        let mut entry = Entry::new(&self.order, caller, now.seconds());
        let shown = &mut entry.shown;
        if let Some(first) = plan.requests.first() {
            let class = first.selector().class();
            class.as_str().clone_into(&mut shown.class);
        }
        if let Some(token) = &plan.token {
            shown.target.subject.clone_from(&token.subject);
            shown.target.client = Some(token.client.clone());
        }
        if let Some(repetition) = repetition {
            shown.idempotency_key = Some(repetition.fingerprint().to_owned());
            entry.request = Some(repetition.request());
        }
        // What issuers are told has the names once more.
        let names = serde_json::to_vec(&entry.shown.target).map_or(0, |names| names.len());
        if entry.content().len() + names > NewJournalEntry::MAX_CONTENT - GROWTH {
            return Err(Refusal::BadRequest(
                "the names and the reason are too long to be kept",
            ));
        }
        Ok(Some(entry))
    }

    /// The requests that are carried out. Those of a repetition reach until the first attempt. Those
    /// about a token reach until now: it may have been used for others since.
    pub(super) fn requests(&self) -> Vec<AdminRequest> {
        let mut requests = match &self.plan {
            Some(plan) => plan.requests.clone(),
            None => Vec::new(),
        };
        let first = self.begun.as_ref().and_then(Begun::first_attempt);
        if let Some(first) = first.filter(|_| self.token().is_none()) {
            for request in &mut requests {
                request.before.get_or_insert(first);
            }
        }
        requests
    }

    pub(super) fn token(&self) -> Option<&Planned> {
        self.plan.as_ref()?.token.as_ref()
    }

    /// Whether tokens may be issued with the one that the order names.
    pub(super) fn is_linked(&self) -> bool {
        self.token().is_some_and(|it| it.issued_with.is_some())
    }

    /// More records were appended, the last with this receipt.
    pub(super) fn continues(&mut self, more: Result<Option<&Receipt>, &Refusal>) {
        match (more, &mut self.result) {
            (Ok(Some(last)), Some(Ok(receipt))) => receipt.until(last),
            (Err(refusal), result) => *result = Some(Err(refusal.clone())),
            _ => {}
        }
    }

    /// The issuers that will be told if the order has no end, because its process ends.
    #[cfg(feature = "notify")]
    pub(super) fn promise(&self, mut entry: Entry, trail: &Trail, tenants: &Tenants) -> Entry {
        let mut plans = self.plan.iter().flat_map(|plan| &plan.requests);
        let plan = plans.find_map(|it| trail.notices(it, it.before, tenants.of(it)));
        entry.deliveries = plan
            .filter(|deliveries| deliveries.next().is_some())
            .and_then(|deliveries| serde_json::to_value(deliveries).ok());
        entry
    }

    /// The issuers are told, if the order was carried out and has an end.
    #[cfg(feature = "notify")]
    pub(super) fn notify(&mut self, trail: &Trail, tenants: &Tenants) {
        let requests = self.requests();
        let (Some(begun), Some(Ok(receipt))) = (&mut self.begun, &mut self.result) else {
            return;
        };
        let before = receipt.not_before.map(NumericDate::new);
        let mut plans = requests.iter();
        let plan = plans.find_map(|it| trail.notices(it, before, tenants.of(it)));
        if let Some(deliveries) = plan {
            receipt.refresh_tokens = Some(deliveries.refresh_tokens().as_str().to_owned());
            begun.notify(&deliveries);
        }
    }

    /// What the trail has, with the outcome. `None` if this request has not carried it out.
    pub(super) fn ended(&mut self) -> Option<&mut Begun> {
        self.plan.as_ref()?;
        let begun = self.begun.as_mut()?;
        let shown = &mut begun.entry.shown;
        let receipt = self.result.as_ref().and_then(|result| result.as_ref().ok());
        let outcome = if receipt.is_some() { REVOKED } else { FAILED };
        outcome.clone_into(&mut shown.outcome);
        shown.receipt = receipt.cloned();
        Some(begun)
    }

    pub(super) fn into_result(self) -> Result<Receipt, Refusal> {
        // Another request with the same key may have written its outcome before.
        if let Some(receipt) = self.begun.and_then(|begun| begun.receipt()) {
            return Ok(receipt);
        }
        self.result
            .unwrap_or(Err(Refusal::Unavailable(RETRY_AFTER)))
    }
}
