//! Vault.

use tower::Layer as _;
use tower_revocation::{
    enforce::Index,
    introspect::{Introspection, TokenKind::AccessToken},
    log::Selector,
    profiles::{Possession, ProfileLayer, Vault},
    revoke::{Administration, Handles},
};

use crate::{transcript, world::World};

/// A token whose grant is its name, below these tokens.
fn below(name: &'static str, ancestors: &'static [&'static str]) -> impl Fn(&mut Introspection) {
    move |token| {
        token.grant = Some(name.to_owned());
        token.ancestors = ancestors.iter().map(ToString::to_string).collect();
    }
}

#[tokio::test]
async fn transcript_of_vault_runs() {
    const ABOVE: &[&str] = &["8", "7", "6", "5", "4", "3", "2", "1", "hvs.root"];
    let tokens: [(&str, &[&str]); 9] = [
        ("hvs.root", &[]),
        ("hvs.child", &["hvs.root"]),
        ("hvs.grandchild", &["hvs.child", "hvs.root"]),
        ("hvs.mother", &["hvs.root"]),
        ("hvs.orphan", &["hvs.mother", "hvs.root"]),
        ("hvs.accessed", &["hvs.root"]),
        ("hvs.other", &[]),
        ("hvs.eighth", &ABOVE[1..]),
        ("hvs.ninth", ABOVE),
    ];
    let world = tokens
        .into_iter()
        .fold(World::default(), |world, (name, ancestors)| {
            world.token(name, AccessToken, "vault", below(name, ancestors))
        });
    let index = Index::follow(&world.log).await.unwrap();
    let handles = Handles::new([7; 32]);
    let accessor = handles.seal(
        &Selector::grant("hvs.accessed"),
        &Selector::grant("hvs.root"),
    );
    let page = include_str!("../../src/profiles/vault.md");
    assert!(page.contains(&accessor), "{accessor}");

    let administration = Administration::new(world.log.clone());
    let plain = Vault::new(world.introspect(), index.clone());
    let plain = ProfileLayer::new("/plain/auth/token", plain, world.endpoint_of(Possession));
    let profile = Vault::new(world.introspect(), index).accessors(handles, administration);
    let layer = ProfileLayer::new("/v1/auth/token", profile, world.endpoint_of(Possession));
    let server = world.serve(|resource| layer.layer(plain.layer(resource)));
    assert_eq!(transcript::run(page, server.await).await, 21);
}
