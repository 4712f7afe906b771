//! How families grow, and how many there can be.

mod damaged;
mod holders;
mod row;

use super::{
    family::{MOST_ACCESS_TOKENS, MOST_REFRESH_TOKENS},
    learning::{AccessToken, Learnt, Tokens, learn},
    tables::{Found, Tables},
    *,
};
use crate::{
    introspect::{IssuedWith, TokenKind},
    log::Selector,
};

const ISSUER: &str = "https://as.example.com";
const NOW: u64 = 4_000_000_000;
const HOUR: u64 = 3600;

struct World {
    links: Links,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
        let links = Links::open(log).unwrap();
        Self {
            links,
            _folder: folder,
        }
    }

    fn learn(&self, access: AccessToken, issued: &str, presented: &str, now: u64) -> Learnt {
        let name = |token: &str| (!token.is_empty()).then(|| self.links.name(&token.into()));
        let tokens = Tokens {
            access,
            issued: name(issued),
            presented: name(presented),
        };
        let limits = self.links.limits;
        let learning = self
            .links
            .log
            .write(move |work| learn(work, &tokens, now, limits));
        futures::executor::block_on(learning).unwrap()
    }

    fn login(&self, client: &str, refresh_token: &str, now: u64) -> Learnt {
        self.learn(
            AccessToken::Known(access(client, "1", now)),
            refresh_token,
            "",
            now,
        )
    }

    fn find(&self, token: &str) -> Option<Introspection> {
        self.links.find(&token.into()).unwrap()
    }

    fn knows(&self, token: &str) -> bool {
        self.find(token).is_some()
    }

    /// What was issued with a token that is known.
    fn with(&self, token: &str) -> IssuedWith {
        let known = self.find(token).unwrap().into_claims();
        *known.issued_with.unwrap()
    }

    /// The numbers of families, refresh tokens and ends.
    fn len(&self) -> [u64; 3] {
        let read = self
            .links
            .log
            .write(|work| Tables::open(work.transaction)?.len());
        futures::executor::block_on(read).unwrap()
    }
}

/// An access token with an identifier, and neither grant nor session.
fn access(client: &str, jti: &str, now: u64) -> Introspection {
    let mut access = Introspection::new(TokenKind::AccessToken, client);
    access.iss = Some(ISSUER.into());
    access.sub = Some("alice".into());
    access.jti = Some(jti.into());
    access.token = Some(Selector::token(ISSUER, jti));
    access.iat = Some(NumericDate::new(now));
    access.exp = Some(NumericDate::new(now + HOUR));
    access
}

#[test]
fn rotated_refresh_tokens_are_one_family_of_limited_size() {
    let world = World::new();
    let mut now = NOW;
    world.login("c1", "r0", now);
    let family = world.find("r0").unwrap().into_claims().grant.unwrap();
    for next in 1..20 {
        now += 60;
        let access = access("c1", &format!("jti-{next}"), now);
        let [old, new] = [next - 1, next].map(|number| format!("r{number}"));
        assert_eq!(
            world.learn(AccessToken::Known(access), &new, &old, now),
            Learnt::Linked
        );
        let known = world.find(&new).unwrap();
        assert_eq!(known.grant.as_ref(), Some(&family));
        assert_eq!(world.with(&new), world.with(&old));
        assert!(!known.rotated && world.find(&old).unwrap().rotated);
    }
    assert_eq!(world.len(), [1, MOST_REFRESH_TOKENS as u64, 1]);
    assert!(!world.knows("r11") && world.knows("r12"));
}

#[test]
fn access_tokens_that_have_expired_make_room_for_others() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    for number in 0..100 {
        let now = NOW + number * 600;
        let access = access("c1", &number.to_string(), now);
        world.learn(AccessToken::Known(access), "", "r1", now);
    }
    let with = world.with("r1");
    assert_eq!(with.unnamed_until, None);
    assert!(with.tokens.len() < 10, "{}", with.tokens.len());
    // More than fit, all alive.
    for number in 0..=MOST_ACCESS_TOKENS {
        let access = access("c1", &format!("x{number}"), NOW + 100 * 600);
        world.learn(AccessToken::Known(access), "", "r1", NOW + 100 * 600);
    }
    let with = world.with("r1");
    assert_eq!(with.tokens.len(), MOST_ACCESS_TOKENS + 1);
    assert_eq!(
        with.unnamed_until,
        Some(NumericDate::new(NOW + 100 * 600 + HOUR))
    );
}

