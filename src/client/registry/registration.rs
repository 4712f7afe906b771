//! What does a registration document say (RFC 7591 §2, §3.2.1)?

use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
};

use super::{BasicDecoding, Client, RegistryError, registered::ClientSecret};
use crate::{
    client::{AuthMethod, SecretDigest, secret::InvalidDigest},
    token::Secret,
};

type Known = HashMap<String, Arc<Client>>;

/// Why a client is refused. It never holds a secret.
type Reason = &'static str;

pub(super) fn read(json: &str) -> Result<Known, RegistryError> {
    let mut known = Known::new();
    let mut json = serde_json::Deserializer::from_str(json);
    Document(&mut known)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| refusal(&error))?;
    Ok(known)
}

fn refusal(error: &serde_json::Error) -> RegistryError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let place = format!(" at line {line} column {column}");
    let reason = text.strip_suffix(&place).unwrap_or(&text).to_owned();
    RegistryError {
        line,
        column,
        reason,
    }
}

/// One client, or an array of clients.
struct Document<'a>(&'a mut Known);

/// One client.
struct Element<'a>(&'a mut Known);

/// Errors that are raised in here get the place where the reader stands. One raised by a conversion
/// afterwards, as by `#[serde(try_from)]`, would get that of the next client, or none.
fn register<'de, M: MapAccess<'de>>(known: &mut Known, members: M) -> Result<(), M::Error> {
    let registration = Registration::deserialize(MapAccessDeserializer::new(members))?;
    let client_id = registration.client_id.clone();
    let refuse = |reason: Reason| M::Error::custom(format_args!("client {client_id:?}: {reason}"));

    let client = registration.client().map_err(refuse)?;
    if known.contains_key(&client_id) {
        return Err(refuse("this client_id is registered twice"));
    }
    known.insert(client_id, Arc::new(client));
    Ok(())
}

/// What is of the wrong type may be a secret in the wrong place, and serde would print it.
macro_rules! refuse_without_printing {
    ($($visit:ident($type:ty) = $name:literal),*) => {$(
        fn $visit<E: serde::de::Error>(self, _: $type) -> Result<Self::Value, E> {
            Err(E::invalid_type(Unexpected::Other($name), &self))
        }
    )*};
    (numbers) => {
        refuse_without_printing! {
            visit_u64(u64) = "number", visit_i64(i64) = "number", visit_f64(f64) = "number"
        }
    };
    (scalars) => {
        refuse_without_printing! { numbers }
        refuse_without_printing! { visit_str(&str) = "string" }
    };
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client or an array of clients")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<(), M::Error> {
        register(self.0, members)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut clients: S) -> Result<(), S::Error> {
        while clients.next_element_seed(Element(self.0))?.is_some() {}
        Ok(())
    }

    refuse_without_printing! { scalars }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<(), M::Error> {
        register(self.0, members)
    }

    refuse_without_printing! { scalars }
}

