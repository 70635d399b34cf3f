//! The native integration tests, one file per subject.

mod tidy;
