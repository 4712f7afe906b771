//! What can happen to a node?

use proptest::{collection::vec, prelude::*};

use super::History;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// So much time passes, in milliseconds.
    Wait(u64),
    Hint,
    Follow,
    /// The engine answers a poll with this number of records.
    Page {
        incarnation: u64,
        history: History,
        more: bool,
        records: u64,
    },
    PollFails,
    /// Another incarnation has begun.
    Begun,
    /// A caller appends this number of records.
    Append(usize),
    /// The engine answers an append.
    Commit(u64),
    AppendFails,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly the same incarnation.
    let incarnation = || prop_oneof![4 => Just(1), 1 => Just(2), 1 => Just(3)];
    let page = (
        incarnation(),
        prop_oneof![8 => Just(History::Same), 1 => Just(History::Swept), 1 => Just(History::Other)],
        prop::bool::weighted(0.2),
        0_u64..3,
    );
    let page = page.prop_map(|(incarnation, history, more, records)| Step::Page {
        incarnation,
        history,
        more,
        records,
    });
    let step = prop_oneof![
        3 => (0_u64..2000).prop_map(Step::Wait),
        1 => Just(Step::Hint),
        1 => Just(Step::Follow),
        5 => page,
        1 => Just(Step::PollFails),
        2 => Just(Step::Begun),
        3 => (0_usize..600).prop_map(Step::Append),
        3 => incarnation().prop_map(Step::Commit),
        1 => Just(Step::AppendFails),
    ];
    vec(step, 1..120)
}
