//! The files of certificates that a URL names.

use super::{Parameters, Wrong};
use crate::tls::{File, Files};

/// Takes `sslrootcert`, `sslcert` and `sslkey`. `otherwise` finds what the URL does not say.
pub(in crate::log::fleet) fn files(
    parameters: &mut Parameters,
    otherwise: &dyn Fn(&str) -> Option<String>,
) -> Result<Files, Wrong> {
    let mut file = |parameter: &'static str| {
        let path = parameters.take(parameter).or_else(|| otherwise(parameter));
        match path {
            Some(path) if path.is_empty() => Err(Wrong::new(format!(
                "`{parameter}` must be the path of a file"
            ))),
            path => Ok(path.map(|path| File { parameter, path })),
        }
    };
    let client = match (file("sslcert")?, file("sslkey")?) {
        (Some(chain), Some(key)) => Some((chain, key)),
        (None, None) => None,
        _ => {
            return Err(Wrong::new(
                "`sslcert` and `sslkey` belong together: give both",
            ));
        }
    };
    // As in libpq: those of the system.
    let roots = file("sslrootcert")?.filter(|roots| roots.path != "system");
    Ok(Files { roots, client })
}
