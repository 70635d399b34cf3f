//! `doc/source-documents.md`: every demand of the source documents has the test that shows it, or a reason why there is none.

use std::fs;
use std::path::Path;

const FILE: &str = "doc/source-documents.md";
/// The documents, by their letter, and how many demands each has.
const DEMANDS: [(char, usize); 5] = [('A', 34), ('B', 19), ('C', 26), ('D', 24), ('E', 16)];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// What is wrong with a name in backquotes; nothing if it is a test, or a script that a test runs.
fn missing(name: &str) -> Option<String> {
    if name.ends_with(".sh") {
        let is_run = read("tests/it/by_hand.rs").contains(&format!("play(\"{name}\")"));
        let is_there = !read(&format!("examples/by-hand/{name}")).is_empty();
        return (!is_run || !is_there).then(|| format!("no test runs {name}"));
    }
    let (file, test) = name.split_once("::")?;
    let text = read(&format!("tests/it/{file}.rs"));
    // A name that a macro makes into a test counts: it stands there with a colon behind it.
    let is_there = text.contains(&format!("fn {test}(")) || text.contains(&format!("{test}:"));
    (!is_there).then(|| format!("no test {name}"))
}

#[test]
fn every_demand_has_its_test_or_a_reason() {
    let page = read(FILE);
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| no "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut wrong = Vec::new();
    let mut numbers = rows.iter().map(|row| row[1].to_owned());
    for (letter, count) in DEMANDS {
        for n in 1..=count {
            let expected = format!("{letter}{n}");
            let number = numbers.next().unwrap_or_default();
            if number != expected {
                wrong.push(format!("{number} in the place of {expected}"));
            }
        }
    }
    wrong.extend(numbers.map(|number| format!("{number} is not counted in this test")));
    for row in &rows {
        let (number, demand, shown) = (row[1], row[2], row[3]);
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        let has_reason = shown.starts_with("none") && shown.contains(": ") && shown.len() > 40;
        if demand.is_empty() || names.is_empty() && !has_reason {
            wrong.push(format!("{number} has neither a test nor a reason"));
        }
        if !has_reason {
            wrong.extend(names.iter().filter_map(|name| missing(name)).map(|why| format!("{number}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{FILE}:\n{}", wrong.join("\n"));
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    assert_eq!(missing("demands::a_test_that_is_not_there_is_missed"), None);
    assert!(missing("demands::no_such_test").is_some() && missing("no-such.sh").is_some());
}
