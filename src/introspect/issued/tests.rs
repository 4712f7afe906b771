//! Tests that set the clock.

use std::path::Path;

use futures::executor::block_on;

use super::{file::FileTokens, *};
use crate::log::{EmbeddedLog, LogErrorKind, Revocation, RevocationLog as _, Selector};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn open(path: &Path) -> IssuedTokens {
    let log = EmbeddedLog::open(path).unwrap();
    block_on(IssuedTokens::open(log)).unwrap()
}

fn file(tokens: &IssuedTokens) -> &FileTokens {
    match &tokens.store {
        Store::File(file) => file,
        #[cfg(feature = "postgres")]
        Store::Database(_) => panic!("it is in a file"),
    }
}

fn refresh_token(tokens: &IssuedTokens, lifetime: Duration) -> Secret {
    let new = vec![NewToken::refresh_token(lifetime)];
    let issued = block_on(tokens.issue(Grant::new("g1", "c1"), new)).unwrap();
    issued.unwrap().remove(0).token
}

/// One sweep by a clock that is ahead by this much.
fn sweep(tokens: &IssuedTokens, ahead: Duration) -> u64 {
    let (now, retention) = (NumericDate::now() + ahead, tokens.expired_retention);
    let swept = file(tokens).sweep_step([0; 32], retention, now);
    block_on(swept).unwrap().removed
}

fn rotate(tokens: &IssuedTokens, token: &Secret) -> Result<Rotation, LogError> {
    block_on(tokens.rotate(token, vec![NewToken::access_token(HOUR)]))
}

fn kind<T>(result: Result<T, LogError>) -> Option<LogErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn token_that_a_fast_clock_may_have_removed_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    assert_eq!(sweep(&tokens, HOUR), 0);
    assert!(block_on(tokens.introspect(&token)).unwrap().is_some());
    assert_eq!(sweep(&tokens, 2 * DAY), 1);

    assert_not_known_to_be_unknown(&tokens, &token);
    drop(tokens);
    assert_not_known_to_be_unknown(&open(&path), &token);
}

fn assert_not_known_to_be_unknown(tokens: &IssuedTokens, token: &Secret) {
    let went_back = Some(LogErrorKind::ClockWentBack);
    assert_eq!(kind(block_on(tokens.introspect(token))), went_back);
    assert_eq!(kind(block_on(tokens.look_up(token))), went_back);
    assert_eq!(kind(block_on(tokens.rotate(token, Vec::new()))), went_back);
    // Known tokens are still known, and new ones can be issued.
    let other = refresh_token(tokens, HOUR);
    assert!(block_on(tokens.introspect(&other)).unwrap().is_some());
}

#[test]
fn token_is_unknown_again_once_all_removed_tokens_have_expired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    sweep(&tokens, 2 * DAY);
    let digest = tokens.factory.digests.of(&token);
    let find = |now| file(&tokens).find(&digest, now);
    let now = NumericDate::now();
    assert!(find(now).is_err());
    assert!(find(now + HOUR + HOUR).unwrap().is_none());
    // The error is about this token only. The log still works.
    assert!(block_on(file(&tokens).log.drain()).is_ok());
}

#[test]
fn sweep_by_a_correct_clock_leaves_no_errors_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let builder = IssuedTokens::builder().expired_retention(Duration::ZERO);
    let tokens = block_on(builder.open(log)).unwrap();
    let token = refresh_token(&tokens, Duration::ZERO);
    assert_eq!(block_on(tokens.sweep()).unwrap(), 1);
    assert!(block_on(tokens.introspect(&token)).unwrap().is_none());
}

