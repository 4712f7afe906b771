//! What may be used once.
