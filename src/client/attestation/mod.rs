//! Attestation-based client authentication.
