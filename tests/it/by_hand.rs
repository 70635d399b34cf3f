//! The source documents' manual tests and failure experiments, as scripts of `glasshive` commands that check themselves.

use super::support::BINARY;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "examples/by-hand";

/// Runs a script as a person would, with the program on the path.
fn play(script: &str) {
    let binary = Path::new(BINARY).parent().expect("it lies in a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(script);
    let mut shell = Command::new("sh");
    shell.arg(file).env("PATH", path).env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
    let output = shell.output().expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{script}: {err}\n…{}", &out[out.len().saturating_sub(3_000)..]);
    assert!(out.matches("\n# ").count() >= 9, "{script} says what it does");
}

#[test]
fn the_oracle_over_http() {
    play("oracle-http.sh");
}

#[test]
fn the_oracle_over_nats() {
    play("oracle-nats.sh");
}

#[test]
fn the_math_wizard() {
    play("math-wizard.sh");
}

#[test]
fn the_configuration_system() {
    play("config-system.sh");
}
