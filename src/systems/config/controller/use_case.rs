//! Use cases: read the configuration, read its history, change it. They know the domain, and a repository by what it
//! can do.

use super::domain::{InvalidField, Settings, Version};
use crate::kernel::Instant;

/// How many versions the history shows.
const HISTORY_MAX: usize = 100;

/// Where versions are kept.
pub(super) trait Repository {
    /// The newest version.
    fn newest(&self) -> Option<Version>;

    /// The newest versions, newest first, at most so many.
    fn history(&self, most: usize) -> Vec<Version>;

    /// Makes the version that `decide` returns durable. Of several commits each sees what the one before it left;
    /// `decide` gets the newest version and the time.
    async fn commit(
        &self,
        decide: impl FnOnce(Option<&Version>, Instant) -> Result<Version, Refused>,
    ) -> Result<Version, Refused>;
}

/// Why a change was not made.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// The settings are not valid.
    Invalid(InvalidField),
    /// The newest version, or its absence, is not what the author expected.
    Conflict(Option<Version>),
}

/// The newest version.
pub(super) fn read(repository: &impl Repository) -> Option<Version> {
    repository.newest()
}

/// The newest versions, newest first.
pub(super) fn history(repository: &impl Repository) -> Vec<Version> {
    repository.history(HISTORY_MAX)
}

/// Makes `settings` the next version, if they are valid and the newest version is as `expected`. It is durable when
/// this returns, and before `announce` is told its number.
pub(super) async fn change(
    repository: &impl Repository,
    announce: impl Fn(u64),
    settings: Settings,
    expected: impl FnOnce(Option<&Version>) -> bool,
) -> Result<Version, Refused> {
    settings.check().map_err(Refused::Invalid)?;
    let decide = |newest: Option<&Version>, now| match expected(newest) {
        true => Ok(Version::after(newest, settings, now)),
        false => Err(Refused::Conflict(newest.cloned())),
    };
    let version = repository.commit(decide).await?;
    announce(version.number);
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::cell::{Cell, RefCell};

    /// A repository without a disk: the use cases need no more.
    #[derive(Default)]
    struct InMemory(RefCell<Vec<Version>>);

    impl Repository for InMemory {
        fn newest(&self) -> Option<Version> {
            self.0.borrow().last().cloned()
        }

        fn history(&self, most: usize) -> Vec<Version> {
            self.0.borrow().iter().rev().take(most).cloned().collect()
        }

        async fn commit(
            &self,
            decide: impl FnOnce(Option<&Version>, Instant) -> Result<Version, Refused>,
        ) -> Result<Version, Refused> {
            let version = decide(self.newest().as_ref(), Instant::ZERO)?;
            self.0.borrow_mut().push(version.clone());
            Ok(version)
        }
    }

    fn put(repository: &InMemory, rate: f64, expected: Option<u64>) -> Result<Version, Refused> {
        let settings = Settings { rate, query: "BTC/USD".to_owned(), ..Settings::default() };
        let as_expected = |newest: Option<&Version>| newest.map(|version| version.number) == expected;
        let announced = Cell::new(0);
        let changed = change(repository, |number| announced.set(number), settings, as_expected);
        let changed = changed.now_or_never().unwrap();
        assert_eq!(announced.get(), changed.as_ref().map_or(0, |version| version.number));
        changed
    }

    #[test]
    fn a_change_is_made_once_and_a_stale_author_learns_of_the_newest() {
        let repository = InMemory::default();
        let first = put(&repository, 1.0, None).unwrap();
        let second = put(&repository, 2.0, Some(1)).unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(put(&repository, 3.0, Some(1)), Err(Refused::Conflict(Some(second.clone()))));
        assert!(
            matches!(put(&repository, 0.0, Some(2)), Err(Refused::Invalid(wrong)) if wrong.field == "rate")
        );
        assert_eq!(read(&repository), Some(second.clone()));
        assert_eq!(history(&repository), [second, first]);
    }

    #[test]
    fn the_history_is_bounded() {
        let repository = InMemory::default();
        for n in 0..150 {
            put(&repository, 1.0, (n > 0).then_some(n)).unwrap();
        }
        let numbers: Vec<u64> = history(&repository).iter().map(|version| version.number).collect();
        assert_eq!(numbers, (51..=150).rev().collect::<Vec<_>>());
    }
}
