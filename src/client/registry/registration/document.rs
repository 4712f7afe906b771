//! Reads a document of clients, with the position of each error.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};

use super::{Reason, Registration};
use crate::client::registry::{Client, RegistryError};

type Known = HashMap<String, Arc<Client>>;

/// With `issuers`, every client belongs to one or more of them.
pub(in crate::client::registry) fn read(
    json: &str,
    issuers: Option<&[&str]>,
) -> Result<Known, RegistryError> {
    let mut clients = Clients {
        known: Known::new(),
        issuers,
    };
    let mut json = serde_json::Deserializer::from_str(json);
    Document(&mut clients)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| refusal(&error))?;
    Ok(clients.known)
}

/// The clients that were read, and whose they may be.
struct Clients<'a> {
    known: Known,
    issuers: Option<&'a [&'a str]>,
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
struct Document<'a, 'i>(&'a mut Clients<'i>);

/// One client.
struct Element<'a, 'i>(&'a mut Clients<'i>);

/// Errors that are raised in here get the current position of the reader. An error that a
/// conversion raises afterwards, such as `#[serde(try_from)]`, would get the position of the next
/// client, or none.
fn register<'de, M: MapAccess<'de>>(clients: &mut Clients<'_>, members: M) -> Result<(), M::Error> {
    let registration = Registration::deserialize(MapAccessDeserializer::new(members))?;
    let client_id = registration.client_id.clone();
    let refuse = |reason: Reason| M::Error::custom(format_args!("client {client_id:?}: {reason}"));

    let mut client = registration.client().map_err(refuse)?;
    if let Some(issuers) = clients.issuers {
        belongs_to(&mut client, issuers).map_err(refuse)?;
    }
    if clients.known.contains_key(&client_id) {
        return Err(refuse("the client_id is registered twice".into()));
    }
    clients.known.insert(client_id, Arc::new(client));
    Ok(())
}

/// Whether the client belongs to issuers of this server, and to which.
fn belongs_to(client: &mut Client, issuers: &[&str]) -> Result<(), Reason> {
    let mut theirs = client.issuers.iter();
    if let Some(other) = theirs.find(|it| !issuers.contains(&it.as_str())) {
        let reason = format!("{other:?} in `issuers` is not an issuer of this server");
        return Err(reason.into());
    }
    if issuers.len() == 1 {
        // All tokens are those of this issuer, even if they do not say so.
        client.issuers.clear();
    } else if client.issuers.is_empty() {
        let reason = "there are several issuers: name those of the client in `issuers`";
        return Err(reason.into());
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
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

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<(), M::Error> {
        register(self.0, members)
    }

    refuse_without_printing! { scalars }
}
