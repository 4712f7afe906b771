//! Where clients are looked up.

use std::{future::Future, sync::Arc};

use tower::BoxError;

use super::Client;

/// Looks up clients.
///
/// [`Registry`](super::Registry) keeps them in memory,
/// [`ReloadingRegistry`](super::ReloadingRegistry) in a file. Implement this trait for your
/// database:
///
/// ```
/// use std::sync::Arc;
/// use tower::BoxError;
/// use tower_revocation::client::{SecretDigest, registry::{Client, Clients}};
///
/// # struct Row { client_id: String, digest: String }
/// # struct Pool;
/// # impl Pool { async fn row(&self, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) } }
/// struct Database(Pool);
///
/// impl Clients for Database {
///     async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
///         let Some(row) = self.0.row(client_id).await? else {
///             return Ok(None);
///         };
///         let digest = SecretDigest::from_encoded_sha256(&row.digest)?;
///         Ok(Some(Arc::new(Client::confidential(row.client_id, digest))))
///     }
/// }
/// ```
pub trait Clients {
    /// Returns the client with this identifier, or `None` if there certainly is none.
    ///
    /// **Identifiers are compared byte for byte, without normalisation.** If the returned client
    /// has another identifier, for example because the column ignores case, it is treated as not
    /// found.
    ///
    /// # Errors
    ///
    /// Fails if the lookup failed. The endpoint then returns 503, not 401.
    fn client(
        &self,
        client_id: &str,
    ) -> impl Future<Output = Result<Option<Arc<Client>>, BoxError>> + Send;

    /// Returns whether the secret of any client may be stored as a password hash. Defaults to
    /// `true`, because a database would have to be searched.
    ///
    /// If the authenticator verifies passwords, a wrong secret costs the same work for a client
    /// with a hash and for a client without one. `false` saves this work. **If you return `false`
    /// although a client has a hash, response times reveal which client has one.**
    fn have_password_hashes(&self) -> bool {
        true
    }
}

impl<T: Clients> Clients for Arc<T> {
    fn client(
        &self,
        client_id: &str,
    ) -> impl Future<Output = Result<Option<Arc<Client>>, BoxError>> + Send {
        (**self).client(client_id)
    }

    fn have_password_hashes(&self) -> bool {
        (**self).have_password_hashes()
    }
}
