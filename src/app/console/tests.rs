//! What the editor takes, what it refuses and by which word, and what of an answer is shown.

use super::*;
use crate::app::command::Outcome;
use crate::app::session::Session;
use crate::app::{Player, PlayerState};
use crate::kernel::{Instant, Rng};
use crate::lab::{Run, Scenario, systems};
use crate::substrate::http::Method;

const BASE: &str = "http://localhost:8080";

fn body(request: &Request) -> String {
    String::from_utf8_lossy(request.body.bytes()).into_owned()
}

#[test]
fn a_pasted_curl_is_read_as_a_shell_would_hand_it_over() {
    for text in [
        "curl -X POST http://localhost:8080/request \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"query\":\"BTC/USD\"}'",
        "$ curl -XPOST localhost:8080/request -H Content-Type:\\ application/json --data-raw \"{\\\"query\\\":\\\"BTC/USD\\\"}\"\n",
        "curl 'http://localhost:8080/request' \\\r\n --json $'{\"query\":\\u0022BTC/USD\\x22}' -s --compressed",
        "curl -sS --json '{\"query\":''\"BTC/USD\"}' --url localhost:8080/request",
        "glasshive.fetch('/request', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{\"query\":\"BTC/USD\"}'})",
        "await fetch(\"http://localhost:8080/request\", { // asks\n  method: `post`,\n  \"headers\": [[\"content-type\", \"application/json\"],],\n  body: JSON.stringify({query: 'BTC\\/USD',}),\n});",
    ] {
        let request = read(text, BASE).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (request.method.clone(), request.url.authority.as_str()),
            (Method::Post, "localhost:8080"),
            "{text}"
        );
        assert_eq!(
            (request.url.path.as_str(), body(&request).as_str()),
            ("/request", "{\"query\":\"BTC/USD\"}"),
            "{text}"
        );
        assert_eq!(request.header("content-type"), Some("application/json"), "{text}");
    }
    let get = read("curl -G localhost/add -d a=2 -d 'b=3'", BASE).unwrap();
    assert_eq!((get.method, get.url.query.as_str()), (Method::Get, "a=2&b=3"));
    for (option, named) in
        [("-o file", "-o: file"), ("-w '%{http_code}'", "-w: "), ("-m 2", "-m: 2"), ("-d @file", "@file")]
    {
        let error = read(&format!("curl {option} localhost:8080/config"), BASE).unwrap_err().to_string();
        assert!(error.contains(named), "{option}: {error}");
    }
    assert!(read("curl -sSvf localhost:8080/config", BASE).is_ok());
    assert_eq!(read("curl -I localhost:8080/config", BASE).unwrap().method, Method::Head);
}

#[test]
fn a_literal_keeps_its_numbers_and_the_order_of_its_fields() {
    let text = "fetch('/x', {method: 'PUT', body: JSON.stringify({z: 1.50, a: [-2e3, true, null, {'k': \"\\u{1f41d}\\ud83d\\udc1d\"}], b: {}})})";
    let request = read(text, BASE).unwrap();
    assert_eq!(body(&request), "{\"z\":1.50,\"a\":[-2e3,true,null,{\"k\":\"🐝🐝\"}],\"b\":{}}");
    assert_eq!(request.header("content-type"), Some("text/plain;charset=UTF-8"));
    assert_eq!(read("glasshive.fetch('/health')", BASE).unwrap().method, Method::Get);
}

