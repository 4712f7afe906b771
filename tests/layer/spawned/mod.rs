//! Connections of plain hyper, spawned as users spawn them: in an `async` block of their own, with
//! the real types inside and no generic function around.
//!
//! To prove such a block `Send`, the compiler replaces every lifetime in its types, `'static`
//! included. An `impl Service` of ours with a bound on an error type then fails to compile with
//! "implementation of `From` is not general enough". So each of these tests is one first of all
//! by compiling.

#[macro_use]
mod connection;

mod authenticators;
mod backends;
mod bodies;
mod connections;
mod enforcement;
