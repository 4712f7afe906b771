//! Revocation calls of other systems, by the transcripts in their documentation.

mod apigee;
mod auth0;
mod cognito;
mod connect2id;
#[path = "../fixture/events.rs"]
mod events;
mod github;
mod hosted;
mod invariants;
mod kustvakt;
mod salesforce;
mod square;
mod transcript;
mod vault;
mod world;
mod wso2;
