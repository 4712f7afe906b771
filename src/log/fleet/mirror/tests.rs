//! What the mirror says to its node and to its copying.

use super::*;
use crate::log::{NumericDate, Revocation, Selector};

/// Returns the mirror, and what it has said to its copying.
async fn mirror(path: &Path) -> (Mirror, watch::Receiver<Seen>) {
    let (file, _) = File::open(path.into(), "a".into()).await.unwrap();
    let mirror = Mirror {
        file,
        shared: Arc::default(),
        node: watch::Sender::default(),
    };
    let seen = mirror.node.subscribe();
    (mirror, seen)
}

#[tokio::test]
async fn file_that_cannot_be_read_is_a_warning_and_gets_no_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (mirror, seen) = mirror(&folder.path().join("mirror.redb")).await;
    let record = Revocation::forever(Selector::grant("1"), NumericDate::FOREVER);
    mirror.file.write(vec![record], None).await.unwrap();
    let whole = Some(Incarnation(1));
    let said = || seen.borrow().whole;

    mirror.file.damage().await;
    assert!(mirror.recall(0).await.is_none());
    let problem = mirror.problem().unwrap();
    assert!(problem.contains("may lack what only it has"), "{problem}");
    // The file can still be written.
    mirror.shared.set_problem(None);
    assert!(mirror.problem().is_some());
    mirror.seen(whole, 1);
    assert_eq!(said(), None);

    // After the next loss it can be read to its end.
    let piece = |next| {
        Ok(Recalled {
            next,
            ..Recalled::default()
        })
    };
    mirror.shared.recalled(&piece(Some(1)));
    mirror.seen(whole, 1);
    assert_eq!(said(), None);
    mirror.shared.recalled(&piece(None));
    mirror.seen(whole, 1);
    assert_eq!((said(), mirror.problem()), (whole, None));
}
