//! Which program has which shipped scenario, as `web/boot.js` is told: it has those of the systems whose features `index.html`
//! builds it with. After a change of the table of presets, or of the programs:
//! `GLASSHIVE_BLESS=1 cargo test --test it programs` writes the file anew.

use glasshive::lab::oracle::params::{HTTP, NATS};
use glasshive::lab::params::LARGER_ONLY;
use glasshive::lab::{presets, systems};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;

const FILE: &str = "web/presets.json";

/// Each program of the page with its features. The one that plays experiments has no page.
fn programs() -> Vec<(String, Vec<String>)> {
    built().into_iter().filter(|(_, features)| features.iter().any(|feature| feature == "page")).collect()
}

/// All that `index.html` has built.
fn built() -> Vec<(String, Vec<String>)> {
    let page = fs::read_to_string("index.html").expect("the page is there");
    let attribute = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let of = |line: &str| {
        let features = attribute(line, "data-cargo-features")?;
        Some((attribute(line, "data-bin")?, features.split(',').map(str::to_owned).collect()))
    };
    page.lines().filter(|line| line.contains("rel=\"rust\"")).filter_map(of).collect()
}

#[test]
fn one_program_plays_experiments_of_all_systems_and_draws_nothing() {
    let lab: Vec<_> =
        built().into_iter().filter(|(_, has)| has.iter().any(|feature| feature == "lab")).collect();
    let [(name, features)] = lab.as_slice() else { panic!("{lab:?}") };
    assert_eq!(name, "glasshive-lab");
    assert!(features.iter().all(|feature| feature != "page"), "{features:?}");
    for system in systems::all() {
        assert!(features.iter().any(|feature| feature == systems::feature(system)), "{features:?}");
    }
}

#[test]
fn one_program_has_the_panels_on_many_runs_and_no_system() {
    let study: Vec<_> = built().into_iter().filter(|(_, has)| has.iter().any(|f| f == "study")).collect();
    assert_eq!(study, [("glasshive-study".to_owned(), vec!["study".to_owned()])]);
    assert_eq!(programs().len() + 3, built().len());
}

#[test]
fn one_program_paints_crowded_boards_and_has_nothing_else() {
    let painter: Vec<_> = built().into_iter().filter(|(_, has)| has.iter().any(|f| f == "painter")).collect();
    assert_eq!(painter, [("glasshive-painter".to_owned(), vec!["painter".to_owned()])]);
}

fn has_panels(features: &[String]) -> bool {
    features.iter().any(|feature| feature == "workbench")
}

#[test]
fn the_boot_module_knows_which_program_has_a_scenario() {
    let mut table = Map::new();
    for (name, features) in programs() {
        let here =
            presets::all().filter(|preset| features.iter().any(|f| f == systems::feature(preset.system)));
        table.insert(name, here.map(|preset| preset.name).collect());
    }
    let text = serde_json::to_string_pretty(&table).expect("JSON") + "\n";
    if std::env::var_os("GLASSHIVE_BLESS").is_some() {
        fs::write(FILE, &text).expect("the file can be written");
    }
    assert_eq!(
        fs::read_to_string(FILE).expect("the file is there"),
        text,
        "{FILE} is not the table of presets"
    );
}

#[test]
fn the_boot_module_knows_what_only_larger_programs_have() {
    let keys: BTreeSet<&str> = LARGER_ONLY.split(' ').collect();
    let sizing = [HTTP, NATS].into_iter().flatten().map(|param| param.key);
    let before = ["register", "step", "delay-max"];
    let all: BTreeSet<&str> = sizing.collect();
    assert!(keys.is_subset(&all) && before.iter().all(|key| all.contains(key) && !keys.contains(key)));
    assert_eq!(all.len() - keys.len(), 32, "all others are in the program that the page opens with");
    let boot = fs::read_to_string("web/boot.js").expect("the boot module is there");
    assert!(boot.contains(&format!("\"{LARGER_ONLY}\"")), "web/boot.js has other words");
}

#[test]
fn one_program_opens_the_page_and_each_scenario_is_in_one_that_has_the_panels() {
    let (programs, all) = (programs(), presets::all());
    let names: Vec<&str> = programs.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.is_sorted(), "the first in the file is the one that the page opens with: {names:?}");
    let table: Value =
        serde_json::from_str(&fs::read_to_string(FILE).expect("the file is there")).expect("JSON");
    assert_eq!(table[names[0]][0], json!(all.clone().next().map(|preset| preset.name)));
    assert!(!has_panels(&programs[0].1) && programs[1..].iter().all(|(_, features)| has_panels(features)));
    for preset in all {
        let having = programs[1..].iter().filter(|(name, _)| {
            table[name].as_array().is_some_and(|names| names.iter().any(|name| name == preset.name))
        });
        assert_eq!(having.count(), 1, "{}", preset.name);
    }
}
