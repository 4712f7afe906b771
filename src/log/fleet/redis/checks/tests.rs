//! Which servers are refused, and what the others have to prove.

use super::{super::super::url::Url, *};

const GOOD: &str = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory:0\r\n\
                    maxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n";

fn check(info: &str, fsync: Option<&str>, url: &str) -> Result<Proof, String> {
    let settings = Url::parse(url)
        .map_err(Fault::from)
        .and_then(|url| Settings::read(&url, &|_| None))
        .map_err(|fault| fault.to_string())?;
    let info = Info(info.to_owned());
    let all = || {
        version(&info, "it")?;
        role(&info, &settings, "it")?;
        eviction(&info, &settings, "it")?;
        durability(&info, fsync, Some("no"), &settings, "it")
    };
    all().map_err(|fault: Fault| fault.to_string())
}

fn proof(own: bool, replicas: u32) -> Proof {
    Proof {
        own,
        replicas,
        may_fail_over: true,
    }
}

#[test]
fn proof_is_what_the_server_can_give() {
    let newer = GOOD.replace("7.0.15", "7.2.4");
    let one = "redis://localhost?replicas=1";
    let always = Some("always");
    assert_eq!(
        check(GOOD, always, "redis://localhost"),
        Ok(proof(false, 0))
    );
    assert_eq!(check(GOOD, always, one), Ok(proof(false, 1)));
    for fsync in [always, Some("everysec"), None] {
        assert_eq!(
            check(&newer, fsync, "redis://localhost"),
            Ok(proof(true, 0))
        );
        assert_eq!(check(&newer, fsync, one), Ok(proof(true, 1)));
    }
    let without = newer.replace("aof_enabled:1", "aof_enabled:0");
    let volatile = "redis://localhost?durability=volatile";
    assert_eq!(check(&without, None, volatile), Ok(proof(false, 0)));
    let assumed = "redis://localhost?assume=aof-always&replicas=1";
    assert_eq!(check(&without, None, assumed), Ok(proof(false, 1)));
}

#[test]
fn server_that_would_lose_records_is_refused() {
    let evicting = GOOD.replace("maxmemory:0", "maxmemory:1000");
    let silent = evicting.replace("maxmemory_policy", "x");
    for (info, fsync, wanted) in [
        (GOOD.replace("7.0", "6.2"), "always", "Redis 6.2"),
        (String::new(), "always", "Redis 0.0"),
        (GOOD.replace("master", "slave"), "always", "is a replica"),
        (
            GOOD.replace("cluster_enabled:0", "cluster_enabled:1"),
            "always",
            "redis+cluster://",
        ),
        (evicting.clone(), "always", "noeviction"),
        (silent.clone(), "always", "assume=noeviction"),
        (
            GOOD.replace("aof_enabled:1", "aof_enabled:0"),
            "always",
            "appendonly",
        ),
        (GOOD.to_owned(), "everysec", "appendfsync everysec"),
        (GOOD.replace("7.0", "7.2"), "no", "appendfsync no"),
    ] {
        let line = check(&info, Some(fsync), "redis://localhost").unwrap_err();
        assert!(line.contains(wanted), "{wanted}: {line}");
    }
    // What is told is worth more than what is assumed.
    let assumed = "redis://localhost?assume=noeviction";
    let always = Some("always");
    assert_eq!(check(&silent, always, assumed), Ok(proof(false, 0)));
    let line = check(&evicting, always, assumed).unwrap_err();
    assert!(line.contains("maxmemory-policy allkeys-lru"), "{line}");
    let line = check(GOOD, None, "redis://localhost").unwrap_err();
    assert!(line.contains("assume=aof-always"), "{line}");
    let line = check(GOOD, None, "redis+cluster://localhost?replicas=1").unwrap_err();
    assert!(line.contains("`redis://`"), "{line}");
}

#[test]
fn server_that_pauses_its_syncs_has_to_prove_each_one() {
    let settings = Settings::read(&Url::parse("redis://localhost").unwrap(), &|_| None).unwrap();
    let check = |info: &str| {
        let info = Info(info.to_owned());
        durability(&info, Some("always"), Some("yes"), &settings, "it")
    };
    let refused = check(GOOD).unwrap_err().to_string();
    assert!(refused.contains("no-appendfsync-on-rewrite"), "{refused}");
    let newer = check(&GOOD.replace("7.0.15", "7.2.4"));
    assert_eq!(newer.map_err(|fault| fault.to_string()), Ok(proof(true, 0)));
}
