//! Who uses the log?

use super::{
    super::super::engine::{Ask, Engine, Incarnation, Membership, Report, Silent},
    Cursor, ask, line, poll,
};

fn reporting(member: u64, healed: Incarnation) -> Ask {
    Ask {
        member,
        report: Some(Report {
            name: format!("node {member}").into(),
            applied: member * 10,
            healed,
            waits: member == 2,
        }),
        ..ask(Cursor::default())
    }
}

async fn membership<E: Engine>(log: &E, ask: Ask) -> Membership {
    let page = log.poll(ask).await;
    page.unwrap_or_else(|error| panic!("{}", line(&error)))
        .membership
}

fn beats(membership: &Membership) -> Vec<(u64, u64)> {
    let members = membership.members.iter();
    let mut beats: Vec<_> = members.map(|member| (member.id, member.beat)).collect();
    beats.sort_unstable();
    beats
}

/// Reports, strike-outs, and the barrier.
pub(crate) async fn members<E: Engine>(log: &E) {
    let here = poll(log, Cursor::default()).await.incarnation;
    let first = membership(log, reporting(1, here)).await;
    assert_eq!(
        (first.was_listed, first.barrier, first.report_wanted),
        (false, false, false)
    );
    let [member] = &first.members[..] else {
        panic!("{first:?}");
    };
    assert_eq!((member.id, &*member.name), (1, "node 1"));
    assert_eq!((member.applied, member.healed), (10, here));
    let again = membership(log, reporting(1, here)).await;
    assert!(again.was_listed);
    // What another history has at a place says nothing about this one.
    let foreign = Ask {
        after: Cursor {
            sequence: 9,
            mark: 1,
        },
        ..reporting(1, here)
    };
    let foreign = membership(log, foreign).await;
    assert_eq!(foreign.members[0].applied, 0);
    let again = membership(log, reporting(1, here)).await;
    assert_eq!(again.members[0].applied, 10);
    let beat = again.members[0].beat;
    assert_eq!(beat, first.members[0].beat + 3);

    // Another one has not healed: it is listed once it has. It waits for all.
    let other = Incarnation(!here.0);
    let refused = membership(log, reporting(2, other)).await;
    assert_eq!((refused.members.len(), refused.barrier), (1, false));
    assert!(!membership(log, reporting(2, here)).await.was_listed);
    let both = membership(log, reporting(2, other)).await;
    assert_eq!(
        (both.was_listed, both.barrier, both.report_wanted),
        (true, true, true)
    );
    let reading = membership(log, ask(Cursor::default())).await;
    assert!(reading.was_listed && reading.barrier && reading.report_wanted);
    assert!(reading.members.is_empty());
    let beat_of_other = beats(&both)[1].1;

    // Only who is silent is struck out.
    let silent = |beat| Ask {
        silent: vec![Silent { member: 2, beat }],
        ..ask(Cursor::default())
    };
    let kept = membership(log, silent(beat_of_other + 1)).await;
    assert_eq!(
        (beats(&kept), kept.barrier),
        (vec![(1, beat), (2, beat_of_other)], true)
    );
    let struck = membership(log, silent(beat_of_other)).await;
    assert_eq!((beats(&struck), struck.barrier), (vec![(1, beat)], false));
    assert!(!struck.report_wanted);
    // Beats here follow faster than those of any node. The clock of the engine gets ahead of them.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let again = membership(log, reporting(2, here)).await;
    assert!(!again.was_listed);
    assert!(beats(&again)[1].1 > beat_of_other + 1);

    log.leave(1).await.unwrap();
    log.leave(7).await.unwrap();
    let left = membership(log, reporting(2, here)).await;
    assert_eq!(left.members.len(), 1);
    assert!(!membership(log, ask(Cursor::default())).await.was_listed);
}
