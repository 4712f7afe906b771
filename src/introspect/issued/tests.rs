//! By a clock of our own.

use std::path::Path;

use futures::executor::block_on;

use super::*;
use crate::log::{Revocation, RevocationLog as _, Selector};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn open(path: &Path) -> IssuedTokens {
    let log = EmbeddedLog::open(path).unwrap();
    block_on(IssuedTokens::open(log)).unwrap()
}

fn refresh_token(tokens: &IssuedTokens, lifetime: Duration) -> Secret {
    let mint = vec![Mint::refresh_token(lifetime)];
    let issued = block_on(tokens.issue(Grant::new("g1", "c1"), mint)).unwrap();
    issued.unwrap().remove(0).token
}

/// One sweep by a clock that is ahead by so much.
fn sweep(tokens: &IssuedTokens, ahead: Duration) -> u64 {
    let (now, kept) = (NumericDate::now() + ahead, tokens.kept_expired);
    let swept = tokens
        .log
        .write(move |work| store::sweep(work, [0; 32], kept, now));
    block_on(swept).unwrap().removed
}

fn rotate(tokens: &IssuedTokens, token: &Secret) -> Result<Rotation, LogError> {
    block_on(tokens.rotate(token, vec![Mint::access_token(HOUR)]))
}

fn kind<T>(answer: Result<T, LogError>) -> Option<LogErrorKind> {
    answer.err().map(|error| error.kind())
}

#[test]
fn token_that_may_have_been_forgotten_by_a_clock_that_was_ahead_is_not_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    assert_eq!(sweep(&tokens, HOUR), 0);
    assert!(tokens.introspect(&token).unwrap().is_some());
    assert_eq!(sweep(&tokens, 2 * DAY), 1);

    assert_unknown_whether_it_was_there(&tokens, &token);
    drop(tokens);
    assert_unknown_whether_it_was_there(&open(&path), &token);
}

fn assert_unknown_whether_it_was_there(tokens: &IssuedTokens, token: &Secret) {
    let went_back = Some(LogErrorKind::ClockWentBack);
    assert_eq!(kind(tokens.introspect(token)), went_back);
    assert_eq!(kind(tokens.look_up(token)), went_back);
    assert_eq!(kind(block_on(tokens.rotate(token, Vec::new()))), went_back);
    // What is known is known, and issuing goes on.
    let other = refresh_token(tokens, HOUR);
    assert!(tokens.introspect(&other).unwrap().is_some());
}

#[test]
fn token_is_unknown_again_once_all_that_was_forgotten_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    sweep(&tokens, 2 * DAY);
    let digest = tokens.register.digests.of(&token);
    let find = |now| {
        tokens
            .log
            .read(|database| store::find(database, &digest, now))
    };
    let now = NumericDate::now();
    assert!(find(now).is_err());
    assert!(find(now + HOUR + HOUR).unwrap().is_none());
    // It is about this token alone, and the log goes on.
    assert!(block_on(tokens.log.drain()).is_ok());
}

#[test]
fn sweep_that_deletes_what_has_expired_for_long_leaves_nothing_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb")).with_kept_expired(Duration::ZERO);
    let token = refresh_token(&tokens, Duration::ZERO);
    assert_eq!(block_on(tokens.sweep()).unwrap(), 1);
    assert!(tokens.introspect(&token).unwrap().is_none());
}

/// One sweep of the log by a clock that is ahead by this much.
fn sweep_log(tokens: &IssuedTokens, ahead: Duration) {
    let now = NumericDate::now() + ahead;
    block_on(tokens.log.write(move |work| work.sweep(0, now))).unwrap();
}

/// Revokes the grant `g1` until then.
fn revoke(tokens: &IssuedTokens, until: NumericDate) {
    let record = Revocation::forever(Selector::grant("g1"), until);
    block_on(tokens.log.append(vec![record])).unwrap();
}

#[test]
fn nothing_is_minted_in_a_grant_whose_record_may_have_been_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let tokens = open(&path);
    let token = refresh_token(&tokens, HOUR);
    revoke(&tokens, NumericDate::now() + HOUR + MINUTE);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Dead)));
    // A clock that is two hours ahead, and then right again.
    sweep_log(&tokens, 2 * HOUR);
    sweep(&tokens, 2 * HOUR);

    assert_mints_nothing(&tokens, &token);
    drop(tokens);
    assert_mints_nothing(&open(&path), &token);
}

fn assert_mints_nothing(tokens: &IssuedTokens, token: &Secret) {
    let went_back = Some(LogErrorKind::ClockWentBack);
    let (grant, mint) = (Grant::new("g1", "c1"), vec![Mint::access_token(HOUR)]);
    assert_eq!(kind(rotate(tokens, token)), went_back);
    assert_eq!(kind(block_on(tokens.earliest_iat(&grant))), went_back);
    assert_eq!(kind(block_on(tokens.issue(grant, mint))), went_back);
    // The refresh token is not spent, and the log goes on.
    assert!(!tokens.look_up(token).unwrap().unwrap().spent);
    block_on(tokens.log.drain()).unwrap();
}

#[test]
fn token_that_outlasts_all_forgotten_records_is_rotated_though_the_clock_went_back() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, 2 * HOUR);
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now() + HOUR);
    block_on(tokens.log.append(vec![record])).unwrap();
    sweep_log(&tokens, HOUR + MINUTE);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Issued(_))));
}

#[test]
fn revoked_grant_stays_revoked_whatever_else_was_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, HOUR);
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now() + HOUR);
    block_on(tokens.log.append(vec![record])).unwrap();
    revoke(&tokens, NumericDate::now() + 3 * HOUR);
    sweep_log(&tokens, 2 * HOUR);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Dead)));
    let grant = Grant::new("g1", "c1");
    assert_eq!(block_on(tokens.earliest_iat(&grant)).unwrap(), None);
}

#[test]
fn sweep_by_a_clock_that_is_right_stops_no_minting() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = open(&folder.path().join("log.redb"));
    let token = refresh_token(&tokens, HOUR);
    // It ends in this very second, and so is forgotten by it.
    let record = Revocation::forever(Selector::grant("other"), NumericDate::now());
    block_on(tokens.log.append(vec![record])).unwrap();
    assert_eq!(block_on(tokens.log.sweep()).unwrap(), 1);
    assert!(matches!(rotate(&tokens, &token), Ok(Rotation::Issued(_))));
    refresh_token(&tokens, HOUR);
}
