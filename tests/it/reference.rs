//! The reference pages say what the tables in the code say.

use glasshive::lab::{Options, Run, Scenario, reference, systems};
use std::fs;

#[test]
fn the_reference_pages_are_those_of_the_code() {
    for (name, text) in reference::pages() {
        let path = format!("{}/doc/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GLASSHIVE_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        let first = stored.lines().zip(text.lines()).find(|(stored, now)| stored != now);
        let hint = "GLASSHIVE_BLESS=1 cargo test --test it reference";
        assert!(
            stored == text,
            "doc/{name} is not what the tables say, first at {first:?}; write it with {hint}"
        );
    }
}

#[test]
fn the_figures_explained_are_those_that_a_run_has() {
    for kind in systems::all() {
        let run = Run::new(&Scenario::preset(kind.name, 1), Options::default()).unwrap();
        let figures = run.system().figures().to_json();
        let mut explained = reference::figure_keys(kind);
        explained.sort_unstable();
        let keys: Vec<&str> = figures.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(explained, keys, "{}", kind.name);
    }
}
