//! The conversation of RFC 7009, clause by clause, without a network.

mod basic;
mod cors;
mod fixture;
mod form;
mod order;
mod path;
mod response;
mod semantics;
