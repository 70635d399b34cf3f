//! The receipt beside the board: why this number, why this job, why this version, line by line from the run's facts.
//! Every line leads to its place: its time to that moment, its node to that row.

use super::files;
use crate::app::session::Command;
use crate::lab::receipt::{Line, Receipt, Verbatim};
use crate::ui::{Lab, View, click, keys};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use std::rc::Rc;

/// So many lines of a section are shown, and so many more each time that somebody asks.
const LINES_MAX: usize = 100;
/// About so many bytes of what was answered are shown.
const JSON_MAX: usize = 20_000;

/// What the receipt is of, and what stands on it; as it was when it was opened.
#[derive(Clone)]
pub struct Opened {
    id: String,
    receipt: Result<Rc<Receipt>, String>,
    /// What it was in the future that an act in the past has left.
    before: Option<String>,
}

impl Opened {
    /// The number of the request that it is of.
    pub fn unit(&self) -> Option<u64> {
        self.id.strip_prefix("req-")?.parse().ok()
    }
}

/// Opens the receipt of what is told, unless the truth is hidden: it would tell it.
pub fn open(lab: Lab, view: View) {
    let id = view.selected.with_untracked(|node| {
        lab.snapshot.with_untracked(|now| lab.face().receipt(now, node).filter(|_| now.truth))
    });
    if let Some(id) = id {
        show(lab, view, id);
    }
}

/// Opens the receipt of an id.
pub fn show(lab: Lab, view: View, id: String) {
    let receipt = lab.read_run(|run| run.receipt(&id).map(Rc::new).map_err(|invalid| invalid.to_string()));
    let Some(receipt) = receipt else { return };
    // The number of a record means another one in another future.
    let before = lab.read(|session| {
        let left = session.left_run().filter(|_| !id.starts_with('#'))?;
        left.receipt(&id).ok()
    });
    view.desk.receipt.set(Some(Opened { id, receipt, before: before.map(|receipt| receipt.title) }));
    queue_microtask(|| keys::focus("[data-testid=receipt] button"));
}

/// What stands beside the board; nothing while no receipt is open.
pub fn panel(lab: Lab, view: View) -> AnyView {
    let close = move || {
        view.desk.receipt.set(None);
        keys::focus(".board");
    };
    // Who hides the truth hides what it stands on, too.
    Effect::new(move || {
        if !lab.truth.get() {
            view.desk.receipt.set(None);
        }
    });
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            close();
        }
    };
    let shown = move || {
        view.desk.receipt.get().map(|opened| {
            view! {
                <aside class="receipt" data-testid="receipt" aria-label="Receipt" on:keydown=key>
                    <header>
                        <h2>{title(&opened)}</h2>
                        <button type="button" class="icon" aria-label="Close the receipt" on:click=move |_| close()>"×"</button>
                    </header>
                    {body(lab, view, opened)}
                </aside>
            }
        })
    };
    view! { {shown} }.into_any()
}

fn title(opened: &Opened) -> String {
    match &opened.receipt {
        Ok(receipt) if receipt.of == "request" => format!("Why this answer? {}", opened.id),
        Ok(receipt) if receipt.of == "message" => format!("Where is message {}?", opened.id),
        Ok(receipt) if receipt.of == "job" => "Why this job ended so".to_owned(),
        _ => format!("Why {}?", opened.id),
    }
}

fn body(lab: Lab, view: View, opened: Opened) -> AnyView {
    let receipt = match opened.receipt {
        Ok(receipt) => receipt,
        Err(problem) => return view! { <p>{problem}</p> }.into_any(),
    };
    let (id, raw) = (opened.id, receipt.raw.clone());
    let title = receipt.title.clone();
    let places = (0..receipt.sections.len()).filter(|&place| !receipt.sections[place].lines.is_empty());
    let sections: Vec<AnyView> = places.map(|place| section(lab, view, &receipt, place)).collect();
    view! {
        <p>{title}</p>
        {opened
            .before
            .map(|before| view! { <p class="before" data-testid="receipt-before">"Before your change: " {before}</p> })}
        {sections}
        {raw.map(|raw| verbatim(id, raw))}
    }
    .into_any()
}

