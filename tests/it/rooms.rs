//! One room per system: what is shared names no system, and no room knows another by a detour.
//!
//! Modules that stand side by side may import each other in one direction only. The sources are read as text; the
//! checkers are tried on made-up sources first, so a green test means that they looked.

use super::layers::blank;
use super::tidy::sources;
use std::collections::{BTreeMap, BTreeSet};

/// What of the page is for any system.
const SHARED: [&str; 10] = [
    "src/app/canvas/",
    "src/app/command",
    "src/app/plot/",
    "src/app/session/",
    "src/app/snapshot/",
    "src/app/face.rs",
    "src/app/observe.rs",
    "src/ui/",
    "src/js_api.rs",
    "src/main.rs",
];
/// Words of one system, in code, comments or on the page.
const SYSTEM_WORDS: [&str; 11] = [
    "oracle",
    "wizard",
    "config",
    "nats",
    "jetstream",
    "valkey",
    "nginx",
    "coordinator",
    "controller",
    "gateway",
    "workerstate",
];
/// The only places where a feature decides which systems there are.
const LISTS: [&str; 2] = ["src/app/catalogue.rs", "src/lab/systems.rs"];

/// The rooms, as folders of `lab` and of `app`.
const ROOMS: [&str; 3] = ["oracle", "wizard", "config"];

/// True for what stands around the rooms: all of `lab` and `app` but the rooms themselves and where they are listed.
fn is_around_the_rooms(path: &str) -> bool {
    let Some((layer, rest)) = path.strip_prefix("src/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let first = rest.split('/').next().unwrap_or_default();
    ["lab", "app"].contains(&layer) && first != "mod.rs" && !ROOMS.contains(&first) && !LISTS.contains(&path)
}

/// The words of one system in a file, before its tests: `path:line: word`.
fn system_words(path: &str, source: &str) -> Vec<String> {
    let own = source.split("#[cfg(test)]").next().unwrap_or_default().to_lowercase();
    let lines = own.lines().zip(1..);
    let found = lines.flat_map(|(line, number)| {
        let words: BTreeSet<&str> = line.split(|c: char| !c.is_alphanumeric()).collect();
        let here = SYSTEM_WORDS.iter().filter(move |word| words.contains(*word));
        here.map(move |word| format!("{path}:{number}: {word}"))
    });
    found.collect()
}

// --- who imports whom ---------------------------------------------------------------------------------------------

/// A module as its path: `["app", "canvas", "mark"]`.
type Module = Vec<String>;

/// The modules of the sources, with their code before the tests.
struct Tree {
    code: BTreeMap<Module, String>,
    /// What a module hands on under its own name, such as `app::Snapshot`, and where that stands.
    handed_on: BTreeMap<(Module, String), Module>,
}

impl Tree {
    fn of(sources: &[(String, String)]) -> Self {
        let mut code = BTreeMap::new();
        for (path, source) in sources {
            let Some(path) = path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")) else {
                continue;
            };
            let mut module: Module = path.split('/').map(str::to_owned).collect();
            module.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
            let own = blank(source);
            let own = own.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            if !path.contains("tests") {
                code.insert(module, own);
            }
        }
        let mut tree = Tree { code, handed_on: BTreeMap::new() };
        // A name may be handed on twice.
        for _ in 0..2 {
            let mut handed_on = BTreeMap::new();
            for (module, code) in &tree.code {
                for path in uses(code, true) {
                    let name = path.last().cloned().unwrap_or_default();
                    handed_on.extend(tree.find(module, &path).map(|to| ((module.clone(), name), to)));
                }
            }
            tree.handed_on = handed_on;
        }
        tree
    }

    /// The module that a path in another leads to.
    fn find(&self, from: &Module, path: &[String]) -> Option<Module> {
        let mut place = from.clone();
        let mut rest = path.iter().peekable();
        match rest.peek()?.as_str() {
            "crate" => {
                place.clear();
                rest.next();
            }
            "self" => {
                rest.next();
            }
            "super" => {
                while rest.next_if(|part| *part == "super").is_some() {
                    place.pop()?;
                }
            }
            own if !self.code.contains_key(&[from.clone(), vec![own.to_owned()]].concat()) => return None,
            _ => {}
        }
        while let Some(part) = rest.peek() {
            let deeper = [place.clone(), vec![(*part).clone()]].concat();
            if self.code.contains_key(&deeper) {
                place = deeper;
                rest.next();
            } else {
                let name = (place.clone(), (*part).clone());
                return Some(self.handed_on.get(&name).cloned().unwrap_or(place));
            }
        }
        Some(place)
    }

    /// For each module with others inside, who among those imports whom.
    fn siblings(&self) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
        let mut siblings: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, code) in &self.code {
            for to in uses(code, false).iter().filter_map(|path| self.find(from, path)) {
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                    let inside = siblings.entry(from[..shared].to_vec()).or_default();
                    inside.entry(a.clone()).or_default().insert(b.clone());
                }
            }
        }
        siblings
    }

    fn is_folder(&self, module: &[String]) -> bool {
        self.code.keys().any(|other| other.len() > module.len() && other.starts_with(module))
    }

    /// The circles between modules that stand side by side: any of two folders, and any at all among the rooms of `app`.
    fn circles(&self) -> Vec<String> {
        let mut circles = Vec::new();
        for (around, imports) in self.siblings() {
            for a in imports.keys() {
                for b in imports.keys().filter(|b| a < *b && leads(&imports, a, b) && leads(&imports, b, a)) {
                    let folder =
                        |name: &String| self.is_folder(&[around.clone(), vec![name.clone()]].concat());
                    if around == ["app"] || folder(a) && folder(b) {
                        circles.push(format!("{}: {a} and {b}", around.join("/")));
                    }
                }
            }
        }
        circles
    }
}