#[test]
fn what_is_refused_is_named_by_its_token() {
    for (text, token, allowed) in [
        ("", "nothing", "a curl command"),
        ("wget http://localhost", "wget", "a curl command"),
        ("curl localhost | jq .", "|", "|"),
        ("curl localhost; rm -rf /", ";", "one curl command"),
        ("curl localhost/add?a=2&b=3", "&b=3", "& in single quotes"),
        ("curl $HOST/x", "$HOST/x", "single quotes"),
        ("curl \"http://$HOST/x\"", "$HOST/x\"", "no variables"),
        ("curl `id`", "`id`", "single quotes"),
        ("curl localhost > out.txt", ">", "single quotes"),
        ("curl localhost # health", "#", "no comments"),
        ("curl 'localhost", "'localhost", "closed again"),
        ("curl localhost\n-d x", "-d", "ends with \\"),
        ("curl -o file localhost", "file", "the command line"),
        ("curl -sSo file localhost", "file", "the command line"),
        ("curl --max-time 3 localhost", "3", "the command line"),
        ("curl -d @secrets localhost", "@secrets", "no files"),
        ("curl https://example.org/", "https://example.org/", "not an http URL"),
        ("curl -X 'GET /x' localhost", "GET /x", "letters"),
        ("curl -H $'A: b\\nC: d' localhost", "A", "one line"),
        ("curl a b", "a b", "exactly one URL"),
        ("fetch('/x').then(r => r.json())", ".then", "nothing after the call"),
        ("fetch(path)", "path", "in quotes"),
        ("fetch('/x', init)", "init", "begins with {"),
        ("fetch('/x', {mode: 'cors'})", "mode", "method, headers or body"),
        ("fetch('/x', {method: verb})", "verb", "in quotes"),
        ("fetch('/x', {method: 'POST', body: data})", "data", "JSON.stringify of a literal"),
        ("fetch('/x', {method: 'POST', body: JSON.stringify({a: b})})", "b", "a literal"),
        ("fetch('/x', {method: 'POST', body: JSON.stringify({a: 1 + 1})})", "+", "a comma or }"),
        ("fetch('/x', {method: 'POST', body: JSON.stringify([01])})", "01", "a literal"),
        ("fetch(`/x/${id}`)", "`/x/${id}`)", "plain text in quotes"),
        ("fetch('/x', {body: 'b'})", "GET", "any method but GET"),
        ("fetch('x')", "x", "a path such as /request"),
        ("fetch('https://example.org/')", "https://example.org/", "a path such as"),
        ("fetch('/x', {headers: {'a b': 'c'}})", "a b", "Name: value"),
        ("fetch('/x'", "the end", "closing parenthesis"),
        ("glasshive.seek(3)", "glasshive.seek", "a curl command"),
    ] {
        let error = read(text, BASE).expect_err(text).to_string();
        assert!(error.contains(&format!(": {token} is not allowed; allowed: ")), "{text}: {error}");
        assert!(error.contains(allowed), "{text}: {error}");
    }
}

/// Whatever a request holds, its curl and its fetch say the same request.
#[test]
fn what_is_copied_is_read_as_the_same_request() {
    let mut rng = Rng::new(12);
    let text = |rng: &mut Rng, of: &str, most: u64| -> String {
        let signs: Vec<char> = of.chars().collect();
        (0..rng.below(most)).map(|_| signs[rng.below(signs.len() as u64) as usize]).collect()
    };
    for _ in 0..2000 {
        let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"];
        let method = Method::from(methods[rng.below(6) as usize]);
        let hosts = ["http://localhost:8080", "http://localhost", "http://c-01:5000"];
        let path = text(&mut rng, "abz09'\"$&!;~%\\ /", 12);
        let query = text(&mut rng, "a=&'\"?%", 6);
        let url = format!("{}/{path}?{query}", hosts[rng.below(3) as usize]);
        let has_body = !matches!(method, Method::Get | Method::Head) && rng.chance(0.7);
        let body =
            if has_body { text(&mut rng, "@{}\"'\\\n\t\r\u{0}é🐝$`a1 ", 20) } else { String::new() };
        let mut headers = vec![("Content-Type".into(), "application/json".into())];
        for _ in 0..rng.below(3) {
            let value = text(&mut rng, "a'\"\\W/é:;, ", 8).trim().to_owned();
            headers.push((format!("X-{}", text(&mut rng, "ab", 2)).into(), value.into()));
        }
        let request =
            Request { method, url: url.parse().unwrap(), headers: headers.into(), body: body.into() };
        for text in [to_curl(&request), to_fetch(&request, BASE)] {
            assert_eq!(read(&text, BASE).as_ref(), Ok(&request), "{text}");
        }
    }
}

