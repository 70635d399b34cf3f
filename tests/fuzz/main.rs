//! Differential fuzzers: the same random input for a model and for the real server on loopback, seeded and bounded, and a
//! mismatch cut down to its shortest form. They run with `GLASSHIVE_REAL=1` only (`script/conformance`).
#![cfg(not(target_arch = "wasm32"))]
// The helpers are part of the tests, which clippy cannot see.
#![allow(clippy::unwrap_used)]

mod dates;
mod nats;
mod sessions;
mod store;
mod store_input;
mod store_peer;
mod store_talk;

/// How much is to be tried: the number in an environment variable, or `default`.
fn amount(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The first sequence's seed, and whether it is the only one.
fn seeds() -> (u64, bool) {
    let given = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let only = given("GLASSHIVE_SEED");
    (only.or(given("GLASSHIVE_FROM")).unwrap_or(0), only.is_some())
}

/// Whether the real servers are wanted.
fn is_real() -> bool {
    std::env::var("GLASSHIVE_REAL").as_deref() == Ok("1")
}

/// Removes from `steps` whatever `still_fails` does without, to the shortest form that removing single steps leads to.
fn shrink<T: Clone>(steps: &mut Vec<T>, mut still_fails: impl FnMut(&[T]) -> bool) {
    let mut width = (steps.len() / 2).max(1);
    loop {
        let (mut at, before) = (0, steps.len());
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + width).min(steps.len()));
            if still_fails(&fewer) {
                *steps = fewer;
            } else {
                at += width;
            }
        }
        match width {
            1 if steps.len() == before => return,
            _ => width = (width / 2).max(1),
        }
    }
}

#[test]
fn a_mismatch_is_cut_down_to_what_it_needs() {
    let mut steps: Vec<u32> = (0..100).collect();
    shrink(&mut steps, |steps| steps.contains(&7) && steps.contains(&70));
    assert_eq!(steps, [7, 70]);
}
