//! What the tree promises about itself: versions, dependencies, module documents, lengths, and what no code may use.

use super::layers::blank;
use std::fs;
use std::path::Path;

const LINES_MAX: usize = 450;
/// Their bits differ between targets, and a run must not: below `app` such functions come from `libm`.
const FLOAT_FUNCTIONS: [&str; 25] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "exp", "exp2",
    "exp_m1", "hypot", "ln", "ln_1p", "log10", "log2", "powf", "powi", "sin", "sin_cos", "sinh", "tan",
    "tanh",
];

/// Every Rust file of a directory with its text, sorted by path.
fn rust_files(directory: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap().to_owned();
            if path.is_dir() {
                open.push(name);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// The sources of the libraries and the binaries.
pub fn sources() -> Vec<(String, String)> {
    let sources = [rust_files("crates/kernel/src"), rust_files("src")].concat();
    assert!(sources.len() > 40, "only {} sources were found", sources.len());
    sources
}

fn sources_and_tests() -> Vec<(String, String)> {
    [sources(), rust_files("crates/kernel/examples"), rust_files("crates/kernel/tests"), rust_files("tests")]
        .concat()
}

/// The code before the unit tests, without comments and literals; nothing of a file that has only tests.
fn code_of(path: &str, source: &str) -> String {
    let code =
        if path.ends_with("/tests.rs") || path.contains("/tests/") { String::new() } else { blank(source) };
    code.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// What of `forbidden` stands in a file's code, as `path:line: what`.
fn findings(path: &str, code: &str, forbidden: &[&str]) -> Vec<String> {
    let lines = code.lines().zip(1..);
    let found = lines.flat_map(|(line, number)| {
        let here = forbidden.iter().filter(move |word| stands_in(line, word));
        here.map(move |word| format!("{path}:{number}: {word}"))
    });
    found.collect()
}

/// True when `word` stands in the line and is not the end of a longer name.
fn stands_in(line: &str, word: &str) -> bool {
    let name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(place, _)| !(word.starts_with(name) && line[..place].ends_with(name)))
}

// --- the tests ----------------------------------------------------------------------------------------------------

#[test]
fn pinned_versions_agree_everywhere() {
    let versions = fs::read_to_string("script/versions.sh").unwrap();
    let cargo = fs::read_to_string("Cargo.toml").unwrap();
    let trunk = fs::read_to_string("Trunk.toml").unwrap();
    let version = versions.lines().find_map(|line| line.strip_prefix("WASM_BINDGEN_VERSION=")).unwrap();
    assert!(cargo.contains(&format!("wasm-bindgen = \"={version}\"")));
    assert!(trunk.contains(&format!("wasm_bindgen = \"{version}\"")));
}

#[test]
fn the_crates_of_the_page_are_dependencies_of_wasm32_only() {
    let cargo = fs::read_to_string("Cargo.toml").unwrap();
    let misplaced = web_dependencies_outside_wasm32(&cargo);
    assert!(misplaced.is_empty(), "{misplaced:?}");
    assert!(cargo.contains("\nleptos = ") && cargo.contains("\nweb-sys = "), "the page is built with them");
    // The check itself.
    let wrong = "[dependencies]\nserde = \"1\"\nleptos = \"0.8\"\n[target.'cfg(target_arch = \"wasm32\")'.dependencies]\nweb-sys = \"1\"\n[dev-dependencies.js-sys]\n";
    assert_eq!(web_dependencies_outside_wasm32(wrong), ["leptos = \"0.8\"", "[dev-dependencies.js-sys]"]);
}

fn web_dependencies_outside_wasm32(cargo: &str) -> Vec<&str> {
    let web = ["leptos", "web-sys", "js-sys", "gloo", "wasm-bindgen", "getrandom", "console_error"];
    let mut section = "";
    let mut misplaced = Vec::new();
    for line in cargo.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = if line.starts_with('[') { line.rsplit('.').next().unwrap_or_default() } else { line };
        let wasm_only = section.starts_with("[target.'cfg(target_arch = \"wasm32\")'");
        if !wasm_only && web.iter().any(|krate| name.starts_with(krate)) {
            misplaced.push(line);
        }
    }
    misplaced
}

#[test]
fn every_file_opens_with_what_it_is_for_and_none_is_too_long() {
    for (path, source) in sources_and_tests() {
        assert!(source.starts_with("//! "), "{path} does not begin with //!");
        let lines = source.lines().count();
        assert!(lines <= LINES_MAX, "{path} has {lines} lines; at most {LINES_MAX}");
    }
}

#[test]
fn nothing_is_left_undone_or_unwrapped_in_the_sources() {
    let forbidden = ["todo!", "unimplemented!", "dbg!", ".unwrap()", ".unwrap_unchecked()", "#[ignore"];
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, source)| findings(path, &code_of(path, source), &forbidden))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_test_is_ignored_or_measures_the_wall_clock() {
    let forbidden = ["#[ignore", "todo!", "unimplemented!", "std::time", "SystemTime", "thread::sleep"];
    let found: Vec<String> = sources_and_tests()
        .iter()
        // The page lives on wall time, and so do real servers and who waits for a search; the tests do not.
        .filter(|(path, _)| {
            !["src/ui", "src/js_api", "src/bin/glasshive/experiments", "tests/it/nats/real", "tests/fuzz/"]
                .iter()
                .any(|wall| path.starts_with(wall))
        })
        .flat_map(|(path, source)| findings(path, &blank(source), &forbidden))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_below_app_uses_what_differs_from_target_to_target_or_run_to_run() {
    let methods = FLOAT_FUNCTIONS.iter().map(|name| format!(".{name}("));
    let functions = FLOAT_FUNCTIONS.iter().map(|name| format!("f64::{name}"));
    // `futures::select!` picks at random among what is ready; a hasher of its own seeds itself.
    let others = ["select!", "std::thread", "thread_local!", "RandomState", "rand::"].map(str::to_owned);
    let forbidden: Vec<String> = methods.chain(functions).chain(others).collect();
    let forbidden: Vec<&str> = forbidden.iter().map(String::as_str).collect();
    let below_app = |path: &str| {
        // Threads that play whole runs, each in one thread: it makes no difference to a run in which.
        let plays = path == "src/lab/experiment/threads.rs";
        path.starts_with("crates/kernel/")
            || !plays
                && ["net", "substrate", "systems", "lab"]
                    .iter()
                    .any(|layer| path.starts_with(&format!("src/{layer}")))
    };
    let found: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| below_app(path))
        .flat_map(|(path, source)| findings(path, &code_of(path, source), &forbidden))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_search_finds_what_it_must_and_nothing_else() {
    let source = "fn f(x: f64) -> f64 {\n    x.ln() // .exp(\n}\nfn g() { select_biased! {} select! {} }\n\
                  const S: &str = \".unwrap()\";\n#[cfg(test)]\nmod tests { fn h() { None.unwrap() } }\n";
    let found = findings("a.rs", &code_of("a.rs", source), &[".ln(", ".exp(", "select!", ".unwrap()"]);
    assert_eq!(found, ["a.rs:2: .ln(", "a.rs:4: select!"]);
    assert_eq!(findings("a.rs", &blank(source), &[".unwrap()"]), ["a.rs:7: .unwrap()"]);
    assert_eq!(code_of("src/a/tests.rs", source), "");
    assert_eq!(code_of("src/a/tests/b.rs", source), "");
    assert!(!stands_in("my_todo!()", "todo!") && stands_in("= todo!()", "todo!"));
    assert!(Path::new("src/lib.rs").exists(), "tests run at the root of the package");
}
