//! A person's own runs, at the head of the gallery: kept in this browser under a name, opened again, forgotten, written as the
//! scenario file that the command line plays, and read from one.
//!
//! Names and errors reach the page as text only.

use crate::app::command::Command;
use crate::app::keeper::RUNS;
use crate::app::saved::{FILE_MAX, NAME_MAX, Saved};
use crate::lab::Invalid;
use crate::ui::{Lab, View};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlInputElement};

const REFUSED: &str = "This browser keeps nothing here. Copy the link instead.";
const NOTHING: &str = "Nothing saved yet.";
/// What was said without being asked leaves after so long.
const SAID_MS: u32 = 6000;

/// The section, before it is known what is kept.
pub fn markup() -> String {
    format!(
        r#"<div class="runs" role="group" aria-labelledby="own-title"><h3 id="own-title">Your runs <small>kept in this browser</small></h3>
<div><input type="text" data-testid="save-name" maxlength="{NAME_MAX}" aria-label="Name of this run" autocomplete="off" spellcheck="false">
<button type="button" class="small" data-own="save" data-testid="save-run">Save this run</button>
<label class="small">Open a file<input type="file" accept=".json,application/json" data-testid="open-file"></label></div>
<p role="status" data-testid="own-said"></p><ul data-testid="own-list"></ul></div>"#
    )
}

/// Fills the section of a gallery that has just been opened.
pub fn fill(lab: Lab) {
    let named = lab.read(|session| Saved::of(session, "")).map(|saved| saved.name);
    if let (Some(field), Ok(name)) = (input("save-name"), named) {
        field.set_value(&name);
    }
    spawn_local(list());
}

/// Keeps the run under the name of what was changed, and says so.
pub fn save(lab: Lab, view: View) {
    let said = view.desk.said;
    let saved = lab.read(|session| Saved::of(session, ""));
    spawn_local(async move {
        let told = match saved {
            Ok(saved) => kept(&saved).await,
            Err(invalid) => invalid.to_string(),
        };
        // The page may be another one by now.
        said.try_set(told.clone());
        TimeoutFuture::new(SAID_MS).await;
        if said.try_get_untracked().is_some_and(|now| now == told) {
            said.try_set(String::new());
        }
    });
}

async fn kept(saved: &Saved) -> String {
    // Plain data cannot fail to be JSON.
    let text = serde_json::to_string(saved).unwrap_or_default();
    match RUNS.put(&text).await {
        Ok(()) => format!("Saved as “{}”. It is in the gallery, under your runs.", saved.name),
        Err(_) => REFUSED.to_owned(),
    }
}

/// A press on something of the section; true if the gallery is to be left for the run that was chosen.
pub fn pressed(lab: Lab, on: &Element, chosen: impl FnOnce(Saved) + 'static) {
    let key = on.get_attribute("data-key").and_then(|key| key.parse::<u32>().ok());
    match (on.get_attribute("data-own").as_deref(), key) {
        (Some("save"), _) => {
            let name = input("save-name").map(|field| field.value()).unwrap_or_default();
            let saved = lab.read(|session| Saved::of(session, &name));
            spawn_local(async move {
                match saved {
                    Ok(saved) => {
                        let told = kept(&saved).await;
                        list().await;
                        say(&told);
                    }
                    Err(invalid) => say(&invalid.to_string()),
                }
            });
        }
        (Some("open"), Some(key)) => spawn_local(async move {
            let all = all().await.unwrap_or_default();
            match all.into_iter().find(|(other, _)| *other == f64::from(key)) {
                Some((_, saved)) => chosen(saved),
                None => list().await,
            }
        }),
        (Some("remove"), Some(key)) => spawn_local(async move {
            if RUNS.remove(f64::from(key)).await.is_err() {
                say(REFUSED);
            }
            list().await;
            if let Some(field) = input("save-name") {
                // It is there as long as the section.
                let _ = field.focus();
            }
        }),
        _ => {}
    }
}

