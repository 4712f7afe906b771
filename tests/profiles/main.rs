//! Revocation calls of other systems, by the transcripts in their documentation.

mod apigee;
mod auth0;
mod browser;
mod cognito;
mod connect2id;
#[path = "../fixture/events.rs"]
mod events;
mod github;
mod holders;
mod hosted;
mod invariants;
mod kustvakt;
mod options;
mod orders;
mod salesforce;
mod square;
mod transcript;
mod vault;
mod world;
mod wso2;
