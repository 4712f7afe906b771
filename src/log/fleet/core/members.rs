//! What does this node say of itself, and which other nodes are there?

use std::{mem, sync::Arc, time::Duration};

use super::{
    super::{
        super::Moment,
        FleetMember,
        engine::{Incarnation, Member, Page, Report, Silent},
    },
    messages::NodeSettings,
    missed::Missed,
    timer::Timer,
    watch::Watch,
};

/// The members of the fleet, and this one.
#[derive(Clone, Debug)]
pub(super) struct Members {
    pub(super) me: u64,
    /// What is the same in every report.
    template: Report,
    /// The longest time from one report to the next.
    interval: Duration,
    /// How long a lease can last that was renewed before this moment.
    lease: Duration,
    /// Whether the engine lists this node, as far as it knows.
    pub(super) is_listed: bool,
    /// When the last report was sent, and what it said.
    reported: Option<(Moment, u64, Incarnation)>,
    /// Whether others wait for what this node reports.
    report_wanted: bool,
    /// Whether an append of this node waits for the reports of all members.
    pub(super) awaits_reports: bool,
    /// Up to where all other members have the records of this incarnation, and the poll that said so.
    applied: Option<(u64, u64)>,
    watch: Watch,
    /// The beat of this node.
    beat: Option<u64>,
    missed: Missed,
    /// Those to strike out with the next poll.
    silent: Vec<Silent>,
    pub(super) list: Arc<[FleetMember]>,
}

impl Members {
    pub(super) fn new(settings: &NodeSettings, me: u64) -> Self {
        let interval = settings.poll_interval();
        Self {
            me,
            template: Report {
                name: settings.name.clone(),
                applied: 0,
                healed: Incarnation(0),
                waits: settings.waits,
            },
            interval,
            lease: with_drift(settings.lease),
            is_listed: false,
            reported: None,
            report_wanted: false,
            awaits_reports: false,
            applied: None,
            watch: Watch::new(settings),
            beat: None,
            missed: Missed::default(),
            silent: Vec::new(),
            list: Arc::default(),
        }
    }

    /// Whether the next poll has a report. Each poll that renews is sent at most an interval after a
    /// report, so a member that is silent for long has no lease.
    pub(super) fn reports(&self, now: Moment, applied: u64, healed: Incarnation) -> bool {
        let Some((sent, last, last_healed)) = self.reported else {
            return true;
        };
        let is_due = Timer::new(sent, self.interval).left(now).is_zero();
        let is_news = self.report_wanted && applied > last;
        is_due
            || is_news
            || self.awaits_reports
            || last_healed != healed
            || !self.is_listed
            || self.strikes()
    }

    /// Returns the report of the next poll, and the members to remove.
    pub(super) fn report(
        &mut self,
        now: Moment,
        applied: u64,
        healed: Incarnation,
    ) -> (Report, Vec<Silent>) {
        self.reported = Some((now, applied, healed));
        let report = Report {
            applied,
            healed,
            ..self.template.clone()
        };
        (report, mem::take(&mut self.silent))
    }

    /// A poll was answered. Its report has listed this node, if it has healed. Returns whether the
    /// engine has gone back to an older state of itself: this node has reported more often.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        poll: u64,
        reported: Option<Incarnation>,
        page: &Page,
    ) -> bool {
        let mut is_older = false;
        self.is_listed = page.membership.was_listed || reported == Some(page.incarnation);
        self.report_wanted = page.membership.report_wanted;
        if reported.is_some() {
            self.list = self.describe(page);
            let members = &page.membership.members;
            let me = members.iter().find(|member| member.id == self.me);
            let before = mem::replace(&mut self.beat, me.map(|me| me.beat));
            is_older = page.membership.was_listed && self.beat.is_some() && self.beat <= before;
            self.missed.look(now, page, self.watch.known());
            self.silent = self.watch.look(now, page, self.me);
            let others = self.others(page).map(|member| {
                let is_healed = member.healed == page.incarnation;
                if is_healed { member.applied } else { 0 }
            });
            self.applied = Some((others.min().unwrap_or(u64::MAX), poll));
        }
        is_older
    }

    /// Whether a member of the incarnation before is not listed, and may have something to give back.
    pub(super) fn misses_somebody(&self, now: Moment, page: &Page) -> bool {
        self.missed.misses_somebody(now, page, self.lease)
    }

    /// Whether a member has reported more records than there are: the log has lost its end.
    pub(super) fn have_more_than(page: &Page) -> bool {
        let members = page.membership.members.iter();
        let healed = members.filter(|member| member.healed == page.incarnation);
        healed.map(|member| member.applied).max() > Some(page.upto.sequence)
    }

    /// Whether all other members have every record up to this one, as of a poll after this one.
    pub(super) fn all_have(&self, sequence: u64, after: u64) -> bool {
        self.applied
            .is_some_and(|(applied, poll)| poll > after && applied >= sequence)
    }

    /// Whether others wait for this node to say that it has every record up to this one.
    pub(super) fn owes_report(&self, applied: u64) -> bool {
        let reported = self.reported.map_or(0, |(_, reported, _)| reported);
        self.report_wanted && applied > reported
    }

    /// Whether somebody is to be struck out. Better at once: later, the beat is another one.
    pub(super) fn strikes(&self) -> bool {
        !self.silent.is_empty()
    }

    /// The next poll has a report.
    pub(super) fn report_again(&mut self) {
        self.reported = None;
    }

    /// A poll has failed. Its report may not have arrived.
    pub(super) fn failed(&mut self) {
        self.reported = None;
    }

    /// The members, for people.
    fn describe(&self, page: &Page) -> Arc<[FleetMember]> {
        let members = page.membership.members.iter().map(|member| FleetMember {
            name: member.name.clone(),
            lag: page.upto.sequence.saturating_sub(member.applied),
            has_healed: member.healed == page.incarnation,
            is_this_process: member.id == self.me,
        });
        members.collect()
    }

    fn others<'a>(&self, page: &'a Page) -> impl Iterator<Item = &'a Member> + use<'a> {
        let me = self.me;
        let members = page.membership.members.iter();
        members.filter(move |member| member.id != me)
    }
}

/// The longest time that a time can take by another clock. The rates of two clocks differ by at most
/// 2 %.
pub(crate) fn with_drift(time: Duration) -> Duration {
    time + time / 50
}
