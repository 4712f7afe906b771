//! The endpoint, clause by clause of RFC 7009, without a network.

mod basic;
mod cors;
mod fixture;
mod form;
mod jsonp;
mod mounting;
mod order;
mod path;
mod response;
mod semantics;
