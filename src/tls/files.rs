//! Certificates in files.

use std::fs;

use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{TlsError, builder, parse_roots, system_roots};

/// A file, and the parameter that names it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) parameter: &'static str,
    pub(crate) path: String,
}

/// Files of certificates in PEM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// The root certificates to trust instead of those of the system.
    pub(crate) roots: Option<File>,
    /// The certificate of this client and its key.
    pub(crate) client: Option<(File, File)>,
}

impl Files {
    /// Reads the files and makes a configuration of them.
    ///
    /// # Errors
    ///
    /// Fails with one line that says what to change, and contains nothing of the files.
    pub(crate) fn config(&self) -> Result<ClientConfig, String> {
        let roots = match &self.roots {
            Some(file) => file.parse(parse_roots)?,
            None => system_roots().map_err(|error| {
                format!("{error}: install them, or name a CA with `sslrootcert=FILE`")
            })?,
        };
        let config = builder(roots).map_err(|error| error.to_string())?;
        let Some((chain, key)) = &self.client else {
            return Ok(config.with_no_client_auth());
        };
        let identity = (chain.parse(certificates)?, key.parse(private_key)?);
        config
            .with_client_auth_cert(identity.0, identity.1)
            .map_err(|_| {
                format!(
                    "`{}` is not the key of the certificate in `{}`: give both of one pair",
                    key.parameter, chain.parameter,
                )
            })
    }
}

impl File {
    fn parse<T>(&self, parse: impl FnOnce(&[u8]) -> Result<T, TlsError>) -> Result<T, String> {
        let Self { parameter, path } = self;
        let content = fs::read(path)
            .map_err(|error| format!("the file {path} of `{parameter}` cannot be read: {error}"))?;
        parse(&content)
            .map_err(|error| format!("the file {path} of `{parameter}` cannot be used: {error}"))
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let wrong = TlsError::new("it has no certificate in PEM");
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(wrong),
        Err(error) => Err(wrong.caused_by(error)),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|error| TlsError::new("it has no private key in PEM").caused_by(error))
}
