//! One of two logs, chosen at run time.

use std::{future::Future, sync::Weak, time::Duration};

use futures::future::Either as EitherFuture;
use tower::util::Either;

use super::{
    Appended, Durability, LogError, LogHealth, Position, Reader, Revocation, RevocationLog,
    Selector,
};

impl<A: RevocationLog, B: RevocationLog> RevocationLog for Either<A, B> {
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send {
        match self {
            Self::Left(log) => EitherFuture::Left(log.append(batch)),
            Self::Right(log) => EitherFuture::Right(log.append(batch)),
        }
    }

    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        match self {
            Self::Left(log) => EitherFuture::Left(log.append_at_most(new, batch)),
            Self::Right(log) => EitherFuture::Right(log.append_at_most(new, batch)),
        }
    }

    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        match self {
            Self::Left(log) => EitherFuture::Left(log.append_for(client, new, batch)),
            Self::Right(log) => EitherFuture::Right(log.append_for(client, new, batch)),
        }
    }

    fn health(&self) -> LogHealth {
        match self {
            Self::Left(log) => log.health(),
            Self::Right(log) => log.health(),
        }
    }

    fn follow(
        &self,
        reader: Weak<dyn Reader>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        match self {
            Self::Left(log) => EitherFuture::Left(log.follow(reader)),
            Self::Right(log) => EitherFuture::Right(log.follow(reader)),
        }
    }

    fn durability(&self) -> Durability {
        match self {
            Self::Left(log) => log.durability(),
            Self::Right(log) => log.durability(),
        }
    }

    fn lease(&self) -> Option<Duration> {
        match self {
            Self::Left(log) => log.lease(),
            Self::Right(log) => log.lease(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{super::LogErrorKind, *};

    /// A log whose answers say which method was called. None of them is that of a default.
    #[derive(Clone)]
    struct Probe(u64);

    impl Probe {
        fn position(&self, sequence: u64) -> Position {
            let epoch = self.0;
            Position { epoch, sequence }
        }
    }

    impl RevocationLog for Probe {
        async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
            Ok(self.position(1))
        }

        async fn append_at_most(
            &self,
            new: usize,
            _: Vec<Revocation>,
        ) -> Result<Option<Appended>, LogError> {
            Ok(Some(Appended::new(self.position(2), new)))
        }

        async fn append_for(
            &self,
            _: Selector,
            new: usize,
            _: Vec<Revocation>,
        ) -> Result<Option<Appended>, LogError> {
            Ok(Some(Appended::new(self.position(3), new)))
        }

        fn health(&self) -> LogHealth {
            let now = std::time::Instant::now();
            LogHealth::failing(LogError::new(LogErrorKind::Missing), now, now)
        }

        async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
            if let Some(reader) = reader.upgrade() {
                reader.complete(self.position(4), super::super::Moment::now());
            }
            Ok(())
        }

        fn durability(&self) -> Durability {
            Durability::Replicated
        }

        fn lease(&self) -> Option<Duration> {
            Some(Duration::from_secs(self.0))
        }
    }

    #[derive(Default)]
    struct Last(Mutex<Option<Position>>);

    impl Reader for Last {
        fn read(&self, _: &[Revocation]) {}

        fn complete(&self, position: Position, _: super::super::Moment) {
            *self.0.lock().unwrap() = Some(position);
        }

        fn forgotten(&self, _: crate::date::NumericDate) {}
    }

    #[tokio::test]
    async fn each_method_is_that_of_the_chosen_log() {
        let logs: [Either<Probe, Probe>; 2] = [Either::Left(Probe(7)), Either::Right(Probe(8))];
        for (log, epoch) in logs.into_iter().zip([7, 8]) {
            let at = |sequence| Position { epoch, sequence };
            assert_eq!(log.append(Vec::new()).await.unwrap(), at(1));
            let appended = log.append_at_most(5, Vec::new()).await.unwrap().unwrap();
            assert_eq!((appended.position, appended.added), (at(2), 5));
            let client = Selector::client("c");
            let appended = log
                .append_for(client, 6, Vec::new())
                .await
                .unwrap()
                .unwrap();
            assert_eq!((appended.position, appended.added), (at(3), 6));
            let last = Arc::new(Last::default());
            let reader: Arc<dyn Reader> = last.clone();
            log.follow(Arc::downgrade(&reader)).await.unwrap();
            assert_eq!(*last.0.lock().unwrap(), Some(at(4)));
            let cause = log.health().cause().map(LogError::kind);
            assert_eq!(cause, Some(LogErrorKind::Missing));
            assert_eq!(log.durability(), Durability::Replicated);
            assert_eq!(log.lease(), Some(Duration::from_secs(epoch)));
        }
    }
}
