//! Conditional requests, row by row as nginx and Go answered them; `doc/conformance.md` says which rows do not apply.

use glasshive::kernel::Instant;
use glasshive::substrate::body::Body;
use glasshive::substrate::http::conditional::Resource;
use glasshive::substrate::http::{Headers, Method, Request, Response, http_date};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const NGINX: &str = "tests/data/nginx-1.22.1-etag.json";
const GO: &str = "tests/data/go-1.23.5-conditional.json";
/// When the content was last modified; the dates in the rows are this, a second earlier and a second later.
const MODIFIED: Instant = Instant::from_millis(60_000);

fn rows(path: &str) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn row(path: &str, id: &str) -> Value {
    rows(path).into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{path} has no row {id}"))
}

/// What the model answers for content of seven bytes.
fn answer(method: &str, headers: &[(&str, &str)], etag: &str) -> Response {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned().into(), (*value).to_owned().into())).collect();
    let url = "http://localhost:8080/config".parse().unwrap();
    let request = Request { method: Method::from(method), url, headers, body: Body::default() };
    let content = Response { status: 200, headers: Headers::default(), body: b"content"[..].into() };
    Resource::new(content, etag.to_owned(), MODIFIED).serve(&request)
}

/// Compares an answer with `304 etag="v1"`, `200 len=7 etag="v1"`, `200 body=7`, `412`.
fn compare(id: &str, answer: &Response, observed: &str) {
    let mut words = observed.split(' ');
    assert_eq!(Some(answer.status.to_string().as_str()), words.next(), "{id}");
    for word in words {
        match word.split_once('=').unwrap() {
            ("etag", etag) => assert_eq!(answer.header("ETag"), Some(etag), "{id}"),
            ("body" | "len", length) => assert_eq!(answer.body.len().to_string(), length, "{id}"),
            other => panic!("{id}: {other:?} is not understood"),
        }
    }
    assert!(answer.body.is_empty() || answer.status == 200, "{id}: a body with {}", answer.status);
}

fn nginx(id: &str, method: &str, headers: &[(&str, &str)]) {
    let row = row(NGINX, id);
    compare(id, &answer(method, headers, "\"6553f100-7\""), row["observed"].as_str().unwrap());
}

/// A row of Go's, with the strong tag and, where it was observed, with the weak one.
fn go(id: &str) {
    let row = row(GO, id);
    let pairs = row["headers"].as_array().unwrap();
    let headers: Vec<(&str, &str)> =
        pairs.iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let observed = row["observed"].as_object().unwrap();
    assert!(observed.contains_key("strong"), "{id}");
    for (form, observed) in observed {
        let etag = if form == "strong" { "\"v1\"" } else { "W/\"v1\"" };
        let answer = answer(row["method"].as_str().unwrap(), &headers, etag);
        compare(&format!("{id}, {form}"), &answer, observed.as_str().unwrap());
    }
}

