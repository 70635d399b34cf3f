//! The reference pages under `doc/`, written from the tables in the code, so that they cannot say anything else.
//!
//! A test (`tests/it/reference.rs`) compares the files with what stands here.

use super::params::Setting;
use super::presets;
use super::system::Room;
use super::systems::{self, rooms};
use super::{fault, scenario};
use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = "<!-- Written from the tables in the code; `GLASSHIVE_BLESS=1 cargo test --test it reference` writes it anew. -->\n";

/// The pages: their file names and their texts.
pub fn pages() -> [(&'static str, String); 4] {
    [
        ("keys.md", keys()),
        ("scenarios.md", scenarios()),
        ("endpoints.md", endpoints()),
        ("figures.md", figures()),
    ]
}

/// `--set`: every key of every system.
fn keys() -> String {
    let mut page = format!(
        "{HEAD}# Keys\n\nWhat `--set key=value`, scenario files and the page take. Durations carry a unit (`1.5s`, `120ms`); `10%` is 0.1.\n"
    );
    for room in rooms() {
        let Some(defaults) = systems::defaults(room.kind) else { continue };
        heading(&mut page, room);
        line(&mut page, "| key | meaning | allowed | default |\n|---|---|---|---|");
        for Setting { key, allowed, meaning, value } in defaults.all() {
            let allowed = allowed.describe().replace(", with its unit", "");
            line(&mut page, &format!("| `{key}` | {meaning} | {allowed} | `{}` |", plain(&value)));
        }
    }
    page
}

/// The shipped scenarios, and the kinds of faults.
fn scenarios() -> String {
    let mut page = format!(
        "{HEAD}# Scenarios\n\n`glasshive run --preset NAME`, or `?preset=NAME` in the page's address. A run pauses for good at its horizon, {} unless the table says otherwise.\n",
        scenario::HORIZON_DEFAULT
    );
    for room in rooms() {
        heading(&mut page, room);
        line(&mut page, "| scenario | what it shows | settings | faults | horizon |\n|---|---|---|---|---|");
        for presets::Preset { name, title, promise, set, faults, horizon, .. } in room.presets {
            let set: Vec<String> = set.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
            let faults: Vec<String> = faults
                .split(',')
                .filter(|fault| !fault.is_empty())
                .map(|fault| format!("`{fault}`"))
                .collect();
            let (set, faults) = (set.join(" "), faults.join(" "));
            line(
                &mut page,
                &format!("| `{name}` | {title}: {promise} | {set} | {faults} | {} |", horizon.unwrap_or("")),
            );
        }
    }
    line(
        &mut page,
        "\n## Faults\n\n`kind:target@start..end=value`, separated by commas. Without an end a fault is for good. A target is a node (`w-04`), a link in both directions (`coordinator~w-03`) or in one (`coordinator>w-03`), or a number of instances that the seed chooses (`3?`).\n",
    );
    line(&mut page, "| kind | what happens | value |\n|---|---|---|");
    for kind in fault::FaultKind::ALL {
        let value = kind.value().map_or_else(String::new, |(default, low, high)| {
            format!("{low} to {high}, unless given {default}")
        });
        line(&mut page, &format!("| `{}` | {} | {value} |", kind.name(), kind.meaning()));
    }
    page
}

/// What the simulated services serve.
fn endpoints() -> String {
    let mut page = format!(
        "{HEAD}# Endpoints\n\nWhat `glasshive curl`, the page's API console and `glasshive.fetch` can call. Errors are `{{\"error\": {{\"code\", \"message\", \"details\"}}}}`.\n"
    );
    for room in rooms() {
        let Some(defaults) = systems::defaults(room.kind) else { continue };
        heading(&mut page, room);
        line(&mut page, "| role | at | endpoint | what it does |\n|---|---|---|---|");
        for service in defaults.services() {
            for route in service.routes {
                let (role, at) = (service.role, service.at);
                let what = route.what;
                line(&mut page, &format!("| {role} | {at} | `{} {}` | {what} |", route.method, route.path));
            }
        }
    }
    page
}

/// What a report's figures mean.
fn figures() -> String {
    let mut page = format!(
        "{HEAD}# Figures\n\nWhat `glasshive run --json` has under `summary`, over the whole run, whatever is kept of it. Percentiles are by nearest rank: exact up to 100,000 samples, and beyond that within 0.1 %; `exact` says which.\n"
    );
    for room in rooms() {
        let Some(defaults) = systems::defaults(room.kind) else { continue };
        heading(&mut page, room);
        line(&mut page, "| figure | meaning |\n|---|---|");
        for (key, meaning) in defaults.figures() {
            line(&mut page, &format!("| `{key}` | {} |", meaning.replace('|', "\\|")));
        }
    }
    page
}

/// The keys of each system's figures.
pub fn figure_keys(kind: super::SystemKind) -> Vec<&'static str> {
    systems::defaults(kind)
        .map_or_else(Vec::new, |defaults| defaults.figures().iter().map(|(key, _)| *key).collect())
}

fn heading(page: &mut String, room: &Room) {
    let kind = room.kind;
    line(page, &format!("\n## {} over {} (`{}`)\n", kind.title, kind.over, kind.name));
}

fn line(page: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