/// What was answered, written when somebody wants to see it; all of it in a file, where it is too much for the page.
fn verbatim(id: String, raw: Verbatim) -> AnyView {
    let is_open = RwSignal::new(false);
    let raw = StoredValue::new_local(raw);
    let shown = move || {
        is_open.get().then(|| {
            let text = serde_json::to_string_pretty(&raw.with_value(Verbatim::to_json)).unwrap_or_default();
            let file = format!("{id}.json");
            let end = text.char_indices().map(|(place, _)| place).find(|&place| place >= JSON_MAX);
            let part = end.map_or_else(|| text.clone(), |end| format!("{}\n…", &text[..end]));
            let all = end.map(|_| {
                let what = format!("Save all {} KB as a file", text.len() / 1000);
                view! {
                    <button type="button" on:click=click(move |_| files::save(text.as_bytes(), &file))>{what}</button>
                }
            });
            view! { <pre tabindex="0">{part}</pre> {all} }
        })
    };
    view! {
        <details data-testid="receipt-json" on:toggle=move |_| is_open.set(true)>
            <summary>"Raw JSON, what the client got"</summary>
            {shown}
        </details>
    }
    .into_any()
}

fn section(lab: Lab, view: View, receipt: &Rc<Receipt>, place: usize) -> AnyView {
    let section = &receipt.sections[place];
    view! {
        <section data-testid=format!("receipt-{}", section.key)>
            <h3>{section.title}</h3>
            <ul>{some_lines(lab, view, Rc::clone(receipt), place, 0)}</ul>
        </section>
    }
    .into_any()
}

/// The lines of a section from one on, and behind a button those that follow: ten thousand at once would hold up the page.
fn some_lines(lab: Lab, view: View, receipt: Rc<Receipt>, place: usize, from: usize) -> AnyView {
    let section = receipt.sections[place].key;
    let lines = &receipt.sections[place].lines[from..];
    let shown: Vec<AnyView> = lines.iter().take(LINES_MAX).map(|of| line(lab, view, section, of)).collect();
    let Some(rest) = lines.len().checked_sub(LINES_MAX).filter(|&rest| rest > 0) else {
        return shown.into_any();
    };
    let wants = RwSignal::new(false);
    let what = format!("and {rest} more");
    let receipt = StoredValue::new_local(receipt);
    let more = move || {
        if wants.get() {
            return some_lines(lab, view, receipt.get_value(), place, from + LINES_MAX);
        }
        let what = what.clone();
        let show = move |_| {
            wants.set(true);
            queue_microtask(move || {
                keys::focus(&format!("[data-testid=receipt-{section}] li:last-child button"))
            });
        };
        view! {
            <li>
                <button type="button" class="plain" data-testid="receipt-more" on:click=click(show)>
                    {what}
                </button>
            </li>
        }
        .into_any()
    };
    view! { {shown} {more} }.into_any()
}

/// A line, whose time leads to the moment and whose node leads to the row.
fn line(lab: Lab, view: View, section: &'static str, line: &Line) -> AnyView {
    let Line { t_ns, node, text, n, .. } = line;
    let testid = node.as_ref().filter(|_| section == "left_out").map(|node| format!("receipt-out-{node}"));
    let time = (*t_ns).map(|ns| {
        let go = move |_| {
            lab.act(Command::Pause);
            lab.act(Command::Seek { at_ms: ns as f64 / 1e6 });
        };
        view! {
            <button type="button" class="plain" title="Go to this moment" on:click=go>
                {format!("{:.3} s", ns as f64 / 1e9)}
            </button>
        }
    });
    let node = node.as_ref().map(|node| {
        let (name, shown) = (node.to_string(), node.to_string());
        let select = move |_| {
            if lab.snapshot.with_untracked(|now| now.node(&name).is_some()) {
                view.selected.set(name.clone());
            }
        };
        view! { <button type="button" class="plain" title="Show it on the board" on:click=select>{shown}</button> }
    });
    let space = (*n).map(|n| {
        let show = move |_| view.desk.show_record(Some(n));
        view! {
            <button
                type="button"
                class="plain"
                data-testid="receipt-space"
                aria-label="Show it in space–time"
                title="Show it in space–time"
                on:click=show
            >
                "↗"
            </button>
        }
    });
    view! { <li data-testid=testid>{time}{node}<span>{text.clone()}</span>{space}</li> }.into_any()
}
