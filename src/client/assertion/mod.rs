//! `private_key_jwt` and `client_secret_jwt` (RFC 7523).