/// A file was chosen.
pub fn file(field: &HtmlInputElement, chosen: impl FnOnce(Saved) + 'static) {
    let Some(file) = field.files().and_then(|files| files.get(0)) else { return };
    // So that the same file can be chosen again.
    let emptied = field.clone();
    if file.size() > FILE_MAX as f64 {
        return say(&format!(
            "file: {} bytes is not allowed; allowed: at most {FILE_MAX} bytes",
            file.size()
        ));
    }
    spawn_local(async move {
        let read = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        emptied.set_value("");
        match read.map(|text| Saved::from_file(&file.name(), &text)) {
            Some(Ok(saved)) => chosen(saved),
            Some(Err(invalid)) => say(&invalid.to_string()),
            None => say("The file could not be read."),
        }
    });
}

/// Opens a run where it was kept; one that asks for very much waits for a person at its start.
pub fn open(lab: Lab, saved: &Saved) -> Result<(), Invalid> {
    let is_costly = saved.is_costly();
    let pause = (saved.at_ms.is_some() || is_costly).then_some(Command::Pause);
    let seek = saved.at_ms.filter(|_| !is_costly).map(|at_ms| Command::Seek { at_ms });
    let then: Vec<Command> = [pause, seek].into_iter().flatten().collect();
    let before = lab.truth.get_untracked();
    lab.show_truth(!saved.hidden);
    let opened = lab.open_at(saved.open(), &then, is_costly);
    if opened.is_err() {
        lab.show_truth(before);
    }
    opened
}

/// What is kept, with its numbers.
async fn all() -> Result<Vec<(f64, Saved)>, idb::Error> {
    RUNS.all(|text| serde_json::from_str(text).ok()).await
}

/// Lists what is kept.
async fn list() {
    let kept = all().await;
    let Some(list) = find("own-list") else { return };
    let mut html = String::new();
    let all = kept.as_ref().map(Vec::as_slice).unwrap_or_default();
    for (i, (key, _)) in all.iter().enumerate() {
        // Numbers only: all that a person wrote is set as text below.
        let _ = write!(
            html,
            r#"<li><button type="button" class="plain" data-own="open" data-key="{key}" data-testid="saved-{n}"></button><small></small>
<a class="small" data-testid="export-{n}">Export</a><button type="button" class="small" data-own="remove" data-key="{key}" data-testid="remove-{n}">Remove</button></li>"#,
            n = i + 1
        );
    }
    list.set_inner_html(&html);
    let items = list.children();
    for (i, (_, saved)) in all.iter().enumerate() {
        let Some(item) = items.item(i as u32) else { continue };
        let child = |selector: &str| item.query_selector(selector).ok().flatten();
        let at = saved.at_ms.map_or_else(String::new, |ms| format!(", {:.1} s", ms / 1000.0));
        for (selector, text) in
            [("[data-own=open]", &saved.name), ("small", &format!("seed {}{at}", saved.scenario.seed))]
        {
            if let Some(child) = child(selector) {
                child.set_text_content(Some(text));
            }
        }
        if let Some(export) = child("a") {
            let file = utf8_percent_encode(&saved.to_file(), NON_ALPHANUMERIC).to_string();
            // Both names are valid.
            let _ = export.set_attribute("href", &format!("data:application/json;charset=utf-8,{file}"));
            let _ = export.set_attribute("download", &saved.file_name());
        }
        if let Some(remove) = child("[data-own=remove]") {
            let _ = remove.set_attribute("aria-label", &format!("Remove {}", saved.name));
        }
    }
    match kept {
        Ok(all) if all.is_empty() => say(NOTHING),
        Ok(_) => say(""),
        Err(_) => say(REFUSED),
    }
}

fn say(text: &str) {
    if let Some(said) = find("own-said") {
        said.set_text_content(Some(text));
    }
}

fn input(testid: &str) -> Option<HtmlInputElement> {
    find(testid)?.dyn_into().ok()
}

fn find(testid: &str) -> Option<Element> {
    document().query_selector(&format!("[data-testid={testid}]")).ok().flatten()
}
