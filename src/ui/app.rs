//! The page's frame: header, sentence, board, caption, dock, transport.

use super::{
    Lab, View, address, board, break_bar, caption, click, dock, fork, frames, header, keys, sentence, text,
    theme::Theme, transport, workbench,
};
use leptos::prelude::*;

/// The whole page.
#[component]
pub fn App(lab: Lab) -> impl IntoView {
    let theme = Theme::restore();
    let view = View::new(lab);
    let View { selected, .. } = view;
    keys::listen(lab, view);
    address::listen(lab, view);
    frames::note_hidden(lab);
    workbench::listen(lab, view);
    keep_selection_valid(lab, selected);
    view! {
        <SkipLinks lab />
        <header::Header lab view theme />
        <sentence::Sentence lab />
        <main aria-label="The board">
            <break_bar::BreakBar lab selected />
            <board::Board lab view />
            <caption::Caption lab view />
        </main>
        <dock::Dock lab view />
        <fork::Fork lab />
        <transport::Transport lab view />
        {workbench::dialogs(lab, view)}
    }
}

/// The first stops of the Tab key.
#[component]
fn SkipLinks(lab: Lab) -> impl IntoView {
    view! {
        <nav class="skip" aria-label="Skip">
            <button type="button" on:click=click(move |_| lab.toggle_play())>
                {text(move || lab.play_label().to_owned())}
            </button>
            <a href="#dock">{lab.face().words().rows}</a>
            <a href="#results">"Results"</a>
        </nav>
    }
}

/// A selected node that no longer exists makes way for the last one that does.
fn keep_selection_valid(lab: Lab, selected: RwSignal<String>) {
    let count = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.nodes.len()));
    Effect::watch(
        move || count.get(),
        move |_, _, _| {
            let snapshot = lab.snapshot_now();
            let exists = selected.with_untracked(|name| snapshot.nodes.iter().any(|node| node.name == *name));
            if let (false, Some(last)) = (exists, snapshot.nodes.last()) {
                selected.set(last.name.clone());
            }
        },
        false,
    );
}
