//! Clients of every method, and their credentials.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{Request, header::HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _};
use serde_json::{Value, json};
use tower_revocation::{
    Secret,
    client::{
        Basic, Credentials,
        assertion::Assertions,
        attestation::Attestations,
        certificate::ClientCertificate,
        password::Passwords,
        registry::{ClientAuthenticator, Registry},
        replay::MemoryGuard,
    },
    jose::KeySet,
};

pub(crate) const ISSUER: &str = "https://as.example.com";
const SHARED: &str = "a-shared-secret-of-more-than-thirty-two-bytes";
/// `correct horse battery staple`, 19 MiB, two passes.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$CW3qeeZ4hdlyrPdoLj7KEQ$qEbKDmhgCfC71ZyurQCxMv5YrYpBImGqzPKERHtV3IM";

/// A key that signs assertions, and its client.
pub(crate) struct Signer {
    pub(crate) client: &'static str,
    pub(crate) alg: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key in the format of certificates.
    pub(crate) public: Vec<u8>,
    jwk: Value,
}

impl Signer {
    fn new(client: &'static str, alg: &'static str, algorithm: Algorithm) -> Self {
        let (kind, curve) = match algorithm {
            Algorithm::ES256 => (&rcgen::PKCS_ECDSA_P256_SHA256, "P-256"),
            Algorithm::EdDSA => (&rcgen::PKCS_ED25519, "Ed25519"),
            _ => (&rcgen::PKCS_RSA_SHA256, ""),
        };
        let pair = KeyPair::generate_for(kind).expect("a key");
        let public = pair.der_bytes().to_vec();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (key, jwk) = match algorithm {
            Algorithm::ES256 => {
                let (x, y) = public[1..].split_at(32);
                (
                    EncodingKey::from_ec_der(&pair.serialize_der()),
                    json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }),
                )
            }
            Algorithm::EdDSA => (
                EncodingKey::from_ed_der(&pair.serialize_der()),
                json!({ "kty": "OKP", "crv": curve, "x": encode(&public) }),
            ),
            _ => {
                let pem = pair.serialize_pem();
                let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("PEM");
                let jwk = Jwk::from_encoding_key(&key, algorithm).expect("an RSA key");
                let jwk = serde_json::to_value(jwk).expect("JSON");
                (key, json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"] }))
            }
        };
        Self {
            client,
            alg,
            algorithm,
            key,
            public,
            jwk,
        }
    }

    /// A fresh assertion: signing input and signature.
    pub(crate) fn sign(&self, as_client: &str) -> (String, String) {
        let header = json!({ "alg": self.alg, "typ": "JWT" });
        sign(&self.key, self.algorithm, &header, &claims(as_client))
    }

    /// A compact JWS of this type.
    fn sign_as(&self, typ: &str, claims: &Value) -> HeaderValue {
        let header = json!({ "alg": self.alg, "typ": typ });
        let (input, signature) = sign(&self.key, self.algorithm, &header, claims);
        format!("{input}.{signature}").parse().expect("ASCII")
    }

    fn registered(&self) -> Value {
        json!({
            "client_id": self.client,
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [self.jwk] },
        })
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

fn fresh() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn claims(client: &str) -> Value {
    let now = now();
    json!({
        "iss": client, "sub": client, "aud": ISSUER, "iat": now,
        "exp": now + 1800, "jti": fresh(),
    })
}

fn sign(key: &EncodingKey, by: Algorithm, header: &Value, claims: &Value) -> (String, String) {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(input.as_bytes(), key, by).expect("a signature");
    (input, signature)
}

pub(crate) fn assertion(signed: &(String, String)) -> Request<Credentials> {
    Request::new(Credentials::Assertion {
        client_id: None,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
        client_assertion: Secret::from(format!("{}.{}", signed.0, signed.1)),
    })
}

pub(crate) fn basic(id_and_secret: &str) -> Request<Credentials> {
    Request::new(Credentials::Basic(
        Basic::new(id_and_secret).expect("a colon"),
    ))
}