macro_rules! nginx_rows {
    ($($name:ident: $id:literal, $method:literal, [$($header:expr),*];)*) => {
        $(#[test] fn $name() { nginx($id, $method, &[$($header),*]); })*
    };
}

macro_rules! go_rows {
    ($($name:ident: $id:literal;)*) => { $(#[test] fn $name() { go($id); })* };
}

nginx_rows! {
    conformance_inm_exact: "inm-exact", "GET", [("If-None-Match", r#""6553f100-7""#)];
    conformance_inm_weak_form: "inm-weak form", "GET", [("If-None-Match", r#"W/"6553f100-7""#)];
    conformance_inm_other: "inm-other", "GET", [("If-None-Match", r#""zzz""#)];
    conformance_inm_list_with_match: "inm-list with match", "GET", [("If-None-Match", r#""a", "6553f100-7""#)];
    conformance_inm_list_weak_match: "inm-list weak match", "GET", [("If-None-Match", r#""a",W/"6553f100-7","b""#)];
    conformance_inm_list_without: "inm-list without", "GET", [("If-None-Match", r#""a","b""#)];
    conformance_inm_star: "inm-star", "GET", [("If-None-Match", "*")];
    conformance_inm_unquoted: "inm-unquoted", "GET", [("If-None-Match", "6553f100-7")];
    conformance_inm_lowercase_w: "inm-lowercase w/", "GET", [("If-None-Match", r#"w/"6553f100-7""#)];
    conformance_inm_single_quotes: "inm-single quotes", "GET", [("If-None-Match", "'6553f100-7'")];
    conformance_inm_empty: "inm-empty", "GET", [("If-None-Match", "")];
    conformance_inm_spaces: "inm-spaces", "GET", [("If-None-Match", r#"  "6553f100-7"  "#)];
    conformance_inm_missing_close_quote: "inm-missing close quote", "GET", [("If-None-Match", r#""6553f100-7"#)];
    conformance_inm_head: "inm-head", "HEAD", [("If-None-Match", r#""6553f100-7""#)];
    conformance_im_exact: "im-exact", "GET", [("If-Match", r#""6553f100-7""#)];
    conformance_im_weak: "im-weak", "GET", [("If-Match", r#"W/"6553f100-7""#)];
    conformance_im_other: "im-other", "GET", [("If-Match", r#""zzz""#)];
    conformance_im_star: "im-star", "GET", [("If-Match", "*")];
    conformance_im_list: "im-list", "GET", [("If-Match", r#""a", "6553f100-7""#)];
    conformance_ims_equal: "ims-equal", "GET", [("If-Modified-Since", "Wed, 01 Jan 2025 00:01:00 GMT")];
    conformance_ims_earlier: "ims-earlier", "GET", [("If-Modified-Since", "Wed, 01 Jan 2025 00:00:59 GMT")];
    conformance_ims_bad: "ims-bad", "GET", [("If-Modified-Since", "not a date")];
    conformance_ius_equal: "ius-equal", "GET", [("If-Unmodified-Since", "Wed, 01 Jan 2025 00:01:00 GMT")];
    conformance_ius_earlier: "ius-earlier", "GET", [("If-Unmodified-Since", "Wed, 01 Jan 2025 00:00:59 GMT")];
    conformance_inm_nomatch_ims_match: "inm-nomatch+ims-match", "GET", [("If-None-Match", r#""zzz""#), ("If-Modified-Since", "Wed, 01 Jan 2025 00:01:00 GMT")];
    conformance_im_fail_inm_match: "im-fail+inm-match", "GET", [("If-Match", r#""zzz""#), ("If-None-Match", r#""6553f100-7""#)];
    conformance_im_ok_inm_match: "im-ok+inm-match", "GET", [("If-Match", r#""6553f100-7""#), ("If-None-Match", r#""6553f100-7""#)];
    conformance_range_inm: "range+inm", "GET", [("Range", "bytes=0-2"), ("If-None-Match", r#""6553f100-7""#)];
    conformance_if_range_weak: "if-range-weak", "GET", [("Range", "bytes=0-2"), ("If-Range", r#"W/"6553f100-7""#)];
    conformance_if_range_other: "if-range-other", "GET", [("Range", "bytes=0-2"), ("If-Range", r#""zzz""#)];
}

go_rows! {
    conformance_go_inm_exact: "go-inm-exact";
    conformance_go_inm_weak: "go-inm-weak";
    conformance_go_inm_other: "go-inm-other";
    conformance_go_inm_list: "go-inm-list";
    conformance_go_inm_list_weak: "go-inm-list-weak";
    conformance_go_inm_list_without: "go-inm-list-without";
    conformance_go_inm_star: "go-inm-star";
    conformance_go_inm_star_first: "go-inm-star-first";
    conformance_go_inm_unquoted: "go-inm-unquoted";
    conformance_go_inm_lowercase: "go-inm-lowercase";
    conformance_go_inm_empty: "go-inm-empty";
    conformance_go_inm_spaces: "go-inm-spaces";
    conformance_go_inm_missing_close_quote: "go-inm-missing-close-quote";
    conformance_go_inm_star_last: "go-inm-star-last";
    conformance_go_inm_two_lines: "go-inm-two-lines";
    conformance_go_head: "go-head";
    conformance_go_post: "go-post";
    conformance_go_im_exact: "go-im-exact";
    conformance_go_im_weak: "go-im-weak";
    conformance_go_im_other: "go-im-other";
    conformance_go_im_star: "go-im-star";
    conformance_go_im_list: "go-im-list";
    conformance_go_ims_equal: "go-ims-equal";
    conformance_go_ims_later: "go-ims-later";
    conformance_go_ims_earlier: "go-ims-earlier";
    conformance_go_ims_bad: "go-ims-bad";
    conformance_go_inm_nomatch_ims_equal: "go-inm-nomatch-ims-equal";
    conformance_go_inm_match_ims_earlier: "go-inm-match-ims-earlier";
    conformance_go_im_fail_inm_match: "go-im-fail-inm-match";
    conformance_go_range_inm: "go-range-inm";
    conformance_go_if_range_weak: "go-if-range-weak";
}

#[test]
fn conformance_validators() {
    let observed = &row(NGINX, "validators")["observed"];
    let answer = answer("GET", &[], "\"6553f100-7\"");
    assert_eq!(answer.header("ETag"), observed["etag"].as_str());
    assert_eq!(answer.header("Last-Modified"), Some(http_date(MODIFIED).as_str()));
    assert!(observed["last-modified"].is_string(), "the row has it too");
}

// --- completeness -------------------------------------------------------------------------------------------------

/// A row's id as it stands in a test's name.
fn test_name(id: &str) -> String {
    let letters = id.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let words: Vec<&str> = letters.split('_').filter(|word| !word.is_empty()).collect();
    format!("conformance_{}", words.join("_"))
}

/// The first column of the table under a heading of `doc/conformance.md`.
fn listed(heading: &str) -> BTreeSet<String> {
    let doc = fs::read_to_string("doc/conformance.md").unwrap();
    let section = doc.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect()
}

#[test]
fn conformance_every_row_is_tested_or_listed_with_a_reason() {
    let sources =
        ["tests/it/conditional.rs", "tests/it/config.rs"].map(|path| fs::read_to_string(path).unwrap());
    let names: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with("conformance_"))
        .collect();
    let listed = listed("Conditional requests");
    let ids: BTreeSet<String> =
        [NGINX, GO].into_iter().flat_map(rows).map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() > 90, "only {} rows", ids.len());
    for id in &ids {
        let tested = names.contains(test_name(id).as_str());
        assert!(tested != listed.contains(id), "{id}: tested {tested}, listed {}", !tested);
    }
    let unknown: Vec<&String> = listed.difference(&ids).collect();
    assert!(unknown.is_empty(), "listed, but no rows: {unknown:?}");
}
