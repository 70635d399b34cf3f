//! `web/glasshive.d.ts` declares what `window.glasshive` has, and nothing else. `tests/e2e/console.test.mjs` compares it with the
//! object itself.

use std::collections::BTreeSet;
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect(path)
}

/// The names by which JavaScript knows what `impl Glasshive` has in public.
fn members(source: &str) -> BTreeSet<String> {
    let (_, body) = source.split_once("impl Glasshive {").expect("the surface");
    let (mut names, mut renamed) = (BTreeSet::new(), None);
    for line in body.lines().take_while(|line| *line != "}").map(str::trim) {
        if let Some((_, name)) = line.split_once("js_name = ") {
            renamed = name.split(')').next().map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            let own = rest.split('(').next().unwrap_or_default().to_owned();
            names.insert(renamed.take().unwrap_or(own));
        }
    }
    names
}

/// The members of the interface of that name.
fn declared(source: &str, interface: &str) -> BTreeSet<String> {
    let (_, body) = source.split_once(&format!("interface {interface} {{\n")).expect(interface);
    let lines = body.lines().take_while(|line| *line != "}");
    let own =
        lines.filter_map(|line| line.strip_prefix("  ").filter(|line| line.starts_with(char::is_alphabetic)));
    own.map(|line| {
        let line = line.strip_prefix("readonly ").unwrap_or(line);
        line.split(['(', ':', '?']).next().unwrap_or_default().to_owned()
    })
    .collect()
}

#[test]
fn what_is_declared_is_what_there_is() {
    let (mut there, declared) =
        (members(&read("src/js_api.rs")), declared(&read("web/glasshive.d.ts"), "Glasshive"));
    // What needs no run is the boot module's, whichever program is on the page.
    let added = read("web/boot.js");
    let added = added.lines().filter_map(|line| line.trim().strip_prefix("glasshive.")?.split_once(" = "));
    there.extend(added.map(|(name, _)| name.to_owned()));
    assert!(there.len() > 20 && there.contains("stepBack"), "{there:?}");
    assert_eq!(declared, there);
}

#[test]
fn every_command_that_is_read_is_declared() {
    let (source, declarations) = (read("src/app/command/read.rs"), read("web/glasshive.d.ts"));
    let arms = source.lines().filter_map(|line| line.strip_prefix("        \"")?.split_once('"'));
    let kinds: Vec<&str> = arms.filter(|(_, rest)| rest.contains("=>")).map(|(kind, _)| kind).collect();
    assert!(kinds.len() > 15 && kinds.contains(&"step_back"), "{kinds:?}");
    for kind in kinds {
        assert!(declarations.contains(&format!("\"{kind}\"")), "{kind} is not declared");
    }
}
