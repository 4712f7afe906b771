//! Where clients are looked up.

use std::{future::Future, sync::Arc};

use tower::BoxError;

use super::Client;

/// Where clients are looked up.
///
/// [`Registry`] is one, in memory. A database is another:
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
    /// The client of this identifier, or `None` if there is certainly none.
    ///
    /// **Identifiers are compared byte for byte, without normalisation**: a client that answers to
    /// another one, as from a column that ignores case, is not taken for it.
    ///
    /// # Errors
    ///
    /// If it could not be found out. The endpoint then answers 503, not 401.
    fn client(
        &self,
        client_id: &str,
    ) -> impl Future<Output = Result<Option<Arc<Client>>, BoxError>> + Send;

    /// Whether the secret of any client may be kept as a password hash. Defaults to `true`: a
    /// database would have to be searched.
    ///
    /// Where passwords are verified, a wrong secret of a client without a hash costs as much as one
    /// of a client with a hash. `false` saves that. **Where there is a client with a hash all the
    /// same, the time that an answer takes then tells which one it is.**
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
