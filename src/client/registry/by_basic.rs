//! Which reading of Basic is the client's?

use std::sync::Arc;

use hyper::Request;

use super::{BasicDecoding, Client, ClientAuthenticator, Clients, hashed::Hashed};
use crate::{
    client::{AuthMethod, Basic, Credentials, Refusal},
    error::{Error, ErrorKind},
    token::Secret,
};

/// Whose identifier it is, if it was found out.
type Found = Result<Result<Arc<Client>, Refusal>, Error>;

impl<L: Clients> ClientAuthenticator<L> {
    /// Where the readings differ, both are looked up and proven until one is right, whatever the
    /// client is registered for: that must not show in the time that it takes to refuse.
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
                // The client's other reading decides, if that is another one of the same client.
                Ok(Ok(_)) => (Err(Refusal::WrongSecret), !one_client),
                Ok(Err(refusal)) => (Err(refusal), true),
                Err(error) => {
                    failures.add(error);
                    continue;
                }
            };
            match self.prove(&mut hashed, &secret, client).await {
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

    /// A reading that is wrong is a failure, whatever became of the other one: else guesses whose
    /// other reading cannot be judged would count for nothing.
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

/// Whether the raw reading is the form-decoded one. Both come from the same peer, so time tells it
/// nothing.
fn same(form: Option<&(String, Secret)>, (id, secret): &(String, Secret)) -> bool {
    form.is_some_and(|form| form.0 == *id && form.1.expose() == secret.expose())
}
