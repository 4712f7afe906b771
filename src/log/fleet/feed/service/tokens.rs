//! The bearer tokens that a feed accepts: digests, read from a file again when it changes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::super::relay::Credential;
use crate::log::{LogError, LogErrorKind, observe};

/// The file is read again at most this often.
const PERIOD: Duration = Duration::from_secs(1);

/// A shorter token could be guessed.
const SHORTEST: usize = 20;

/// A larger file is not one of tokens.
const LARGEST_FILE: u64 = 64 * 1024;

pub(super) struct Tokens {
    path: PathBuf,
    known: Mutex<Known>,
}

struct Known {
    digests: Arc<[[u8; 32]]>,
    read: Instant,
}

impl Tokens {
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let known = Known {
            digests: read(path)?,
            read: Instant::now(),
        };
        Ok(Self {
            path: path.to_owned(),
            known: Mutex::new(known),
        })
    }

    /// Returns which of the tokens a request has.
    pub(super) async fn accept(&self, fields: &HeaderMap) -> Option<Credential> {
        self.refresh().await;
        let token = bearer(fields)?;
        // Equal digests are equal tokens, and comparing them tells nothing about either.
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.known().digests.clone();
        let found = known.iter().map(|known| known.ct_eq(&digest));
        let found = found.fold(Choice::from(0), |any, this| any | this);
        bool::from(found).then_some(Credential(digest))
    }

    /// Reads the file, unless it was read a moment ago. A file that is not usable changes nothing.
    async fn refresh(&self) {
        if !self.is_due() {
            return;
        }
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(Ok(digests)) => self.known().digests = digests,
            Ok(Err(error)) => {
                observe::periodic_task_failed("reading the tokens of the feed", &error);
            }
            // The runtime ends.
            Err(_) => {}
        }
    }

    /// Whether to read the file. Nobody else does it meanwhile then.
    fn is_due(&self) -> bool {
        let mut known = self.known();
        let is_due = known.read.elapsed() >= PERIOD;
        if is_due {
            known.read = Instant::now();
        }
        is_due
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Arc<[[u8; 32]]>, LogError> {
    let unreadable = |error: io::Error| {
        wrong(format!(
            "the tokens of the feed in {} cannot be read: {error}",
            path.display(),
        ))
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    let unusable = |why| {
        let path = path.display();
        wrong(format!(
            "the tokens of the feed in {path} are not usable: {why}"
        ))
    };
    if size > LARGEST_FILE {
        return Err(unusable("the file is larger than 64 kB"));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let digests: Result<Arc<[_]>, _> = lines
        .map(|token| {
            if token.len() < SHORTEST {
                return Err(unusable("a token has fewer than 20 characters"));
            }
            if !token.bytes().all(is_token_character) {
                return Err(unusable(
                    "a token has other characters than A-Z a-z 0-9 -._~+/=",
                ));
            }
            Ok(Sha256::digest(token).into())
        })
        .collect();
    let digests = digests?;
    if digests.is_empty() {
        return Err(unusable("write one token in each line"));
    }
    Ok(digests)
}

/// Those of RFC 6750 §2.1.
fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

fn bearer(fields: &HeaderMap) -> Option<&[u8]> {
    let mut values = fields.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

fn wrong(line: String) -> LogError {
    LogError::new(LogErrorKind::Misconfigured).caused_by(line)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use hyper::header::HeaderValue;

    use super::*;

    const ONE: &str = "abcdefghijklmnopqrst";
    const OTHER: &str = "ABCDEFGHIJKLMNOPQRST";

    fn with(value: &str) -> HeaderMap {
        let value = HeaderValue::try_from(value).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[tokio::test]
    async fn each_token_of_the_file_is_accepted_and_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{ONE}\r\n\n {OTHER}")).unwrap();
        let tokens = Tokens::open(file.path()).unwrap();
        let mut shown = Vec::new();
        for accepted in [ONE, OTHER] {
            let upper = tokens.accept(&with(&format!("Bearer {accepted}"))).await;
            let lower = tokens.accept(&with(&format!("bearer {accepted}"))).await;
            assert!(upper.is_some() && upper == lower);
            shown.push(upper);
        }
        assert_ne!(shown[0], shown[1]);
        for refused in [
            "",
            "Bearer",
            "Bearer ",
            ONE,
            &format!("Basic {ONE}"),
            &format!("Bearer {ONE} "),
            &format!("Bearer  {ONE}"),
            &format!("Bearer {}", &ONE[1..]),
        ] {
            assert_eq!(tokens.accept(&with(refused)).await, None, "{refused}");
        }
        let mut twice = with(&format!("Bearer {ONE}"));
        twice.append(AUTHORIZATION, twice[AUTHORIZATION].clone());
        assert_eq!(tokens.accept(&twice).await, None);
        assert_eq!(tokens.accept(&HeaderMap::new()).await, None);
    }

    #[tokio::test]
    async fn changed_file_counts_and_a_broken_one_does_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), ONE).unwrap();
        let tokens = Tokens::open(file.path()).unwrap();
        let make_due = || tokens.known().read -= PERIOD;
        let accepts = async |token| {
            let shown = tokens.accept(&with(&format!("Bearer {token}"))).await;
            shown.is_some()
        };
        fs::write(file.path(), OTHER).unwrap();
        make_due();
        assert!(accepts(OTHER).await);
        assert!(!accepts(ONE).await);
        fs::write(file.path(), "short").unwrap();
        make_due();
        assert!(accepts(OTHER).await);
    }

    #[test]
    fn file_without_usable_tokens_is_refused_without_naming_them() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for content in [
            "",
            "\n",
            "tooshort",
            "not a token of a feed",
            &"x\n".repeat(40_000),
        ] {
            fs::write(file.path(), content).unwrap();
            let error = Tokens::open(file.path()).err().unwrap();
            assert_eq!(error.kind(), LogErrorKind::Misconfigured);
            let line = error.source().unwrap().to_string();
            assert!(
                !line.contains("tooshort") && !line.contains("not a token"),
                "{line}"
            );
        }
        assert!(Tokens::open(Path::new("/nonexistent")).is_err());
    }
}