#[derive(Deserialize)]
struct Registration {
    client_id: String,
    client_secret: Option<Text>,
    client_secret_sha256: Option<Text>,
    client_secret_hmac_sha256: Option<Text>,
    client_secret_expires_at: Option<u64>,
    client_secrets: Option<Secrets>,
    token_endpoint_auth_method: Option<String>,
    token_endpoint_auth_methods: Option<Vec<String>>,
    basic_decoding: Option<Decoding>,
    disabled: Option<bool>,
    redirect_uris: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    scope: Option<String>,
    client_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decoding {
    Form,
    Raw,
    FormThenRaw,
}

impl Registration {
    fn client(self) -> Result<Client, Reason> {
        if self.client_id.is_empty() {
            return Err("client_id is empty");
        }
        let methods = methods(
            self.token_endpoint_auth_method,
            self.token_endpoint_auth_methods,
        )?;
        let beside = SecretMembers {
            plain: self.client_secret,
            sha256: self.client_secret_sha256,
            hmac_sha256: self.client_secret_hmac_sha256,
            expires_at: self.client_secret_expires_at,
        }
        .secret()?;
        let secrets = beside.into_iter().chain(
            self.client_secrets
                .into_iter()
                .flat_map(|secrets| secrets.0),
        );

        let mut client = Client::public(self.client_id);
        client.secrets = at_most_two(secrets)?;
        let has_secret = client.secrets.iter().any(Option::is_some);
        if has_secret && methods.contains(&AuthMethod::None) {
            return Err("a public client (`none`) has no secret");
        }
        if !has_secret && methods.iter().any(|method| needs_secret(*method)) {
            return Err("a confidential client needs a secret");
        }
        client.token_endpoint_auth_methods = methods;
        client.basic_decoding = match self.basic_decoding {
            None | Some(Decoding::Form) => BasicDecoding::Form,
            Some(Decoding::Raw) => BasicDecoding::Raw,
            Some(Decoding::FormThenRaw) => BasicDecoding::FormThenRaw,
        };
        client.disabled = self.disabled.unwrap_or_default();
        client.redirect_uris = self.redirect_uris.unwrap_or_default();
        if let Some(grant_types) = self.grant_types {
            client.grant_types = grant_types;
        }
        client.scope = self.scope;
        client.name = self.client_name;
        Ok(client)
    }
}

/// The methods that bind a client. One that is not known lets nobody in, so it need not be kept.
fn methods(one: Option<String>, list: Option<Vec<String>>) -> Result<Vec<AuthMethod>, Reason> {
    let names = match (one, list) {
        // RFC 7591 §2
        (None, None) => return Ok(vec![AuthMethod::ClientSecretBasic]),
        (Some(one), None) => vec![one],
        (None, Some(list)) => list,
        (Some(one), Some(list)) if list.contains(&one) => list,
        (Some(_), Some(_)) => {
            return Err("token_endpoint_auth_method is not among token_endpoint_auth_methods");
        }
    };
    if names.is_empty() {
        return Err("token_endpoint_auth_methods is empty");
    }
    if names.len() > 1 && names.iter().any(|name| name == AuthMethod::None.as_str()) {
        return Err("`none` stands beside another authentication method");
    }
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

fn needs_secret(method: AuthMethod) -> bool {
    matches!(
        method,
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost
    )
}

fn at_most_two(
    mut secrets: impl Iterator<Item = ClientSecret>,
) -> Result<[Option<ClientSecret>; 2], Reason> {
    let two = [secrets.next(), secrets.next()];
    match secrets.next() {
        None => Ok(two),
        Some(_) => Err("a client has two secrets at most"),
    }
}

/// The members that make one secret.
#[derive(Deserialize)]
struct SecretMembers {
    #[serde(rename = "client_secret")]
    plain: Option<Text>,
    #[serde(rename = "client_secret_sha256")]
    sha256: Option<Text>,
    #[serde(rename = "client_secret_hmac_sha256")]
    hmac_sha256: Option<Text>,
    #[serde(rename = "client_secret_expires_at")]
    expires_at: Option<u64>,
}

impl SecretMembers {
    fn secret(self) -> Result<Option<ClientSecret>, Reason> {
        let digest = match (self.plain, self.sha256, self.hmac_sha256) {
            (None, None, None) => None,
            (Some(secret), None, None) => Some(Ok(SecretDigest::sha256(&secret.0))),
            (None, Some(text), None) => Some(SecretDigest::from_encoded_sha256(text.0.expose())),
            (None, None, Some(text)) => {
                Some(SecretDigest::from_encoded_hmac_sha256(text.0.expose()))
            }
            _ => return Err("one secret is written in two ways"),
        };
        let expires_at = match self.expires_at {
            None | Some(0) => None,
            Some(_) if digest.is_none() => {
                // Whoever wrote it meant a secret to end, and it would not.
                return Err("client_secret_expires_at has no secret beside it");
            }
            Some(seconds) => Some(
                SystemTime::UNIX_EPOCH
                    .checked_add(Duration::from_secs(seconds))
                    .ok_or("client_secret_expires_at is later than any clock shows")?,
            ),
        };
        digest
            .transpose()
            .map(|digest| digest.map(|digest| ClientSecret { digest, expires_at }))
            .map_err(|InvalidDigest| InvalidDigest::REASON)
    }
}

/// `client_secrets`
struct Secrets(Vec<ClientSecret>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Secrets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of secrets")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut array: S) -> Result<Secrets, S::Error> {
                let mut secrets = Vec::new();
                while let Some(secret) = array.next_element()? {
                    secrets.push(secret);
                }
                Ok(Secrets(secrets))
            }

            refuse_without_printing! { scalars }
        }

        json.deserialize_any(Array)
    }
}

impl<'de> Deserialize<'de> for ClientSecret {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = ClientSecret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a secret")
            }

            fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<ClientSecret, M::Error> {
                SecretMembers::deserialize(MapAccessDeserializer::new(members))?
                    .secret()
                    .and_then(|secret| secret.ok_or("an object in client_secrets has no secret"))
                    .map_err(M::Error::custom)
            }

            refuse_without_printing! { scalars }
        }

        json.deserialize_any(Object)
    }
}

/// A secret, or a digest of one.
struct Text(Secret);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Characters;

        impl Visitor<'_> for Characters {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() {
                    return Err(E::custom("a secret is empty"));
                }
                Ok(Text(Secret::from(text)))
            }

            refuse_without_printing! { numbers }
        }

        json.deserialize_any(Characters)
    }
}
