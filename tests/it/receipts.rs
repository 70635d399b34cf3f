//! The formats in which traces are written, checked by a script that shares no code with what writes them.

use super::support::{glasshive, scratch};
use serde_json::Value;
use std::process::Command;

/// Runs a script of `tests/receipts`; what it prints last.
fn script(name: &str, args: &[&str]) -> Value {
    let ran =
        Command::new("python3").arg("-B").arg(format!("tests/receipts/{name}")).args(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name} {args:?}:\n{out}{err}");
    serde_json::from_str(out.lines().next_back().unwrap()).unwrap()
}

#[test]
fn traces_are_written_for_shiviz_and_for_perfetto_as_they_read_them() {
    for preset in ["oracle-http", "oracle-jetstream", "math-wizard", "config"] {
        let files = ["ndjson", "shiviz", "perfetto"].map(|format| {
            let file = scratch(&format!("{preset}.{format}"));
            let args = ["run", "--preset", preset, "--seed", "7", "--for", "12s", "--trace", &file];
            let ran = glasshive(&[&args[..], &["--trace-format", format]].concat());
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            file
        });
        let told = script("formats.py", &files.each_ref().map(String::as_str));
        assert!(told["shiviz"].as_u64() > Some(400) && told["perfetto"].as_u64() > Some(1000), "{told}");
    }
}

#[test]
fn an_unknown_format_is_bad_input() {
    let ran = glasshive(&["run", "--for", "1s", "--trace", &scratch("never"), "--trace-format", "xml"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("trace-format: xml") && ran.err.contains("ndjson, shiviz, perfetto"),
        "{}",
        ran.err
    );
}