#[test]
fn unread_access_token_counts_as_unnamed_and_an_unrecognised_one_not() {
    let world = World::new();
    assert_eq!(
        world.learn(AccessToken::Unknown, "r1", "", NOW),
        Learnt::Nothing
    );
    assert_eq!(
        world.learn(AccessToken::NotOurs, "r1", "", NOW),
        Learnt::Nothing
    );
    assert!(!world.knows("r1"));
    world.login("c1", "r1", NOW);
    assert_eq!(
        world.learn(AccessToken::NotOurs, "r2", "r1", NOW),
        Learnt::Linked
    );
    let unnamed = |token| world.with(token).unnamed_until;
    assert_eq!(unnamed("r2"), None);
    assert_eq!(
        world.learn(AccessToken::Unknown, "r3", "r2", NOW),
        Learnt::Linked
    );
    assert!(unnamed("r1").is_some() && unnamed("r3").is_some());
}

#[test]
fn token_of_another_api_counts_as_unnamed_until_it_expires() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    let end = NumericDate::new(NOW + 2 * HOUR);
    world.learn(AccessToken::Unhandled(Some(end)), "", "r1", NOW);
    assert_eq!(world.with("r1").unnamed_until, Some(end));
    world.learn(AccessToken::Unhandled(None), "", "r1", NOW);
    assert!(world.with("r1").unnamed_until > Some(end));
}

#[test]
fn common_name_that_changes_is_replaced_by_the_holder() {
    let world = World::new();
    let granted = |grant: &str| {
        let mut access = access("c1", grant, NOW);
        access.grant = Some(grant.into());
        AccessToken::Known(access)
    };
    world.learn(granted("g1"), "r1", "", NOW);
    let known = world.find("r1").unwrap();
    assert_eq!(known.grant.as_deref(), Some("g1"));
    world.learn(granted("g1"), "", "r1", NOW);
    // The grant covers the access tokens. The refresh token is named too, for when it changes.
    let with = world.with("r1");
    assert_eq!((with.tokens.len(), with.unnamed_until), (1, None));
    world.learn(granted("g2"), "", "r1", NOW);
    let known = world.find("r1").unwrap();
    let known = known.into_claims();
    assert!(known.grant.unwrap().starts_with("link:"));
    let with = known.issued_with.unwrap();
    assert_eq!(with.tokens.len(), 2);
    assert!(with.unnamed_until.is_some());
}

#[test]
fn client_beyond_its_quota_loses_only_its_own_families() {
    let mut world = World::new();
    world.links = world.links.clone().capacity(20).per_client(3);
    for number in 0..10 {
        let now = NOW + number;
        world.login("busy", &format!("b{number}"), now);
        world.login(&format!("quiet-{number}"), &format!("q{number}"), now);
    }
    let known = |name: &str| {
        (0..10)
            .filter(|it| world.knows(&format!("{name}{it}")))
            .count()
    };
    assert_eq!((known("b"), known("q")), (3, 10));
    assert!(world.knows("b9") && !world.knows("b6"));
    // The same name at another issuer is another client.
    let mut elsewhere = access("busy", "1", NOW);
    elsewhere.tenant = Some("https://other.example".into());
    world.learn(AccessToken::Known(elsewhere), "e1", "", NOW);
    assert_eq!(known("b"), 3);
}

/// Else a user could make those of all others unknown, by many logins.
#[test]
fn user_with_many_logins_loses_only_their_own_families() {
    let mut world = World::new();
    world.links = world.links.clone().per_client(160);
    world.login("c1", "of-alice", NOW);
    for number in 0..200 {
        let mut of_mallory = access("c1", "1", NOW + number);
        of_mallory.sub = Some("mallory".into());
        let token = format!("m{number}");
        world.learn(AccessToken::Known(of_mallory), &token, "", NOW + number);
    }
    assert!(world.knows("of-alice"));
    assert_eq!(
        (0..200).filter(|it| world.knows(&format!("m{it}"))).count(),
        16
    );
    assert_eq!(world.len(), [17, 17, 17]);
}

#[test]
fn full_table_refuses_new_clients_and_lets_known_ones_replace_their_own() {
    let mut world = World::new();
    world.links = world.links.clone().capacity(4).per_client(4);
    for number in 0..4 {
        world.login(&format!("c{number}"), &format!("r{number}"), NOW + number);
    }
    assert_eq!(world.login("c9", "r9", NOW), Learnt::Full);
    assert!(!world.knows("r9"));
    assert_eq!(world.login("c0", "r0-again", NOW), Learnt::Linked);
    assert!(!world.knows("r0") && world.knows("r0-again"));
    assert_eq!(world.len(), [4, 4, 4]);
}

#[test]
fn expired_families_are_forgotten_and_used_ones_stay() {
    let mut world = World::new();
    world.links = world
        .links
        .clone()
        .longest_lifetime(Duration::from_secs(HOUR));
    for number in 0..20 {
        world.login("c1", &format!("r{number}"), NOW);
    }
    let access = AccessToken::Known(access("c1", "2", NOW + HOUR / 2));
    world.learn(access, "", "r0", NOW + HOUR / 2);
    for _ in 0..10 {
        world.login("c1", "new", NOW + HOUR + 1);
    }
    assert_eq!(world.len(), [2, 2, 2]);
}
