//! Connections of plain hyper, spawned as users spawn them: in an `async` block with the concrete
//! types, without a generic function around it.
//!
//! To prove that such a block is `Send`, the compiler replaces every lifetime in its types, also
//! `'static`. Then an `impl Service` of this crate with a bound on an error type fails to compile:
//! "implementation of `From` is not general enough". So these tests mainly test that they compile.

#[macro_use]
mod connection;

mod authenticators;
mod backends;
mod bodies;
mod connections;
mod enforcement;