pub(crate) struct World {
    pub(crate) authenticator: ClientAuthenticator<Registry>,
    /// The same with passwords: a wrong secret of any client costs one password hash.
    pub(crate) with_passwords: ClientAuthenticator<Registry>,
    pub(crate) signers: [Signer; 3],
    certificate: ClientCertificate,
    instance: Signer,
    attestation: HeaderValue,
}

impl World {
    pub(crate) fn new() -> Self {
        let signers = [
            Signer::new("es256", "ES256", Algorithm::ES256),
            Signer::new("rs256", "RS256", Algorithm::RS256),
            Signer::new("eddsa", "EdDSA", Algorithm::EdDSA),
        ];
        let key = KeyPair::generate().expect("a key");
        let mut shown = CertificateParams::new(["client.example".to_owned()]).expect("a name");
        shown
            .distinguished_name
            .push(DnType::OrganizationName, "Example");
        let der = shown
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec();
        let (x, y) = key.der_bytes()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let mut clients = vec![
            json!({ "client_id": "basic", "client_secret": "gX1fBat3bV-gX1fBat3bV" }),
            json!({ "client_id": "basid", "client_secret": "gX1fBat3bV-gX1fBat3bV", "disabled": true }),
            json!({ "client_id": "app", "token_endpoint_auth_method": "attest_jwt_client_auth" }),
            json!({ "client_id": "human", "client_secret_hash": HASH }),
            json!({ "client_id": "hs256", "client_secret": SHARED, "token_endpoint_auth_method": "client_secret_jwt" }),
            json!({ "client_id": "by-dn", "token_endpoint_auth_method": "tls_client_auth",
                    "tls_client_auth_subject_dn": "O=Example,CN=rcgen self signed cert" }),
            json!({ "client_id": "by-key", "token_endpoint_auth_method": "self_signed_tls_client_auth",
                    "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] } }),
        ];
        clients.extend(signers.iter().map(Signer::registered));
        let clients = Registry::from_json(&Value::Array(clients).to_string()).expect("clients");
        let assertions = || Assertions::new(ISSUER).replay_guard(MemoryGuard::new(10_000_000));
        let attester = Signer::new("attester", "ES256", Algorithm::ES256);
        let instance = Signer::new("app", "ES256", Algorithm::ES256);
        let attestation = attester.sign_as(
            "oauth-client-attestation+jwt",
            &json!({ "sub": "app", "exp": now() + 3600, "cnf": { "jwk": instance.jwk } }),
        );
        let keys = json!({ "keys": [attester.jwk] }).to_string();
        let attestations = Attestations::new(ISSUER)
            .attester(
                "https://attester.example.com",
                KeySet::from_json(&keys).expect("keys"),
            )
            .replay_guard(MemoryGuard::new(10_000_000));
        let authenticator = ClientAuthenticator::new(clients)
            .assertions(assertions())
            .attestations(attestations)
            .certificates();
        Self {
            with_passwords: authenticator.clone().passwords(Passwords::new()),
            authenticator,
            signers,
            certificate: ClientCertificate::verified(der).expect("a certificate"),
            instance,
            attestation,
        }
    }

    /// With a fresh proof of possession.
    pub(crate) fn attested(&self) -> Request<Credentials> {
        let proof = self.instance.sign_as(
            "oauth-client-attestation-pop+jwt",
            &json!({ "aud": ISSUER, "iat": now(), "jti": fresh() }),
        );
        let client_id = Some("app".to_owned());
        let mut request = Request::new(Credentials::Attestation { client_id });
        let headers = request.headers_mut();
        headers.insert(Credentials::ATTESTATION, self.attestation.clone());
        headers.insert(Credentials::ATTESTATION_POP, proof);
        request
    }

    pub(crate) fn by_certificate(&self, client_id: &str) -> Request<Credentials> {
        let client_id = client_id.to_owned();
        let mut request = Request::new(Credentials::ClientId { client_id });
        request.extensions_mut().insert(self.certificate.clone());
        request
    }

    /// Signed with the shared secret.
    pub(crate) fn hmac() -> (String, String) {
        let key = EncodingKey::from_secret(SHARED.as_bytes());
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        sign(&key, Algorithm::HS256, &header, &claims("hs256"))
    }
}
