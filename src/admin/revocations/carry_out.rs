//! The orders of a request are written to the trail, carried out by one append, and their outcomes are
//! written.

use futures::stream::{self, StreamExt as _};
use tower::{BoxError, Service};

use super::{
    super::{
        Caller, Receipt, RevocationOrder,
        inspect::introspected,
        problem::Refusal,
        response::{RETRY_AFTER, unavailable},
        service::Shared,
    },
    order,
    repetition::Repetition,
    step::Step,
};
use crate::{
    introspect::Introspected,
    log::{NumericDate, RevocationLog},
    revoke::AdminRequest,
    token::Secret,
};

/// How many tokens of a request are introspected at once.
const AT_ONCE: usize = 16;

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    /// Carries out the orders of a request. Each has its own result. Fails if none could be carried
    /// out, or if it is unknown.
    pub(super) async fn carry_out<I>(
        &self,
        introspect: I,
        caller: &Caller,
        orders: Vec<RevocationOrder>,
        repetition: Option<&Repetition>,
    ) -> Result<Vec<Result<Receipt, Refusal>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
    {
        let steps = orders.into_iter().enumerate().map(|(number, order)| {
            self.prepare(introspect.clone(), caller, number, order, repetition)
        });
        let steps = some_at_once(steps.collect()).await;
        // What fails here concerns all of them, such as a key that is in use for another request.
        let mut steps = steps.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.begin(&mut steps, caller, repetition).await?;
        let appended = self.append(&mut steps).await;
        if appended.is_ok() {
            self.look_again(introspect, caller, &mut steps).await;
        }
        let ended = self.end(&mut steps).await;
        appended.and(ended)?;
        Ok(steps.into_iter().map(Step::into_result).collect())
    }

    /// Finds out what an order revokes, or that an earlier request with the same key has carried it
    /// out.
    async fn prepare<I>(
        &self,
        introspect: I,
        caller: &Caller,
        number: usize,
        order: RevocationOrder,
        repetition: Option<&Repetition>,
    ) -> Result<Step, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
    {
        let mut step = Step::new(order);
        if let (Some(trail), Some(repetition)) = (&self.trail, repetition) {
            // What is known of a token may have changed. Then the answer must not.
            if number == 0 || step.order.target.token.is_some() {
                let earlier = trail.find(repetition.key_of(number)).await?;
                step.is_begun(earlier, Some(repetition))?;
            }
        }
        if step.result.is_none() {
            let plan = self.plan(introspect, caller, &step.order).await;
            match plan.and_then(|plan| plan.check_role(caller).map(|()| plan)) {
                Ok(plan) => step.plan = Some(plan),
                Err(refusal) => step.result = Some(Err(refusal)),
            }
        }
        Ok(step)
    }

    /// Writes the orders that will be carried out to the trail.
    async fn begin(
        &self,
        steps: &mut [Step],
        caller: &Caller,
        repetition: Option<&Repetition>,
    ) -> Result<(), Refusal> {
        let Some(trail) = &self.trail else {
            return Ok(());
        };
        let now = NumericDate::now();
        let (mut new, mut entries) = (Vec::new(), Vec::new());
        for (number, step) in steps.iter_mut().enumerate() {
            match step.entry(caller, now, repetition) {
                Ok(Some(entry)) => {
                    #[cfg(feature = "notify")]
                    let entry = step.promise(entry, trail, &self.tenants);
                    let key = repetition.map(|repetition| repetition.key_of(number));
                    entries.push((entry, key));
                    new.push(step);
                }
                Ok(None) => {}
                Err(refusal) => step.is_refused(refusal),
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        for (step, begun) in new.into_iter().zip(trail.begin(entries).await?) {
            // Another request with the same key may have come in between.
            step.is_begun(Some(begun), repetition)?;
        }
        Ok(())
    }

    /// Carries out all orders by one append.
    async fn append(&self, steps: &mut [Step]) -> Result<(), Refusal> {
        let requests: Vec<_> = steps.iter().flat_map(Step::requests).collect();
        let appended = self.revoke_all(requests).await;
        let mut receipts = appended.as_ref().into_iter().flatten();
        for step in steps {
            let Some(plan) = &step.plan else { continue };
            // The receipt is about the first of the records.
            let receipt = receipts
                .by_ref()
                .take(plan.requests.len())
                .reduce(|first, _| first);
            step.result = match (&appended, receipt) {
                (Err(refusal), _) => Some(Err(refusal.clone())),
                (Ok(_), receipt) => receipt.cloned().map(Ok),
            };
        }
        appended.map(drop)
    }

    async fn revoke_all(&self, requests: Vec<AdminRequest>) -> Result<Vec<Receipt>, Refusal> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let classes: Vec<_> = requests.iter().map(|it| it.selector().class()).collect();
        let appended = self.administration.revoke_all(requests).await;
        let responses = appended.map_err(|error| unavailable(&error))?;
        let receipts = classes.into_iter().zip(&responses);
        Ok(receipts
            .map(|(class, response)| order::receipt(class, response))
            .collect())
    }

    /// Another token may have been issued before the records. From now on there is none.
    async fn look_again<I>(&self, introspect: I, caller: &Caller, steps: &mut [Step])
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
    {
        let linked = steps.iter_mut().filter(|step| step.is_linked());
        let looks = linked.map(|step| self.look(introspect.clone(), caller, step));
        let looks = some_at_once(looks.collect()).await;
        let (mut with_more, mut requests) = (Vec::new(), Vec::new());
        for (step, more) in looks {
            match more {
                Ok(more) if more.is_empty() => {}
                Ok(more) => {
                    requests.extend(more);
                    with_more.push(step);
                }
                Err(refusal) => step.result = Some(Err(refusal)),
            }
        }
        let appended = self.revoke_all(requests).await;
        for step in with_more {
            step.continues(appended.as_ref().map(|receipts| receipts.last()));
        }
    }

    async fn look<'a, I>(
        &self,
        introspect: I,
        caller: &Caller,
        step: &'a mut Step,
    ) -> (&'a mut Step, Result<Vec<AdminRequest>, Refusal>)
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
    {
        let more = self.more(introspect, caller, step).await;
        (step, more)
    }

    /// What was issued with a token since it was introspected.
    async fn more<I>(
        &self,
        introspect: I,
        caller: &Caller,
        step: &Step,
    ) -> Result<Vec<AdminRequest>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
    {
        let Some(token) = step.token() else {
            return Ok(Vec::new());
        };
        let again = introspected(introspect, token.secret.clone()).await?;
        // The records are durable. What was issued meanwhile is unknown, so the order is repeated.
        let again = again
            .into_token()
            .ok_or(Refusal::Unavailable(RETRY_AFTER))?;
        if again.issued_with == token.issued_with {
            return Ok(Vec::new());
        }
        order::of_token(&step.order, &again, &self.tenants, caller)
    }

    /// Writes the outcomes to the trail.
    async fn end(&self, steps: &mut [Step]) -> Result<(), Refusal> {
        let Some(trail) = &self.trail else {
            return Ok(());
        };
        #[cfg(feature = "notify")]
        for step in &mut *steps {
            step.notify(trail, &self.tenants);
        }
        let mut ended: Vec<_> = steps.iter_mut().filter_map(Step::ended).collect();
        if ended.is_empty() {
            return Ok(());
        }
        trail.end(&mut ended).await
    }
}

/// Runs futures, some of them at once. Returns their results in the same order.
pub(super) async fn some_at_once<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    stream::iter(futures).buffered(AT_ONCE).collect().await
}
