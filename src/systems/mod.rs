//! The simulated systems, one folder each, with the same file names in each.
//!
//! A system is parameters and a seed in, an outcome and a trace out. Its roles are plain `async` functions that read
//! as if they ran against the real services.

pub mod config;
pub mod facts;
pub mod oracle;
pub mod wizard;
