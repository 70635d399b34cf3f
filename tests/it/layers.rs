//! The layers: each module knows only those below it, and nothing below `app` knows the web.
//!
//! The sources are read as text, with comments and string literals blanked out. The checker is tested on made-up
//! sources first, so a green test means that it looked.

use super::tidy::sources;

/// From the lowest to the highest. Those in one row may know each other.
const LAYERS: [&[&str]; 9] = [
    &["kernel"],
    &["net"],
    &["substrate"],
    &["systems"],
    &["lab"],
    &["app"],
    &["painter"],
    &["ui", "js_api", "lab_program", "painter_program", "study"],
    &["main", "bin"],
];
/// The crates of the page, which only `app` and what is above it may name.
const WEB_CRATES: [&str; 10] = [
    "console_error_panic_hook",
    "getrandom",
    "gloo",
    "gloo_timers",
    "js_sys",
    "leptos",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "wasm_bindgen_test",
    "web_sys",
];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// The module of a file such as `src/lab/run.rs`; `None` for `src/lib.rs`, which declares them all. The lowest layer is
/// a crate: that it imports none of the others, the compiler sees to.
fn module_of(path: &str) -> Option<&str> {
    if path.starts_with("crates/kernel/") {
        return Some("kernel");
    }
    let rest = path.strip_prefix("src/")?;
    let module = rest.split('/').next()?;
    let module = module.strip_suffix(".rs").unwrap_or(module);
    (module != "lib").then_some(module)
}

/// What is wrong with one file: a line for each import upwards and each web crate too low.
pub fn complaints(path: &str, source: &str) -> Vec<String> {
    let Some(module) = module_of(path) else {
        return Vec::new();
    };
    let Some(own) = rank(module) else {
        return vec![format!("{path}: {module} is in no layer; say where it stands")];
    };
    let code = blank(source);
    let mut complaints = Vec::new();
    for other in paths_into_the_crate(&code) {
        match rank(&other) {
            Some(rank) if rank > own => {
                complaints.push(format!("{path}: {module} imports {other}, a higher layer"))
            }
            _ => {}
        }
    }
    let app = rank("app").expect("app is a layer");
    for word in words(&code).filter(|word| WEB_CRATES.contains(word) && own < app) {
        complaints.push(format!("{path}: {word} below app"));
    }
    complaints
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The top modules that `crate::…` (or, in a binary, `glasshive::…`) leads to: `crate::a::b`, `crate::{a, b::c}`.
/// A path may reach the root by `super` as well: that is for `climbs` to find.
fn paths_into_the_crate(code: &str) -> Vec<String> {
    let dense: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut modules = Vec::new();
    for root in ["crate", "glasshive"] {
        let mut rest = dense.as_str();
        while let Some(place) = rest.find(root) {
            let starts_word = !rest[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            rest = &rest[place + root.len()..];
            let tail = rest.trim_start();
            if let Some(tail) = tail.strip_prefix("::").filter(|_| starts_word) {
                modules.extend(heads(tail.trim_start()));
            }
        }
    }
    modules
}

/// The first names of a use tree: `a::b` gives a; `{a::{b, c}, d as e}` gives a and d.
fn heads(tree: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(inside) = tree.strip_prefix('{') else {
        return vec![name(tree)];
    };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (i, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&inside[start..i]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&inside[start..i]));
                start = i + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// True when a file climbs by `super` to the crate's root, where `complaints` cannot follow it.
fn climbs(path: &str, source: &str) -> bool {
    // src/net/mod.rs is one step below the root, src/net/link.rs two, and a module of tests one more.
    let depth = path.matches('/').count() - usize::from(path.ends_with("/mod.rs"));
    if module_of(path).is_none_or(|module| ["kernel", "main", "bin"].contains(&module)) {
        return false;
    }
    let code = blank(source);
    let (code, tests) = code.split_once("#[cfg(test)]").unwrap_or((&code, ""));
    let reaches = |code: &str, steps: usize| {
        let dense: String = code.split_whitespace().collect();
        dense.contains(&"super::".repeat(steps))
    };
    reaches(code, depth) || reaches(tests, depth + 1)
}

/// The source with comments, strings and characters replaced by spaces; line breaks stay.
pub fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'r' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_string(rest),
            '"' => quoted(rest, '"'),
            // A lifetime has no closing quote nearby.
            '\'' if rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'') => quoted(rest, '\''),
            _ => 0,
        };
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// The length of the raw string at the start; 0 if there is none.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|&b| b == b'#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = &text[2 + hashes..];
    body.find(&end).map_or(text.len(), |place| 2 + hashes + place + end.len())
}

/// The length of the literal at the start, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    text.len()
}