/// Whether `from` comes to `to` by imports.
fn leads(imports: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        for next in imports.get(at).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

/// The paths that a module imports or names: those of `use`, of `pub use` only if asked for, and those that stand in the code.
fn uses(code: &str, handed_on: bool) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = code;
    let mut others = String::new();
    while let Some(place) = rest.find("use ") {
        let begins = rest[..place].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let (before, after) = rest.split_at(place + 4);
        others += before;
        let Some(end) = after.find(';').filter(|_| begins) else {
            rest = after;
            continue;
        };
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !handed_on || line.trim_start().starts_with("pub") {
            expand(&[], &after[..end], &mut paths);
        }
        rest = &after[end..];
    }
    others += rest;
    if !handed_on {
        for root in ["crate::", "super::", "self::"] {
            for (place, _) in others.match_indices(root) {
                if others[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                    continue;
                }
                let path = others[place..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                expand(&[], path.take(1).next().unwrap_or_default(), &mut paths);
            }
        }
    }
    paths
}

/// Writes a use tree out as its paths.
fn expand(before: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let parts = |text: &str| -> Vec<String> {
        text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let Some((head, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        paths.push([before, &parts(path)].concat());
        return;
    };
    let before = [before, &parts(head)].concat();
    let (mut depth, mut start) = (0, 0);
    for (place, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                expand(&before, &inside[start..place], paths);
                start = place + 1;
            }
            _ => {}
        }
    }
}

// --- the tests ----------------------------------------------------------------------------------------------------

#[test]
fn what_is_shared_names_no_system() {
    let shared = |path: &str| SHARED.iter().any(|shared| path.starts_with(shared));
    let found: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| shared(path) && !path.contains("/tests"))
        .flat_map(|(path, source)| system_words(path, source))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    for part in SHARED {
        assert!(sources().iter().any(|(path, _)| path.starts_with(part)), "{part} is gone");
    }
}

#[test]
fn what_stands_around_the_rooms_uses_none() {
    let found: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| is_around_the_rooms(path) && !path.contains("/tests"))
        .flat_map(|(path, source)| {
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            system_words(path, &blank(code))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let around = ["src/lab/run/faults.rs", "src/lab/curl.rs", "src/app/canvas/mod.rs"];
    let not =
        ["src/lab/oracle/mod.rs", "src/lab/systems.rs", "src/app/mod.rs", "src/systems/mod.rs", "src/lib.rs"];
    assert!(
        around.iter().all(|path| is_around_the_rooms(path))
            && !not.iter().any(|path| is_around_the_rooms(path))
    );
}

#[test]
fn which_systems_there_are_is_decided_in_the_lists_only() {
    let features = ["all-systems", "feature = \"oracle", "feature = \"math-wizard", "feature = \"config"];
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|(path, source)| {
            features.iter().any(|feature| source.contains(feature)) && !LISTS.contains(&path.as_str())
        })
        .map(|(path, _)| path)
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn no_two_folders_import_each_other() {
    let circles = Tree::of(&sources()).circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_checkers_find_what_they_must() {
    let words = system_words(
        "a.rs",
        "// The Oracle's\nuse crate::app::wizard;\nfn configure() {}\n#[cfg(test)]\n// nats",
    );
    assert_eq!(words, ["a.rs:1: oracle", "a.rs:2: wizard"]);
    let circles = |sources: &[(&str, &str)]| {
        let owned = sources.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned()));
        Tree::of(&owned.collect::<Vec<_>>()).circles()
    };
    let rooms =
        [("src/lab/a/mod.rs", ""), ("src/lab/b/mod.rs", ""), ("src/lab/a/x.rs", ""), ("src/lab/b/y.rs", "")];
    let with = |more: &[(&'static str, &'static str)]| circles(&[&rooms[..], more].concat());
    assert!(with(&[("src/lab/a/x.rs", "use crate::lab::b::Y;")]).is_empty());
    for (x, y) in [
        ("use crate::lab::{b::Y, c};", "fn f() { super::super::a::x::go() }"),
        ("use super::super::b::y;", "use crate::{kernel, lab::a::{self, X as Z}};"),
        ("use crate::lab::c::C;", "use crate::lab::a::X;"),
        ("use crate::lab::Name;", "use crate::lab::a;"),
    ] {
        let more = [
            ("src/lab/a/x.rs", x),
            ("src/lab/b/y.rs", y),
            ("src/lab/c.rs", "use super::b::Y;"),
            ("src/lab/mod.rs", "pub use b::y::Name;"),
        ];
        assert_eq!(with(&more), ["lab: a and b"], "{x} {y}");
    }
    let app = [("src/app/mod.rs", ""), ("src/app/face.rs", "use super::canvas::Mark;")];
    assert!(circles(&[&app[..], &[("src/app/canvas.rs", "")]].concat()).is_empty());
    let back = ("src/app/canvas.rs", "use crate::app::face::Face;\n#[cfg(test)]\nuse crate::app::oracle;");
    assert_eq!(circles(&[&app[..], &[back]].concat()), ["app: canvas and face"]);
}
