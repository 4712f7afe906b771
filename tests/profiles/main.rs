//! Revocation calls of other systems, by the transcripts in their documentation.

mod kustvakt;
mod transcript;
mod world;
