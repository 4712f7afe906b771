//! Verifies Basic credentials, which clients encode in two ways.

use std::sync::Arc;

use hyper::Request;

use super::{BasicDecoding, Client, ClientAuthenticator, Clients, hashed::Hashed};
use crate::{
    client::{AuthMethod, Basic, Credentials, Refusal},
    error::{Error, ErrorKind},
    token::Secret,
};

/// The lookup of a client: the client, why it is refused, or why the lookup failed.
type Found = Result<Result<Arc<Client>, Refusal>, Error>;

impl<L: Clients> ClientAuthenticator<L> {
    /// If the two readings differ, both are looked up and verified until one is correct, whatever
    /// the client is registered for. Otherwise the time of a refusal would reveal the registration.
    pub(super) async fn by_basic(
        &self,
        request: &Request<Credentials>,
        basic: &Basic,
    ) -> Result<Arc<Client>, Error> {
        let form = basic.form_decoded();
        let raw = basic.raw().filter(|raw| !same(form.as_ref(), raw));
        let one_client = matches!((&form, &raw), (Some(form), Some(raw)) if form.0 == raw.0);

        let mut hashed = Hashed::of(self, request);
        let mut found: Option<Found> = None;
        let mut failures = Failures::default();
        for (reading, decoding) in [(form, BasicDecoding::Form), (raw, BasicDecoding::Raw)] {
            let Some((client_id, secret)) = reading else {
                continue;
            };
            let client = match found.take() {
                Some(found) if one_client => found,
                _ => self.by_id(request, &client_id).await,
            };
            found = Some(client.clone());
            let (client, decides) = match client {
                Ok(Ok(client)) if is_read_by(&client, decoding) => (Ok(client), true),
                // If the other reading names the same client, only that reading decides.
                Ok(Ok(_)) => (Err(Refusal::WrongSecret), !one_client),
                Ok(Err(refusal)) => (Err(refusal), true),
                Err(error) => {
                    failures.add(error);
                    continue;
                }
            };
            match self.verify_secret(&mut hashed, &secret, client).await {
                Ok(client) => return Ok(client),
                Err(error) if decides => failures.add(error),
                Err(_) => {}
            }
        }
        Err(failures.error())
    }

    async fn by_id(&self, request: &Request<Credentials>, client_id: &str) -> Found {
        let methods = [AuthMethod::ClientSecretBasic];
        self.lookup(request, client_id, &methods).await
    }
}

/// Why each of the readings failed.
#[derive(Default)]
struct Failures {
    wrong: Option<Refusal>,
    unknown: Option<Error>,
}

impl Failures {
    fn add(&mut self, error: Error) {
        if error.kind() == ErrorKind::InvalidClient {
            self.wrong = self.wrong.or(error.refusal());
        } else {
            self.unknown.get_or_insert(error);
        }
    }

    /// If one reading is wrong, the attempt counts as a failure even if the other reading could not
    /// be checked. Otherwise an attacker could guess without limit, with secrets whose other
    /// reading cannot be checked.
    fn error(self) -> Error {
        match (self.wrong, self.unknown) {
            (Some(refusal), None) => Error::refused(refusal),
            (Some(refusal), Some(error)) => Error::refused(refusal).caused_by(error),
            (None, Some(error)) => error,
            (None, None) => Error::refused(Refusal::NoCredentials),
        }
    }
}

fn is_read_by(client: &Client, decoding: BasicDecoding) -> bool {
    let registered = client.basic_decoding();
    registered == decoding || registered == BasicDecoding::FormThenRaw
}

/// Whether both readings are the same. Both come from the same peer, so this comparison reveals
/// nothing to it.
fn same(form: Option<&(String, Secret)>, (id, secret): &(String, Secret)) -> bool {
    form.is_some_and(|form| form.0 == *id && form.1.expose() == secret.expose())
}
