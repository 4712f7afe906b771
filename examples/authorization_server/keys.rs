//! Keys and certificates of the demo clients and of this server, made at the first start.

use std::{
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, jwk};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SignatureAlgorithm,
};
use serde_json::{Value, json};

/// A folder of what the demo clients sign and show, and of what this server shows itself.
///
/// `<client>.pem` is a private key in PKCS#8, or, beside a `<client>.key`, a certificate.
pub(crate) struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// What is in the folder; if there is no such folder, it is made, whole or not at all.
    pub(crate) fn open_or_make(folder: PathBuf) -> Result<Self, Box<dyn Error>> {
        if !folder.exists() {
            let unfinished = folder.with_extension(format!("{}.new", std::process::id()));
            make(&unfinished)?;
            fs::rename(&unfinished, &folder)?;
        }
        Ok(Self { folder })
    }

    /// The keys and certificates in the folder, in order.
    pub(crate) fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder)?;
        let mut paths: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        // The rest are documents of this server's own.
        paths.retain(|path| {
            path.extension()
                .is_some_and(|it| it == "pem" || it == "key")
        });
        paths.sort();
        Ok(paths)
    }

    /// A private key of this server's own, which is made if it is not there: folders of before it
    /// was needed have none.
    pub(crate) fn read_or_make(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let path = self.folder.join(name);
        if !path.exists() {
            let unfinished = path.with_extension(format!("{}.new", std::process::id()));
            private_file(&unfinished, &KeyPair::generate()?.serialize_pem())?;
            fs::rename(&unfinished, &path)?;
        }
        self.read(name)
    }

    pub(crate) fn read(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// The demo clients that have keys, as they are registered.
    pub(crate) fn clients(&self) -> Result<Vec<Value>, Box<dyn Error>> {
        let clients: Vec<Value> = serde_json::from_str(&self.read("clients.json")?)?;
        Ok(clients)
    }
}

fn make(folder: &Path) -> Result<(), Box<dyn Error>> {
    private_folder(folder)?;
    let save = |name: &str, text: &str| private_file(&folder.join(name), text);
    let mut clients = Vec::new();

    for (id, algorithm) in [
        ("pk-client", "ES256"),
        ("rsa-client", "PS256"),
        ("rs256-client", "RS256"),
        ("ed-client", "EdDSA"),
    ] {
        let key = KeyPair::generate_for(signs(algorithm))?;
        save(&format!("{id}.pem"), &private_pem(&key)?)?;
        let mut client = client(id, "private_key_jwt");
        client["jwks"] = json!({ "keys": [named_jwk(id, &key)?] });
        client["token_endpoint_auth_signing_algs"] = match algorithm {
            // Libraries disagree about the name (RFC 9864).
            "EdDSA" => json!(["EdDSA", "Ed25519"]),
            algorithm => json!([algorithm]),
        };
        clients.push(client);
    }

    // The key of the authority is not kept: nobody needs another certificate.
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // These, and the key identifiers below, are asked for by who verifies strictly (RFC 5280
    // §4.2.1), as Python does.
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    named(&mut authority, "tower-revocation demo CA");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    save("ca.pem", &authority.pem())?;

    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    server.use_authority_key_identifier_extension = true;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    save("server.pem", &server.signed_by(&key, &authority)?.pem())?;
    save("server.key", &key.serialize_pem())?;

    let mut shown = CertificateParams::new(["client.example".to_owned()])?;
    shown.use_authority_key_identifier_extension = true;
    shown.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    named(&mut shown, "tls-client");
    let key = KeyPair::generate()?;
    save("tls-client.pem", &shown.signed_by(&key, &authority)?.pem())?;
    save("tls-client.key", &key.serialize_pem())?;
    let mut registered = client("tls-client", "tls_client_auth");
    registered["tls_client_auth_subject_dn"] = json!("CN=tls-client,O=Demo");
    clients.push(registered);

    let mut shown = CertificateParams::new([])?;
    named(&mut shown, "self-signed-client");
    let key = KeyPair::generate()?;
    save("self-signed-client.pem", &shown.self_signed(&key)?.pem())?;
    save("self-signed-client.key", &key.serialize_pem())?;
    let mut registered = client("self-signed-client", "self_signed_tls_client_auth");
    registered["jwks"] = json!({ "keys": [named_jwk("self-signed-client", &key)?] });
    clients.push(registered);

    // Instances of this client have keys of their own, which the attester vouches for.
    let attester = KeyPair::generate()?;
    save("attester.pem", &attester.serialize_pem())?;
    let keys = json!({ "keys": [named_jwk("attester", &attester)?] });
    save("attester.json", &keys.to_string())?;
    clients.push(client("attested-client", "attest_jwt_client_auth"));

    save("clients.json", &serde_json::to_string_pretty(&clients)?)?;
    Ok(())
}

fn client(id: &str, method: &str) -> Value {
    json!({
        "client_id": id,
        "token_endpoint_auth_method": method,
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "read write",
    })
}

fn named(certificate: &mut CertificateParams, name: &str) {
    // The library's own name would stand before it, and the order counts.
    certificate.distinguished_name = DistinguishedName::new();
    let subject = &mut certificate.distinguished_name;
    subject.push(DnType::OrganizationName, "Demo");
    subject.push(DnType::CommonName, name);
}

fn signs(algorithm: &str) -> &'static SignatureAlgorithm {
    match algorithm {
        "EdDSA" => &rcgen::PKCS_ED25519,
        "ES256" => &rcgen::PKCS_ECDSA_P256_SHA256,
        _ => &rcgen::PKCS_RSA_SHA256,
    }
}

/// PKCS#8. Of Ed25519 the version that has no public key in it: OpenSSL, and so Node and Python,
/// read no other.
fn private_pem(key: &KeyPair) -> Result<String, Box<dyn Error>> {
    if key.algorithm() != &rcgen::PKCS_ED25519 {
        return Ok(key.serialize_pem());
    }
    let der = Ed25519KeyPair::from_pkcs8(&key.serialize_der())?.to_pkcs8v1()?;
    let base64 = STANDARD.encode(der);
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n"
    ))
}

/// With the client for `kid`.
fn named_jwk(kid: &str, key: &KeyPair) -> Result<Value, Box<dyn Error>> {
    let mut jwk = public_jwk(key)?;
    jwk["kid"] = kid.into();
    Ok(jwk)
}

/// RFC 7517 §4.
pub(crate) fn public_jwk(key: &KeyPair) -> Result<Value, Box<dyn Error>> {
    let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let public = key.public_key_raw();
    let algorithm = key.algorithm();
    Ok(if algorithm == &rcgen::PKCS_ED25519 {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(public) })
    } else if algorithm == &rcgen::PKCS_ECDSA_P256_SHA256 {
        // An uncompressed point: 4, x and y.
        let (x, y) = public[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
    } else {
        let pem = key.serialize_pem();
        let key = EncodingKey::from_rsa_pem(pem.as_bytes())?;
        let jwk = jwk::Jwk::from_encoding_key(&key, Algorithm::RS256)?;
        let jwk = serde_json::to_value(jwk)?;
        json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"] })
    })
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

fn private_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