// --- the tests ----------------------------------------------------------------------------------------------------

#[test]
fn no_layer_imports_a_higher_one_and_no_web_crate_stands_below_app() {
    let all: Vec<String> = sources().iter().flat_map(|(path, source)| complaints(path, source)).collect();
    assert!(all.is_empty(), "{all:#?}");
    let climbing: Vec<String> =
        sources().into_iter().filter(|(path, source)| climbs(path, source)).map(|(path, _)| path).collect();
    assert!(climbing.is_empty(), "these leave their module by super::, use crate:: there: {climbing:?}");
}

#[test]
fn every_layer_has_sources() {
    let sources = sources();
    for layer in ["kernel", "net", "substrate", "systems", "lab", "app", "main", "bin"] {
        assert!(sources.iter().any(|(path, _)| module_of(path) == Some(layer)), "{layer} has no file");
    }
}

#[test]
fn the_checker_finds_what_it_must() {
    for (path, source, count) in [
        ("src/net/a.rs", "use crate::substrate::http;", 1),
        ("src/net/a.rs", "use crate::{kernel::Sim, substrate::http};", 1),
        (
            "src/net/a.rs",
            "use crate::{\n    lab::{Run, Scenario},\n    substrate,\n    app as player,\n};",
            3,
        ),
        ("src/net/a.rs", "fn f() { let x = crate::lab::Run::new(); }", 1),
        ("src/net/a.rs", "fn f() { crate :: systems :: oracle::start() }", 1),
        ("src/net.rs", "pub use crate::substrate::http;", 1),
        ("src/lab/a.rs", "type T = Box<dyn Fn(crate::app::Player)>;", 1),
        ("src/app/a.rs", "use crate::ui::mount;", 1),
        ("src/ui/a.rs", "use crate::main;", 1),
        ("src/lab/a.rs", "use leptos::prelude::*;", 1),
        ("src/systems/a.rs", "let now = web_sys::window();", 1),
        ("crates/kernel/src/a.rs", "getrandom::fill(&mut seed);", 1),
        ("src/net/a.rs", "#[wasm_bindgen]\nfn f() {}", 1),
        ("src/lab/a.rs", "use gloo_timers::future::sleep; use js_sys::Date;", 2),
        ("src/stray/a.rs", "", 1),
    ] {
        let found = complaints(path, source);
        assert_eq!(found.len(), count, "{path}: {source}: {found:?}");
    }
}

#[test]
fn the_checker_leaves_alone_what_is_allowed() {
    for (path, source) in [
        ("src/lib.rs", "pub mod ui; pub use crate::app::Player;"),
        ("src/lab/a.rs", "use crate::{kernel::Sim, net::{Net, NodeId}, systems};"),
        ("src/net/a.rs", "use crate::net::Rule; use super::link::Fate;"),
        (
            "src/net/a.rs",
            "//! See crate::lab::Run.\n/* crate::app */ const S: &str = \"crate::ui::mount leptos\";",
        ),
        (
            "src/net/a.rs",
            "const S: &str = r#\"a \" crate::lab \"#; const C: char = '\"'; const D: char = '\\'';",
        ),
        ("src/net/a.rs", "fn f<'a>(x: &'a str) -> &'a str { x } // leptos"),
        ("src/net/a.rs", "use other_crate::lab::Run; let app = my::app::Thing;"),
        ("src/ui/a.rs", "use leptos::prelude::*; use crate::app::Player; use crate::js_api;"),
        ("src/app/a.rs", "use web_sys::window; use crate::lab::Run;"),
        ("src/bin/glasshive.rs", "use glasshive::lab::Run; use glasshive::kernel::Sim;"),
    ] {
        assert_eq!(complaints(path, source), [""; 0], "{path}: {source}");
    }
}

#[test]
fn the_checker_sees_a_climb_to_the_root() {
    for (path, source, expected) in [
        ("src/net/mod.rs", "use super::lab::Run;", true),
        ("src/net/link.rs", "use super::super::lab::Run;", true),
        ("src/substrate/http/a.rs", "use super :: super::\nsuper::lab::Run;", true),
        ("src/net/mod.rs", "#[cfg(test)]\nmod tests { use super::super::lab; }", true),
        ("src/net/mod.rs", "#[cfg(test)]\nmod tests { use super::*; }", false),
        ("src/net/link.rs", "use super::node::NodeId; // super::super::lab", false),
        ("src/substrate/http/a.rs", "use super::super::Thing;", false),
        ("src/bin/glasshive.rs", "mod native { use super::*; }", false),
    ] {
        assert_eq!(climbs(path, source), expected, "{path}: {source}");
    }
}
