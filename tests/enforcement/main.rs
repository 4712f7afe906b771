//! Revoked tokens are refused, and nothing else is.

mod answers;
mod contract;
mod extension;
mod fixture;
mod freshness;
mod grpc;
mod index;
mod judgement;
mod observe;
mod own_table;
