//! The walks of ARCHITECTURE.md: each names files in the order in which they are read, none twice, and what it says is in
//! them is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The heads of the walks.
const WALKS: [&str; 4] =
    ["One request's journey", "One job's journey", "One version's journey", "One plan's journey"];
/// The least that is a walk.
const FILES_MIN: usize = 10;

/// The steps under a head of a document.
fn walk<'a>(document: &'a str, head: &str) -> &'a str {
    let rest = document.split_once(&format!("## {head}\n")).map(|(_, rest)| rest).unwrap_or_default();
    let section = rest.split("\n## ").next().unwrap_or_default();
    section.find("1. ").map_or("", |start| &section[start..])
}

/// The file that a walk means by a name: under `src`, or else in the folder of the file before it, or the nearest around that;
/// what is not Rust by its whole path.
fn find(name: &str, before: Option<&Path>) -> Option<PathBuf> {
    let around = before.into_iter().flat_map(|before| before.ancestors().skip(1)).map(Path::to_owned);
    if name.ends_with(".js") {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders =
        [PathBuf::from("src")].into_iter().chain(around.take_while(|folder| folder.starts_with("src")));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The files that a walk leads through; or what is wrong with it.
fn follow(walk: &str) -> Result<Vec<PathBuf>, String> {
    let (mut files, mut read) = (Vec::<PathBuf>::new(), String::new());
    for name in walk.split('`').skip(1).step_by(2) {
        if !name.ends_with(".rs") && !name.ends_with(".js") {
            // What is in a file is named after it.
            let name = name.rsplit("::").next().unwrap_or_default();
            if !read.contains(name) {
                return Err(format!("{name} is in none of the files before it"));
            }
            continue;
        }
        let path = find(name, files.last().map(PathBuf::as_path));
        let path = path.ok_or_else(|| format!("there is no {name} after {:?}", files.last()))?;
        if files.contains(&path) {
            return Err(format!("{} is named twice", path.display()));
        }
        read += &fs::read_to_string(&path).unwrap();
        files.push(path);
    }
    Ok(files)
}

#[test]
fn each_walk_names_files_that_are_there_and_none_twice() {
    let document = fs::read_to_string("ARCHITECTURE.md").unwrap();
    for head in WALKS {
        let files = follow(walk(&document, head)).unwrap_or_else(|wrong| panic!("{head}: {wrong}"));
        assert!(files.len() >= FILES_MIN, "{head}: {files:?}");
    }
}

#[test]
fn a_walk_that_is_wrong_is_found_out() {
    let document = "## A\nIn a word.\n\n1. `net/mod.rs` and `link.rs`\n   with `Links::connect`.\n\n## B\n1. `net/rule.rs`\n";
    let files = |head| follow(walk(document, head)).unwrap();
    assert_eq!(files("A"), ["src/net/mod.rs", "src/net/link.rs"].map(PathBuf::from));
    assert_eq!(files("B"), [PathBuf::from("src/net/rule.rs")]);
    assert_eq!(walk(document, "C"), "");
    for (walk, wrong) in [
        ("1. `net/mod.rs`, `nowhere.rs`", "there is no nowhere.rs after Some(\"src/net/mod.rs\")"),
        ("1. `net/mod.rs`, `link.rs`\n2. `net/link.rs`", "src/net/link.rs is named twice"),
        ("1. `net/mod.rs`: `fan_out`", "fan_out is in none of the files before it"),
    ] {
        assert_eq!(follow(walk), Err(wrong.to_owned()), "{walk}");
    }
}
