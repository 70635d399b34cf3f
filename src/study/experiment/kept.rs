//! Keeping what came of experiments: in the browser, where they are listed, reopened and deleted; and as files.

use super::Panel;
use crate::app::keeper::EXPERIMENTS;
use crate::app::study::draft::read_plan;
use crate::app::study::played::Played;
use crate::study::desk;
use crate::study::text;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, HtmlInputElement};

/// No larger file is read as a plan, in bytes.
const PLAN_MAX: f64 = 1_048_576.0;

/// Keeps what has ended, if there is something of it.
pub fn keep(panel: Panel) {
    let Some(played) = panel.played.get_untracked().filter(|played| !played.rows.is_empty()) else { return };
    spawn_local(async move {
        // Where nothing may be kept the list stays empty, and files can still be saved.
        let _ = EXPERIMENTS.put(&played.to_json()).await;
        list(panel);
    });
}

/// Asks what is kept.
pub fn list(panel: Panel) {
    spawn_local(async move {
        let all = EXPERIMENTS.all(Played::from_json).await.unwrap_or_default();
        panel.kept.try_set(all.into_iter().map(|(key, played)| (key, played.name())).collect());
    });
}

/// What was kept may be of another scenario: the panel is opened anew with it.
fn reopen(key: f64) {
    spawn_local(async move {
        let all = EXPERIMENTS.all(Played::from_json).await.unwrap_or_default();
        if let Some((_, played)) = all.into_iter().find(|(other, _)| *other == key) {
            desk::open("experiment", &played.to_json());
        }
    });
}

fn remove(panel: Panel, key: f64) {
    spawn_local(async move {
        let _ = EXPERIMENTS.remove(key).await;
        list(panel);
    });
}

/// What is kept.
pub fn results(panel: Panel) -> AnyView {
    let title = text(move || match panel.kept.with(Vec::len) {
        0 => "Nothing kept yet".to_owned(),
        n => format!("Kept results ({n})"),
    });
    let one = move |(i, (key, name)): (usize, (f64, String))| {
        view! {
            <li>
                <button type="button" class="study-link" data-testid=format!("kept-{}", i + 1) on:click=move |_| reopen(key)>{name.clone()}</button>
                <button type="button" class="study-out" data-testid=format!("forget-{}", i + 1) aria-label=format!("Delete {name}") on:click=move |_| remove(panel, key)>"×"</button>
            </li>
        }
    };
    view! {
        <details class="study-kept" open>
            <summary data-testid="kept">{title}</summary>
            <ul>{move || panel.kept.get().into_iter().enumerate().map(one).collect_view()}</ul>
        </details>
    }
    .into_any()
}

/// The rows as the command line writes them.
pub fn save_csv(panel: Panel) {
    let table = panel.played.with_untracked(|played| {
        played.as_ref().map(|played| panel.said.with_value(|said| played.table(said)))
    });
    table.into_iter().for_each(|table| desk::save("experiment.csv", "text/csv", &table));
}

/// Plan, rows and where they are from.
pub fn save_json(panel: Panel) {
    panel.played.with_untracked(|played| {
        played
            .as_ref()
            .map(|played| desk::save("experiment.json", "application/json", &played.file(&desk::url())))
    });
}

/// The chart as it is on the screen.
pub fn save_png(panel: Panel) {
    let title = panel.played.with_untracked(|played| played.as_ref().map_or(String::new(), Played::name));
    let answer = document().query_selector("[data-testid=experiment-answer] p").ok().flatten();
    let answer = answer.and_then(|element| element.text_content()).unwrap_or_default();
    desk::picture(&title, &answer);
}

/// Reads a plan's file.
pub fn open_plan(panel: Panel, file: File) {
    let (name, size) = (file.name(), file.size());
    if size > PLAN_MAX {
        let wrong =
            format!("{name}: {size} bytes is not allowed; allowed: a plan of at most {PLAN_MAX} bytes");
        return panel.wrong.set(wrong);
    }
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        match read_plan(&text.unwrap_or_default()) {
            // It may be of another scenario, too.
            Ok(plan) => desk::open("experiment", &serde_json::to_string(&plan).unwrap_or_default()),
            Err(wrong) => drop(panel.wrong.try_set(format!("{name}: {wrong}"))),
        }
    });
}

/// Opens a plan, and saves the one that stands in the sentence.
pub fn plan_file(panel: Panel) -> AnyView {
    let open = move |event: Targeted<Event, HtmlInputElement>| {
        let input = event.target();
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            open_plan(panel, file);
        }
        input.set_value("");
    };
    let save = move |_| match panel.draft.with_untracked(|draft| draft.plan()) {
        Ok(plan) => {
            let text = serde_json::to_string_pretty(&plan).unwrap_or_default() + "\n";
            desk::save("plan.json", "application/json", &text);
        }
        Err(wrong) => panel.wrong.set(wrong.to_string()),
    };
    view! {
        <label class="study-button">
            "Open a plan…" <input type="file" class="visually-hidden" accept=".json,application/json" data-testid="experiment-open" on:change:target=open />
        </label>
        <button type="button" class="study-button" data-testid="experiment-save" on:click=save>"Save the plan"</button>
    }
    .into_any()
}
