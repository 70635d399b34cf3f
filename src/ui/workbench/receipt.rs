//! The receipt beside the board: why this number, why this job, why this version, line by line from the run's facts.
//! Every line leads to its place: its time to that moment, its node to that row.

use crate::app::session::Command;
use crate::lab::receipt::{Line, Receipt, Section};
use crate::ui::{Lab, View, keys};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// What the receipt is of, and what stands on it; as it was when it was opened.
#[derive(Clone, PartialEq)]
pub struct Opened {
    id: String,
    receipt: Result<Receipt, String>,
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
    let receipt = lab.read_run(|run| run.receipt(&id).map_err(|invalid| invalid.to_string()));
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
    let sections = receipt.sections.into_iter().filter(|section| !section.lines.is_empty());
    let raw = receipt.raw.map(|raw| serde_json::to_string_pretty(&raw).unwrap_or_default());
    view! {
        <p>{receipt.title}</p>
        {opened
            .before
            .map(|before| view! { <p class="before" data-testid="receipt-before">"Before your change: " {before}</p> })}
        {sections.map(|part| section(lab, view, part)).collect_view()}
        {raw
            .map(|raw| {
                view! {
                    <details data-testid="receipt-json">
                        <summary>"Raw JSON, what the client got"</summary>
                        <pre tabindex="0">{raw}</pre>
                    </details>
                }
            })}
    }
    .into_any()
}

fn section(lab: Lab, view: View, section: Section) -> AnyView {
    let Section { key, title, lines } = section;
    view! {
        <section data-testid=format!("receipt-{key}")>
            <h3>{title}</h3>
            <ul>{lines.into_iter().map(|of| line(lab, view, key, of)).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// A line, whose time leads to the moment and whose node leads to the row.
fn line(lab: Lab, view: View, section: &'static str, line: Line) -> AnyView {
    let Line { t_ns, node, text, n, .. } = line;
    let testid = node.as_ref().filter(|_| section == "left_out").map(|node| format!("receipt-out-{node}"));
    let time = t_ns.map(|ns| {
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
    let node = node.map(|node| {
        let (name, shown) = (node.to_string(), node.to_string());
        let select = move |_| {
            if lab.snapshot.with_untracked(|now| now.node(&name).is_some()) {
                view.selected.set(name.clone());
            }
        };
        view! { <button type="button" class="plain" title="Show it on the board" on:click=select>{shown}</button> }
    });
    let space = n.map(|n| {
        let show = move |_| view.desk.show_record(Some(n));
        view! {
            <button type="button" class="plain" data-testid="receipt-space" aria-label="Show it in space–time" title="Show it in space–time" on:click=show>
                "↗"
            </button>
        }
    });
    view! { <li data-testid=testid>{time}{node}<span>{text}</span>{space}</li> }.into_any()
}