/// Adds the row of a token whose use this version does not know.
fn add_unknown_use(tokens: &IssuedTokens, digest: [u8; 32], lifetime: Duration) {
    let row = row::Row {
        usage: TokenUse::RefreshToken,
        used: false,
        iat: NumericDate::now(),
        exp: NumericDate::now() + lifetime,
        grant: Grant::new("g1", "c1"),
        note: String::new(),
    };
    let mut plain = row.pack();
    plain[0] = 200;
    let written = file(tokens).log.write(move |work| {
        let row = work.mask(&plain);
        let mut table = work.transaction.open_table(row::TOKENS)?;
        table.insert(&digest, &*row)?;
        work.dirty = true;
        Ok(())
    });
    block_on(written).unwrap();
}

#[test]
fn token_of_an_unknown_use_is_swept_when_it_expires_and_does_not_stop_the_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    // Before the other token, in the order of the table.
    add_unknown_use(&tokens, [0; 32], 9 * DAY);
    let mut second = [0; 32];
    second[31] = 1;
    add_unknown_use(&tokens, second, HOUR);
    let token = refresh_token(&tokens, HOUR);
    assert_eq!(sweep(&tokens, 3 * DAY), 2);
    assert!(block_on(tokens.introspect(&token)).is_err());
    assert_eq!(sweep(&tokens, 12 * DAY), 1);
}

/// One sweep of the log by a clock that is ahead by this much.
fn sweep_log(tokens: &IssuedTokens, ahead: Duration) {
    let now = NumericDate::now() + ahead;
    block_on(file(tokens).log.write(move |work| work.sweep(0, now))).unwrap();
}

/// Revokes the grant `g1` until then.
fn revoke(tokens: &IssuedTokens, until: NumericDate) {
    let record = Revocation::forever(Selector::grant("g1"), until);
    block_on(file(tokens).log.append(vec![record])).unwrap();
}

#[test]
fn nothing_is_issued_in_a_grant_whose_record_may_have_been_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    revoke(&tokens, NumericDate::now() + HOUR + MINUTE);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Invalid)));
    // The clock is two hours ahead, and then correct again.
    sweep_log(&tokens, 2 * HOUR);
    sweep(&tokens, 2 * HOUR);

    assert_issues_nothing(&tokens, &token);
    drop(tokens);
    assert_issues_nothing(&open(&path), &token);
}

fn assert_issues_nothing(tokens: &IssuedTokens, token: &Secret) {
    let went_back = Some(LogErrorKind::ClockWentBack);
    let (grant, new) = (Grant::new("g1", "c1"), vec![NewToken::access_token(HOUR)]);
    assert_eq!(kind(rotate(tokens, token)), went_back);
    assert_eq!(kind(block_on(tokens.earliest_iat(&grant))), went_back);
    assert_eq!(kind(block_on(tokens.issue(grant, new))), went_back);
    // The refresh token was not used, and the log still works.
    assert!(!block_on(tokens.look_up(token)).unwrap().unwrap().used);
    block_on(file(tokens).log.drain()).unwrap();
}

#[test]
fn token_that_expires_after_all_removed_records_is_rotated_although_the_clock_went_back() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, 2 * HOUR);
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now() + HOUR);
    block_on(file(&tokens).log.append(vec![record])).unwrap();
    sweep_log(&tokens, HOUR + MINUTE);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Issued(_))));
}

#[test]
fn revoked_grant_stays_revoked_after_other_records_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, HOUR);
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now() + HOUR);
    block_on(file(&tokens).log.append(vec![record])).unwrap();
    revoke(&tokens, NumericDate::now() + 3 * HOUR);
    sweep_log(&tokens, 2 * HOUR);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Invalid)));
    let grant = Grant::new("g1", "c1");
    assert_eq!(block_on(tokens.earliest_iat(&grant)).unwrap(), None);
}

#[test]
fn sweep_by_a_correct_clock_does_not_stop_issuing() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, HOUR);
    // The record ends in this second, so the sweep removes it.
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now());
    block_on(file(&tokens).log.append(vec![record])).unwrap();
    assert_eq!(block_on(file(&tokens).log.sweep()).unwrap(), 1);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Issued(_))));
    refresh_token(&tokens, HOUR);
}
