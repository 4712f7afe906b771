//! The fake issuer, as the tests of an application use it.

mod clock;
mod served;
mod tokens;