/// Each endpoint of each system can be called as its sample says.
#[test]
fn every_endpoint_answers_its_sample() {
    for kind in systems::all() {
        let mut player = Player::new(&Scenario::preset(kind.name, 1), 1.0).unwrap();
        player.pause();
        player.seek(Instant::from_millis(4_000)).unwrap();
        while player.state() == PlayerState::Replaying {
            player.frame(16.0, || true);
        }
        let mut groups = groups(kind);
        for group in &mut groups {
            // What is begun can be asked about.
            group.endpoints.sort_by_key(|endpoint| endpoint.route.method != "POST");
            for endpoint in &group.endpoints {
                let text = endpoint.sample(player.run(), "client");
                let request = read(&text, &base(kind)).unwrap_or_else(|error| panic!("{text}: {error}"));
                let acted = player.call(&request, 1).unwrap();
                while player.state() == PlayerState::Replaying {
                    player.frame(16.0, || true);
                }
                let answered = answer(player.run(), &seen(player.run()), acted.index).expect("a call");
                let status: u16 =
                    answered.status[..3].parse().unwrap_or_else(|_| panic!("{text}: {}", answered.status));
                // No job has died yet that could be put back.
                let is_expected = status < 404 && status != 400 || text.contains("/dead/");
                assert!(is_expected, "{}: {text}: {answered:?}", kind.name);
                assert!(
                    answered.node.is_some() && answered.after.ends_with(" ms virtual"),
                    "{text}: {answered:?}"
                );
            }
        }
    }
}

fn arrive(session: &mut Session) {
    while session.status().state == PlayerState::Replaying {
        session.frame(16.0, || true);
    }
}

#[test]
fn a_burst_is_one_act_and_over_the_limit_gets_429() {
    let mut session = Session::open(Scenario::preset("oracle-nats", 1), 1.0).unwrap();
    session.apply(Command::Pause).unwrap();
    session.apply(Command::Seek { at_ms: 3_000.0 }).unwrap();
    arrive(&mut session);
    let before = session.run().trace_hash();
    let request = read("curl --json '{\"query\":\"BTC/USD\"}' localhost:8080/request", BASE).unwrap();
    assert!(matches!(session.apply(command(&request, 30)), Ok(Outcome::Acted(_))));
    arrive(&mut session);
    assert_eq!(session.status().state, PlayerState::Paused);
    let all = seen(session.run());
    assert_eq!((all.calls.len(), all.answered), (30, 30));
    let last = answer(session.run(), &all, 29).unwrap();
    assert_eq!((last.status.as_str(), last.is_good), ("429 Too Many Requests", false));
    assert!(last.headers.iter().any(|(name, _)| name == "Retry-After"), "{last:?}");
    assert!(last.tally.starts_with("30 calls: ") && last.tally.ends_with(" × 429"), "{}", last.tally);
    assert_eq!(last.node.as_deref(), Some("coordinator"));
    session.apply(Command::Undo).unwrap();
    arrive(&mut session);
    assert_eq!((session.run().trace_hash(), seen(session.run())), (before, Seen::default()));
    session.apply(Command::Redo).unwrap();
    arrive(&mut session);
    assert_eq!(seen(session.run()), all);
}

#[test]
fn a_call_at_the_end_of_the_axis_is_answered_and_time_stands_again() {
    let mut session = Session::open(Scenario::preset("oracle-http", 31), 1000.0).unwrap();
    while !session.status().ended {
        session.frame(16.0, || true);
    }
    let request = read("curl localhost:8080/workers", BASE).unwrap();
    session.apply(command(&request, 1)).unwrap();
    arrive(&mut session);
    assert_eq!(seen(session.run()).answered, 1);
    assert_eq!(session.status().state, PlayerState::Paused);
    let now = session.run().now();
    session.frame(100.0, || true);
    assert_eq!(session.run().now(), now);
}

#[test]
fn an_answer_is_in_lines_and_says_how_long_it_took() {
    let mut run = Run::new(&Scenario::preset("config", 1), crate::lab::Options::default()).unwrap();
    run.run_until(Instant::from_millis(5_000));
    let get = run.call(&read("curl localhost:8080/config", BASE).unwrap()).unwrap();
    assert_eq!(answer(&run, &seen(&run), get.index).unwrap().status, "No answer yet");
    run.run_until(Instant::from_millis(6_000));
    let first = answer(&run, &seen(&run), get.index).unwrap();
    assert!(first.body.starts_with("{\n  \"") || first.body.starts_with("{\""), "{}", first.body);
    let again = first.again.expect("it has a tag");
    let get = run.call(&read(&again, BASE).unwrap()).unwrap();
    run.run_until(Instant::from_millis(7_000));
    let second = answer(&run, &seen(&run), get.index).unwrap();
    assert_eq!(
        (second.status.as_str(), second.body.as_str(), second.is_good),
        ("304 Not Modified", "", true)
    );
    assert_eq!(second.tally, "2 calls: 1 × 200, 1 × 304");
}
