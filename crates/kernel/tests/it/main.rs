//! The kernel through its public door, one file per subject.
// The helpers are part of the tests, which clippy cannot see.
#![allow(clippy::unwrap_used)]

mod support;

mod basics;
mod cancel;
mod combinators;
mod joined;
mod notify;
mod random;
mod stuck;
