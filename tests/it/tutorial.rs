//! The tutorial system of `doc/adding-a-system.md`: its files and its patch go into a copy of the tree, which is built and
//! run as the guide says.

use std::fs;
use std::path::Path;
#[cfg(not(debug_assertions))]
use std::path::PathBuf;
use std::process::Command;
#[cfg(not(debug_assertions))]
use std::process::Output;

/// What the guide copies, and where to.
#[cfg(not(debug_assertions))]
const ROOMS: [(&str, &str); 3] =
    [("system.rs", "src/systems/echo.rs"), ("lab.rs", "src/lab/echo.rs"), ("face.rs", "src/app/echo.rs")];
const PATCH: &str = "examples/echo/lists.patch";

#[cfg(not(debug_assertions))]
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output
}

/// A copy of what git tracks, as it stands now.
#[cfg(not(debug_assertions))]
fn copy_of_the_tree(root: &Path) -> PathBuf {
    let copy = root.join("target/tutorial/tree");
    let _ = fs::remove_dir_all(&copy);
    let listed = run(Command::new("git").args(["ls-files", "-z"]).current_dir(root));
    let listed = String::from_utf8(listed.stdout).unwrap();
    for file in listed.split('\0').filter(|file| !file.is_empty() && root.join(file).is_file()) {
        let to = copy.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root.join(file), to).unwrap();
    }
    copy
}

#[test]
fn the_patch_for_the_lists_has_at_most_eight_lines() {
    let patch = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PATCH)).unwrap();
    let lines = |sign: char, header: &str| {
        patch.lines().filter(|line| line.starts_with(sign) && !line.starts_with(header)).count()
    };
    let (added, removed) = (lines('+', "+++"), lines('-', "---"));
    assert!((1..=8).contains(&(added + removed)), "{added} added, {removed} removed");
}

/// The slow test below needs minutes to say so.
#[test]
fn the_patch_fits_the_lists() {
    let mut git = Command::new("git");
    let checked =
        git.args(["apply", "--check", PATCH]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Builds the program once more: only beside the other slow tests.
#[cfg(not(debug_assertions))]
#[test]
fn heavy_the_tutorial_system_builds_and_runs_in_a_copy_of_the_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = copy_of_the_tree(root);
    for (from, to) in ROOMS {
        fs::copy(copy.join("examples/echo").join(from), copy.join(to)).unwrap();
    }
    // Not as a part of the repository that the copy stands in: its paths are the copy's own.
    let above = copy.parent().unwrap();
    run(Command::new("git").args(["apply", PATCH]).current_dir(&copy).env("GIT_CEILING_DIRECTORIES", above));
    let built = root.join("target/tutorial/built");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).current_dir(&copy).env("CARGO_TARGET_DIR", &built);
        run(&mut cargo)
    };
    cargo(&["build", "--locked", "--bin", "glasshive"]);
    let glasshive = |arguments: &[&str]| {
        String::from_utf8(run(Command::new(built.join("debug/glasshive")).args(arguments)).stdout).unwrap()
    };
    let text = glasshive(&["run", "--preset", "echo", "--for", "60s"]);
    assert!(text.contains("26 heard, 3 missed"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&glasshive(&["run", "--preset", "echo", "--for", "60s", "--json"])).unwrap();
    assert_eq!(json["words"].as_array().map(Vec::len), Some(30));
    let echoed = glasshive(&[
        "curl",
        "--preset",
        "echo",
        "--",
        "http://localhost:8080/echo",
        "-d",
        r#"{"word":"hello"}"#,
    ]);
    assert_eq!(echoed.trim(), r#"{"word":"hello"}"#);
}
