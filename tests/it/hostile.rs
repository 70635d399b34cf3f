//! What strangers hand over: texts for the API console, what a script hands to `glasshive.fetch`, scenario files, names of saved
//! runs. Each is refused with an error that says what is wrong, or is taken for what it says; nothing panics. Links have their
//! own table (`links.rs`).

use glasshive::app::PlayerState;
use glasshive::app::command::Command;
use glasshive::app::console::{command, read, read_fetch};
use glasshive::app::saved::{Saved, check_name};
use glasshive::app::session::Session;
use glasshive::kernel::Rng;
use glasshive::lab::Scenario;

const BASE: &str = "http://localhost:8080";

/// An error says which value is wrong, and what is allowed; it does not repeat a whole page of it.
fn is_said(error: &str, of: &str) {
    assert!(error.contains(" is not allowed; allowed: "), "{of}: {error}");
    assert!(error.len() < 700, "{of}: {} bytes of error", error.len());
}

#[test]
fn no_text_in_the_console_is_more_than_one_call() {
    let deep = format!(
        "fetch('/x', {{method: 'PUT', body: JSON.stringify({}1{})}})",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let long = format!("curl localhost -d '{}'", "x".repeat(70_000));
    let many = format!("curl {}", "-H ".repeat(20_000));
    let flags = format!("curl -{} localhost", "s".repeat(20_000) + "Z");
    let word = "a".repeat(60_000);
    let refused = [
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "\u{0}",
        "\u{feff}curl localhost",
        "CURL localhost",
        "curl",
        "curl ''",
        "curl --",
        "curl -X",
        "curl -X '' localhost",
        "curl -X \u{0} localhost",
        "curl -X 'POST\r\nX: y' localhost",
        "curl -X POSTPOSTPOSTPOSTPOSTPOST localhost",
        "curl -H '' localhost",
        "curl -H ': x' localhost",
        "curl -H 'X y: z' localhost",
        "curl -H $'X: a\\r\\nSet-Cookie: b' localhost",
        "curl -H '\u{fc}: x' localhost",
        "curl -d @/etc/passwd localhost",
        "curl --json @- localhost",
        "curl -T /etc/passwd localhost",
        "curl -K config localhost",
        "curl -o /etc/passwd localhost",
        "curl -u root:root localhost",
        "curl --proxy http://evil localhost",
        "curl -F 'f=@x' localhost",
        "curl file:///etc/passwd",
        "curl https://localhost/",
        "curl ftp://localhost/",
        "curl data:text/html,x",
        "curl http://",
        "curl http://:80/",
        "curl http://localhost:99999/",
        "curl http://localhost:-1/",
        "curl http://[::1]:8080/",
        "curl 'http://a b/'",
        "curl http://a http://b",
        "curl localhost && rm -rf /",
        "curl localhost & ",
        "curl localhost | sh",
        "curl $(cat /etc/passwd)",
        "curl `id`",
        "curl \"$(id)\"",
        "curl ${IFS}localhost",
        "curl <(echo)",
        "curl localhost > /dev/null",
        "curl 'localhost",
        "curl \"localhost",
        "curl localhost \\",
        "curl $'\\x80' localhost",
        "curl $'\\ud800' localhost",
        "curl $'\\q' localhost",
        "curl localhost\ncurl localhost",
        "fetch",
        "fetch(",
        "fetch()",
        "fetch('')",
        "fetch('//evil.example/x')x",
        "fetch('https://evil.example/')",
        "fetch('javascript:alert(1)')",
        "fetch('/x'+'y')",
        "fetch('/x', )x",
        "fetch('/x', {)",
        "fetch('/x', {method})",
        "fetch('/x', {method: 1})",
        "fetch('/x', {method: 'A B'})",
        "fetch('/x', {method: 'GET', body: ''})",
        "fetch('/x', {method: 'POST', body: 5})",
        "fetch('/x', {method: 'POST', body: new FormData()})",
        "fetch('/x', {method: 'POST', body: JSON.stringify(window)})",
        "fetch('/x', {method: 'POST', body: JSON.stringify({get a() { return 1 }})})",
        "fetch('/x', {method: 'POST', body: JSON.stringify({[a]: 1})})",
        "fetch('/x', {method: 'POST', body: JSON.stringify({...a})})",
        "fetch('/x', {method: 'POST', body: JSON.stringify(0x10)})",
        "fetch('/x', {method: 'POST', body: JSON.stringify(NaN)})",
        "fetch('/x', {method: 'POST', body: JSON.stringify(-)})",
        "fetch('/x', {method: 'POST', body: JSON.stringify(1, 2)})",
        "fetch('/x', {method: 'POST', body: `${document.cookie}`})",
        "fetch('/x', {method: 'POST', body: '\\ud83d'})",
        "fetch('/x', {method: 'POST', body: '\\u{110000}'})",
        "fetch('/x', {method: 'POST', body: '\\u{zz}'})",
        "fetch('/x', {method: 'POST', body: 'a\nb'})",
        "fetch('/x', {headers: {'a\\nb': 'c'}})",
        "fetch('/x', {headers: {a: 'c\\nd'}})",
        "fetch('/x', {headers: [['a']]})",
        "fetch('/x', {headers: [['a', 'b', 'c']]})",
        "fetch('/x', {headers: new Headers()})",
        "fetch('/x', {__proto__: {}})",
        "fetch('/x', {signal: AbortSignal.timeout(1)})",
        "fetch('/x'); fetch('/y')",
        "fetch('/x').then(eval)",
        "await await fetch('/x')",
        "glasshive.apply({kind: 'pause'})",
        "glasshive['fetch']('/x')",
        "eval('fetch')",
        "/* fetch('/x') */",
        "// fetch('/x')",
        &deep,
        &long,
        &many,
        &flags,
        &word,
    ];
    assert!(refused.len() > 90, "{}", refused.len());
    for text in refused {
        let short: String = text.chars().take(80).collect();
        is_said(&read(text, BASE).expect_err(&short).to_string(), &short);
    }
}

#[test]
fn whatever_is_taken_can_be_called_in_every_system() {
    let taken = [
        "curl 'localhost:8080/<script>alert(1)</script>'",
        "curl 'localhost:8080/../../etc/passwd?\u{0}=%00&&&='",
        "curl -X BREW localhost:8080/request",
        "curl -d '\u{0}\u{feff}🐝' localhost:8080/request",
        "curl -d '{\"query\":\"\u{202e}<img src=x onerror=alert(1)>\"}' localhost:8080/request",
        "curl --json '{\"a\":1e999,\"b\":-1e999}' localhost/task",
        "curl --json '{\"a\":\"NaN\"}' localhost/task",
        "curl -X PUT --json '{\"rate\":-1}' -H 'If-Match: \"\"' localhost:8080/config",
        "curl -H 'If-None-Match: \"\",\"\",W/\"' localhost:8080/config",
        "curl -H 'If-Modified-Since: yesterday' localhost:8080/config",
        "curl -I localhost:8080/config",
        "curl localhost:1",
        "curl -",
        "curl nowhere:8080/request",
        "curl localhost/tasks/%2e%2e%2f/status",
        "fetch('/request', {method: 'post', body: '[[[[[['})",
        "fetch('/health', {headers: [['a', 'b'], ['a', 'c']]})",
        "fetch('//evil.example/x')",
        "fetch('/x#y')",
    ];
    for preset in ["oracle-http", "oracle-nats", "math-wizard", "config"] {
        let mut session = Session::open(Scenario::preset(preset, 5), 1.0).unwrap();
        session.apply(Command::Pause).unwrap();
        session.apply(Command::Seek { at_ms: 3_000.0 }).unwrap();
        for text in taken {
            let request = read(text, BASE).unwrap_or_else(|error| panic!("{text}: {error}"));
            session.apply(command(&request, 1)).unwrap_or_else(|error| panic!("{text}: {error}"));
            while session.status().state == PlayerState::Replaying {
                session.frame(16.0, || true);
            }
        }
        let answered = (0..taken.len()).filter(|&index| session.run().answer(index).is_some()).count();
        assert_eq!(answered, taken.len(), "{preset}");
    }
}

#[test]
fn random_texts_and_scripts_never_panic() {
    let mut rng = Rng::new(12);
    let pieces = [
        "curl ",
        "-X",
        " -d ",
        "'",
        "\"",
        "\\",
        "\n",
        "$'",
        "fetch(",
        "'/x'",
        ", {",
        "body: ",
        "JSON.stringify(",
        "{a: ",
        "[",
        "]",
        "}",
        ")",
        "1",
        "`",
        "${",
        "\\u",
        "\\x4",
        "🐝",
        "\u{0}",
        "//",
        "/*",
        "--json ",
        "@",
        "localhost",
        ":",
        "%",
    ];
    for _ in 0..20_000 {
        let text: String =
            (0..rng.below(12)).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        for text in [text.clone(), format!("curl {text}"), format!("fetch('/x', {{{text}")] {
            if let Err(error) = read(&text, BASE) {
                is_said(&error.to_string(), &text);
            }
        }
        let _ = read_fetch("/x", &text, BASE);
    }
}

#[test]
fn a_scenario_file_names_its_first_wrong_field() {
    let head = r#""version": 1, "preset": "oracle-http", "seed": 7"#;
    let action = |action: &str| {
        format!(r#"{{{head}, "actions": [{{"kind": "lift", "at_ms": 1, "fault": 0}}, {action}]}}"#)
    };
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!(
        r#"{{{head}, "actions": [{}{{}}]}}"#,
        r#"{"kind":"fault","at_ms":1,"fault":"crash:w-01"},"#.repeat(10_001)
    );
    let files = [
        ("", "scenario"),
        ("\u{0}", "scenario"),
        ("{", "scenario"),
        ("[]", "scenario"),
        ("null", "scenario"),
        ("5", "scenario"),
        ("\"x\"", "scenario"),
        ("<!doctype html>", "scenario"),
        (deep.as_str(), "scenario"),
        ("{}", "version"),
        (r#"{"version": 2, "preset": "config", "seed": 1}"#, "version"),
        (r#"{"version": "1", "preset": "config", "seed": 1}"#, "version"),
        (r#"{"version": 1e9, "preset": "config", "seed": 1}"#, "version"),
        (r#"{"version": 99999999999, "preset": "config", "seed": 1}"#, "version"),
        (r#"{"version": 1, "seed": 1}"#, "preset"),
        (r#"{"version": 1, "preset": 5, "seed": 1}"#, "preset"),
        (r#"{"version": 1, "preset": "<script>", "seed": 1}"#, "preset"),
        (r#"{"version": 1, "preset": "../config", "seed": 1}"#, "preset"),
        (r#"{"version": 1, "preset": "config"}"#, "seed"),
        (r#"{"version": 1, "preset": "config", "seed": -1}"#, "seed"),
        (r#"{"version": 1, "preset": "config", "seed": 1.5}"#, "seed"),
        (r#"{"version": 1, "preset": "config", "seed": "7"}"#, "seed"),
        (r#"{"version": 1, "preset": "config", "seed": 9007199254740992}"#, "seed"),
        (&format!(r#"{{{head}, "set": []}}"#), "set"),
        (&format!(r#"{{{head}, "set": {{"workers": 0}}}}"#), "workers"),
        (&format!(r#"{{{head}, "set": {{"workers": 1e300}}}}"#), "workers"),
        (&format!(r#"{{{head}, "set": {{"workers": [5]}}}}"#), "workers"),
        (&format!(r#"{{{head}, "set": {{"workers": null}}}}"#), "workers"),
        (&format!(r#"{{{head}, "set": {{"fail": 1e999}}}}"#), "scenario"),
        (&format!(r#"{{{head}, "set": {{"timeout": 5}}}}"#), "timeout"),
        (&format!(r#"{{{head}, "set": {{"__proto__": 1}}}}"#), "set"),
        (&format!(r#"{{{head}, "faults": 5}}"#), "faults"),
        (&format!(r#"{{{head}, "faults": "boom:w-01@1s"}}"#), "faults"),
        (&format!(r#"{{{head}, "faults": "crash:w-99@1s"}}"#), "faults"),
        (&format!(r#"{{{head}, "horizon": 5}}"#), "horizon"),
        (&format!(r#"{{{head}, "horizon": "9 years"}}"#), "horizon"),
        (&format!(r#"{{{head}, "horizon": "25h"}}"#), "horizon"),
        (&format!(r#"{{{head}, "actions": {{}}}}"#), "actions"),
        (&action("5"), "actions[1]"),
        (&action("{}"), "actions[1].kind"),
        (&action(r#"{"kind": "explode", "at_ms": 1}"#), "actions[1].kind"),
        (&action(r#"{"kind": "fault", "fault": "crash:w-01"}"#), "actions[1].at_ms"),
        (&action(r#"{"kind": "fault", "at_ms": -5, "fault": "crash:w-01"}"#), "actions[1].at_ms"),
        (&action(r#"{"kind": "fault", "at_ms": 5}"#), "actions[1].fault"),
        (&action(r#"{"kind": "lift", "at_ms": 5, "fault": "w"}"#), "actions[1].fault"),
        (&action(r#"{"kind": "call", "at_ms": 5, "method": "GET"}"#), "actions[1].url"),
        (&action(r#"{"kind": "call", "at_ms": 5, "method": "GET", "url": "x", "body": 5}"#), "actions[1]"),
        (&action(r#"{"kind": "call", "at_ms": 5, "method": "GET", "url": "x", "evil": 5}"#), "actions[1]"),
        (&format!(r#"{{{head}, "actions": [{{"kind": "lift", "at_ms": 5, "fault": 99}}]}}"#), "fault"),
        (&format!(r#"{{{head}, "actions": [{{"kind": "fault", "at_ms": 5, "fault": "crash"}}]}}"#), "faults"),
        (
            &format!(
                r#"{{{head}, "actions": [{{"kind": "fault", "at_ms": 999999999, "fault": "crash:w-01"}}]}}"#
            ),
            "actions",
        ),
        (
            &format!(
                r#"{{{head}, "actions": [{{"kind": "call", "at_ms": 5, "method": "GET", "url": "https://x"}}]}}"#
            ),
            "url",
        ),
        (&many, "actions[10001].kind"),
        (&format!(r#"{{{head}, "nonsense": 5}}"#), "nonsense"),
        (&format!(r#"{{{head}, "__proto__": {{"x": 1}}}}"#), "__proto__"),
        (&format!(r#"{{{head}, "{}": 5}}"#, "x".repeat(9000)), "xxx"),
    ];
    assert!(files.len() > 50);
    for (text, field) in files {
        let short: String = text.chars().take(100).collect();
        let error = Saved::from_file("x.json", text).expect_err(&short).to_string();
        is_said(&error, &short);
        assert!(error.starts_with(field), "{short}: {error}");
    }
    // A file's name may be anything, and is not what the run is about.
    for name in ["", "\u{0}\n", "<img src=x onerror=alert(1)>.json", &"🐝".repeat(500)] {
        let saved = Saved::from_file(name, &format!("{{{head}}}")).expect(name);
        assert!(saved.name.chars().count() <= 64 && !saved.name.contains(['\0', '\n']), "{}", saved.name);
    }
}

#[test]
fn a_name_is_short_and_in_one_line_or_refused() {
    let long = "x".repeat(65);
    for name in
        ["", "   ", "\t", "a\0b", "a\nb", "a\rb", "\u{1b}[31m", "\u{7f}", "\u{85}x\u{85}y", long.as_str()]
    {
        is_said(&check_name(name).expect_err(name).to_string(), name);
    }
}
