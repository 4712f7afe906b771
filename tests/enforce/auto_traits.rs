//! Auto traits are a part of the public API, although no line of it says so.

use std::panic::{RefUnwindSafe, UnwindSafe};

use tower_revocation::{
    Secret,
    enforce::TokenLife,
    introspect::{Introspected, Introspection, jwt::JwtTokens},
};

fn is_shared<T: Send + Sync + Unpin>() {}
fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}

#[test]
fn public_types_have_their_auto_traits() {
    is_shared::<Introspection>();
    is_shared::<Introspected>();
    is_shared::<Secret>();
    is_shared::<TokenLife>();
    is_shared::<JwtTokens>();
    is_unwind_safe::<Introspection>();
    is_unwind_safe::<Introspected>();
    is_unwind_safe::<Secret>();
}
