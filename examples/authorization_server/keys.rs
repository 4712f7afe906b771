//! Keys and certificates of the demo clients and of this server, created at the first start.

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

/// A folder with the keys and certificates of the demo clients and of this server.
///
/// `<client>.pem` is a private key in PKCS#8. If there is a `<client>.key`, it is a certificate.
pub(crate) struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// Opens the folder. If it does not exist, creates it completely or not at all.
    pub(crate) fn open_or_create(folder: PathBuf) -> Result<Self, Box<dyn Error>> {
        if !folder.exists() {
            let unfinished = folder.with_extension(format!("{}.new", std::process::id()));
            create(&unfinished)?;
            if let Err(error) = fs::rename(&unfinished, &folder) {
                fs::remove_dir_all(&unfinished)?;
                // Another server may have been faster. Both use its folder.
                if !folder.exists() {
                    return Err(error.into());
                }
            }
        }
        Ok(Self { folder })
    }

    /// The paths of the keys and certificates, sorted.
    pub(crate) fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder)?;
        let mut paths: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        // The other files are documents of this server.
        paths.retain(|path| {
            path.extension()
                .is_some_and(|it| it == "pem" || it == "key")
        });
        paths.sort();
        Ok(paths)
    }

    /// Reads a private key of this server. Creates it if it is missing: older folders lack it.
    pub(crate) fn read_or_create(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let path = self.folder.join(name);
        if !path.exists() {
            let unfinished = path.with_extension(format!("{}.new", std::process::id()));
            private_file(&unfinished, &KeyPair::generate()?.serialize_pem())?;
            // Does not replace the key of a server that was faster.
            let linked = fs::hard_link(&unfinished, &path);
            fs::remove_file(&unfinished)?;
            if let Err(error) = linked {
                if !path.exists() {
                    return Err(error.into());
                }
            }
        }
        self.read(name)
    }

    pub(crate) fn read(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// The registrations of the demo clients that have keys.
    pub(crate) fn clients(&self) -> Result<Vec<Value>, Box<dyn Error>> {
        let clients: Vec<Value> = serde_json::from_str(&self.read("clients.json")?)?;
        Ok(clients)
    }
}

fn create(folder: &Path) -> Result<(), Box<dyn Error>> {
    private_folder(folder)?;
    let save = |name: &str, text: &str| private_file(&folder.join(name), text);
    let mut clients = Vec::new();

    for (id, algorithm) in [
        ("pk-client", "ES256"),
        ("rsa-client", "PS256"),
        ("rs256-client", "RS256"),
        ("ed-client", "EdDSA"),
    ] {
        let key = KeyPair::generate_for(key_type(algorithm))?;
        save(&format!("{id}.pem"), &private_pem(&key)?)?;
        let mut client = client(id, "private_key_jwt");
        client["jwks"] = json!({ "keys": [named_jwk(id, &key)?] });
        client["token_endpoint_auth_signing_algs"] = match algorithm {
            // Libraries use either name (RFC 9864).
            "EdDSA" => json!(["EdDSA", "Ed25519"]),
            algorithm => json!([algorithm]),
        };
        clients.push(client);
    }

    // Does not save the key of the authority: no other certificate is needed.
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // Strict verifiers, such as Python, require these usages and the key identifiers below (RFC
    // 5280 §4.2.1).
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_subject(&mut authority, "tower-revocation demo CA");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    save("ca.pem", &authority.pem())?;

    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    server.use_authority_key_identifier_extension = true;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    save("server.pem", &server.signed_by(&key, &authority)?.pem())?;
    save("server.key", &key.serialize_pem())?;

    let mut certificate = CertificateParams::new(["client.example".to_owned()])?;
    certificate.use_authority_key_identifier_extension = true;
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    set_subject(&mut certificate, "tls-client");
    let key = KeyPair::generate()?;
    let certificate = certificate.signed_by(&key, &authority)?;
    save("tls-client.pem", &certificate.pem())?;
    save("tls-client.key", &key.serialize_pem())?;
    let mut registered = client("tls-client", "tls_client_auth");
    registered["tls_client_auth_subject_dn"] = json!("CN=tls-client,O=Demo");
    clients.push(registered);

    let mut certificate = CertificateParams::new([])?;
    set_subject(&mut certificate, "self-signed-client");
    let key = KeyPair::generate()?;
    let certificate = certificate.self_signed(&key)?;
    save("self-signed-client.pem", &certificate.pem())?;
    save("self-signed-client.key", &key.serialize_pem())?;
    let mut registered = client("self-signed-client", "self_signed_tls_client_auth");
    registered["jwks"] = json!({ "keys": [named_jwk("self-signed-client", &key)?] });
    clients.push(registered);

    // Each instance of this client has its own key. The attester signs attestations of these keys.
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

fn set_subject(certificate: &mut CertificateParams, name: &str) {
    // Removes the default name of the library, because the order of the parts counts.
    certificate.distinguished_name = DistinguishedName::new();
    let subject = &mut certificate.distinguished_name;
    subject.push(DnType::OrganizationName, "Demo");
    subject.push(DnType::CommonName, name);
}

fn key_type(algorithm: &str) -> &'static SignatureAlgorithm {
    match algorithm {
        "EdDSA" => &rcgen::PKCS_ED25519,
        "ES256" => &rcgen::PKCS_ECDSA_P256_SHA256,
        _ => &rcgen::PKCS_RSA_SHA256,
    }
}

/// PKCS#8. For Ed25519, version 1, which does not contain the public key: OpenSSL, and so Node and
/// Python, read no other version.
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

/// A public JWK with this `kid`.
fn named_jwk(kid: &str, key: &KeyPair) -> Result<Value, Box<dyn Error>> {
    let mut jwk = public_jwk(key)?;
    jwk["kid"] = kid.into();
    Ok(jwk)
}

/// RFC 7517 §4.
pub(crate) fn public_jwk(key: &KeyPair) -> Result<Value, Box<dyn Error>> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = key.public_key_raw();
    let algorithm = key.algorithm();
    Ok(if algorithm == &rcgen::PKCS_ED25519 {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(public) })
    } else if algorithm == &rcgen::PKCS_ECDSA_P256_SHA256 {
        // An uncompressed point: the byte 4, x and y.
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
