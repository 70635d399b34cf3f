//! The native integration tests, one file per subject. They go through the public door: the library's public
//! modules, or the binary.
#![cfg(not(target_arch = "wasm32"))]
// The helpers are part of the tests, which clippy cannot see.
#![allow(clippy::unwrap_used)]

mod support;

mod conditional;
mod http;
mod http_random;
mod http_urls;

mod nats;
mod rate_limit;
mod reference;
mod store;
mod stream;

mod draw_bits;
mod oracle;
mod oracle_delays;
mod oracle_faults;
mod oracle_lies;
mod oracle_load;
mod oracle_nats;
mod oracle_presence;
mod oracle_queues;
mod oracle_tasks;
mod oracle_tries;

mod config;
mod config_faults;
mod config_herd;
mod config_history;
mod config_lab;
mod config_operator;
mod config_staleness;
mod config_trigger;

mod wizard;
mod wizard_crashes;
mod wizard_dead;
mod wizard_lab;
mod wizard_runs;

mod gateway;
mod gateway_lab;

mod valkey_cases;
mod valkey_conformance;
mod valkey_net;
mod valkey_random;
mod valkey_real;
mod valkey_rows;

mod boards;
mod counts;
mod determinism;
mod draws;
mod edits;
mod golden;
mod golden_results;
mod handed;
mod hidden;
mod hostile;
mod joining;
mod links;
mod points;
mod session;
mod session_random;
mod stories;
mod surface;
mod undo;

mod aggregate;
mod by_hand;
mod cli;
mod curl;
mod curl_config;
mod experiments;
mod quantiles;
mod questions;
mod receipts;
mod stuck;

mod demands;
mod layers;
mod programs;
mod rooms;
mod scaling;
mod tidy;
mod tutorial;
mod walks;

// 200,000 requests: only worth their time when optimised, see script/test.
#[cfg(not(debug_assertions))]
mod closed_forms;
#[cfg(not(debug_assertions))]
mod intervals;
#[cfg(not(debug_assertions))]
mod wizard_theory;
