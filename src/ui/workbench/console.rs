//! The API console, a tab of the dock: the endpoints, an editor for one call, and what came of the calls. What a text means
//! stands in `app/console`; here it is shown, and sent as a command like any other act.

use crate::app::command::Command;
use crate::app::console::{self, Answer, Endpoint, Seen};
use crate::lab::Invalid;
use crate::substrate::http::Request;
use crate::ui::metrics::Drawn;
use crate::ui::panel::Tab;
use crate::ui::{Lab, View, address, click, keydown, keys, text};
use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// So many calls show where a limit is.
const BURST: u32 = 30;
/// On a page that is too low for both, the board is behind the dock.
const BOARD: &str = ".board";

/// The chart of what was turned away.
const REJECTED: &str = "rejected";

/// The limit that it offers where there is none, requests a second.
const LIMIT: u32 = 10;

/// Where nothing was turned away yet though there is a limit, the chart offers to try it; where there is none, it offers one.
pub fn beside_chart(lab: Lab, key: &'static str, all: Drawn, i: usize) -> AnyView {
    let is_said =
        move |says: &str| all.with(|all| all[i].value_label == "0" && all[i].description.starts_with(says));
    let (is_none, is_free) = (Memo::new(move |_| is_said("0")), Memo::new(move |_| is_said("No rate limit")));
    let burst = move |()| {
        let kind = lab.snapshot.with_untracked(|now| now.system);
        let groups = console::groups(kind);
        let first = groups.iter().flat_map(|group| &group.endpoints).find(|endpoint| endpoint.is_first());
        let text = first.map(|endpoint| lab.read(|session| endpoint.sample(session.run(), "")));
        if let Some(Ok(request)) = text.map(|text| console::read(&text, &console::base(kind))) {
            lab.act(console::command(&request, BURST));
        }
    };
    let limit = move |()| lab.act(Command::Set { key: "rate".to_owned(), value: LIMIT.into() });
    let press = move |testid: &'static str, words: String, act: Callback<()>| {
        view! { <button type="button" class="small burst" data-testid=testid on:click=click(move |_| act.run(()))>{words}</button> }
    };
    let button = move || match (is_none.get(), is_free.get()) {
        (true, _) => Some(press("burst", "Send a burst of 30".to_owned(), Callback::new(burst))),
        (_, true) => Some(press("limit", format!("Add {LIMIT} per second"), Callback::new(limit))),
        _ => None,
    };
    if key == REJECTED { view! { {button} }.into_any() } else { ().into_any() }
}

/// What the console knows.
#[derive(Clone, Copy)]
struct Console {
    lab: Lab,
    view: View,
    /// What stands in the editor.
    typed: RwSignal<String>,
    editor: NodeRef<Textarea>,
    /// What is wrong with it, or came of the last button.
    said: RwSignal<Result<String, String>>,
    /// The call that is looked at, if it is not the newest.
    picked: RwSignal<Option<usize>>,
    base: StoredValue<String>,
}

/// The console.
pub fn panel(lab: Lab, view: View) -> AnyView {
    let system = lab.snapshot.with_untracked(|now| now.system);
    let groups = console::groups(system);
    let first = groups.iter().flat_map(|group| &group.endpoints).find(|endpoint| endpoint.is_first());
    let sample = first.map(|endpoint| lab.read(|session| endpoint.sample(session.run(), "")));
    // A link may carry a text, for a person to send or not.
    let carried = address::read().ok().and_then(|(address, _)| address.page("call").map(str::to_owned));
    view.desk.call.set(carried.or(sample).unwrap_or_default());
    let console = Console {
        lab,
        view,
        typed: view.desk.call,
        editor: NodeRef::new(),
        said: RwSignal::new(Ok(String::new())),
        picked: RwSignal::new(None),
        base: StoredValue::new(console::base(system)),
    };
    view! {
        <div class="console">
            <div class="endpoints" role="group" aria-label="Endpoints" tabindex="0">
                {groups
                    .into_iter()
                    .map(|group| {
                        let endpoints = group.endpoints.into_iter().map(|endpoint| console.endpoint(endpoint));
                        view! {
                            <h3>{group.role} <small>{group.at}</small></h3>
                            <ul>{endpoints.collect_view()}</ul>
                        }
                    })
                    .collect_view()}
                <p>"Paste a curl command, or write " <code>"glasshive.fetch()"</code> ". Calls run in virtual time and replay with the seed."</p>
            </div>
            {console.request()}
            {console.response()}
        </div>
    }
    .into_any()
}

impl Console {
    /// The editor's text as a request.
    fn read(self) -> Result<Request, Invalid> {
        self.base.with_value(|base| self.typed.with(|typed| console::read(typed, base)))
    }

    fn endpoint(self, endpoint: Endpoint) -> AnyView {
        let route = endpoint.route;
        let endpoint = StoredValue::new(endpoint);
        let is_asked =
            move || self.read().is_ok_and(|request| endpoint.with_value(|endpoint| endpoint.takes(&request)));
        let choose = move |_| {
            let selected = self.view.selected.get_untracked();
            let sample = endpoint
                .with_value(|endpoint| self.lab.read(|session| endpoint.sample(session.run(), &selected)));
            self.write(sample);
        };
        view! {
            <li>
                <button type="button" title=route.what aria-pressed=text(move || is_asked().to_string()) on:click=click(choose)>
                    <span>{route.method}</span>
                    {route.path}
                </button>
            </li>
        }
        .into_any()
    }

    /// Puts a text into the editor.
    fn write(self, text: String) {
        self.typed.set(text);
        self.said.set(Ok(String::new()));
        if let Some(editor) = self.editor.get_untracked() {
            keys::focus_in_place(&editor);
        }
    }

    fn request(self) -> AnyView {
        let Console { typed, said, editor, .. } = self;
        let key = move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                self.send(1);
            }
        };
        let is_wrong = move || said.with(Result::is_err);
        let button = move |testid: &'static str, label: &'static str, act: Callback<()>| {
            view! { <button type="button" class="small" data-testid=testid on:click=click(move |_| act.run(()))>{label}</button> }
        };
        view! {
            <section aria-label="Request">
                <header>
                    <h3>"Request"</h3>
                    {button("api-curl", "Copy as curl", Callback::new(move |()| self.copy(false)))}
                    {button("api-fetch", "Copy as fetch", Callback::new(move |()| self.copy(true)))}
                    {button("api-burst", "Send 30", Callback::new(move |()| self.send(BURST)))}
                    <button type="button" class="send" data-testid="api-send" aria-keyshortcuts="Control+Enter" on:click=click(move |_| self.send(1))>
                        "Send " <kbd aria-hidden="true">"Ctrl ↵"</kbd>
                    </button>
                </header>
                <textarea
                    data-testid="api-input"
                    aria-label="One call: a curl command, or glasshive.fetch"
                    aria-describedby="api-said"
                    aria-invalid=text(move || is_wrong().to_string())
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    node_ref=editor
                    prop:value=move || typed.get()
                    on:input=move |event| {
                        typed.set(event_target_value(&event));
                        said.set(Ok(String::new()));
                    }
                    on:keydown=keydown(key)
                ></textarea>
                <p id="api-said" role="status" data-testid="api-said" data-wrong=text(move || is_wrong().to_string())>
                    {text(move || said.with(|said| match said {
                        Ok(said) | Err(said) => said.clone(),
                    }))}
                </p>
            </section>
        }
        .into_any()
    }

    /// Sends what stands in the editor so many times.
    fn send(self, times: u32) {
        let sent =
            untrack(|| self.read()).and_then(|request| self.lab.send(console::command(&request, times)));
        self.picked.set(None);
        self.said.set(sent.map(|_| String::new()).map_err(|invalid| invalid.to_string()));
    }

    /// Copies what stands in the editor in one of its two forms; where that is refused, the editor has it, selected.
    fn copy(self, as_fetch: bool) {
        let request = match untrack(|| self.read()) {
            Ok(request) => request,
            Err(invalid) => return self.said.set(Err(invalid.to_string())),
        };
        let copy = if as_fetch {
            self.base.with_value(|base| console::to_fetch(&request, base))
        } else {
            console::to_curl(&request)
        };
        let copied = window().navigator().clipboard().write_text(&copy);
        spawn_local(async move {
            let is_copied = JsFuture::from(copied).await.is_ok();
            if let (false, Some(editor)) = (is_copied, self.editor.get_untracked()) {
                self.typed.set(copy.clone());
                editor.set_value(&copy);
                editor.select();
            }
            self.said.set(Ok(if is_copied { "Copied." } else { "It is selected: press Ctrl C." }.to_owned()));
        });
    }

    fn response(self) -> AnyView {
        let Console { lab, view, picked, .. } = self;
        let seen = Memo::new(move |before: Option<&Seen>| {
            lab.snapshot.track();
            let before = || before.cloned().unwrap_or_default();
            // Nobody looks at it, or it is on its way elsewhere.
            if !view.desk.shows(Tab::Api) {
                return before();
            }
            lab.read_run(console::seen).unwrap_or_else(before)
        });
        let place = move || {
            let seen = seen.get();
            let index = picked.get().and_then(|index| seen.calls.iter().position(|&call| call == index));
            index.or(seen.calls.len().checked_sub(1))
        };
        let answer = Memo::new(move |before: Option<&Option<Answer>>| {
            let (seen, place) = (seen.get(), place());
            let read = lab.read_run(|run| console::answer(run, &seen, *seen.calls.get(place?)?));
            read.unwrap_or_else(|| before.cloned().flatten())
        });
        let go = move |by: isize| {
            let seen = seen.get_untracked();
            let to = untrack(place).and_then(|place| place.checked_add_signed(by));
            picked.set(to.and_then(|to| seen.calls.get(to).copied()));
        };
        let shown = move || {
            match answer.get() {
            Some(answer) => self.answer(answer, seen.with(|seen| seen.calls.len()), place().unwrap_or_default(), Callback::new(go)),
            None => view! { <p class="none">"No call yet. Send one: the answer comes in virtual time, and can be taken back like any act."</p> }.into_any(),
        }
        };
        view! { <section class="response" data-testid="api-response" aria-label="Response">{shown}</section> }
            .into_any()
    }

    fn answer(self, answer: Answer, calls: usize, place: usize, go: Callback<isize>) -> AnyView {
        let Answer { status, is_good, after, headers, body, again, at_ms, node, tally } = answer;
        let show = move |_| {
            let Console { lab, view, .. } = self;
            lab.act(Command::Pause);
            lab.act(Command::Seek { at_ms });
            if let Some(node) =
                node.clone().filter(|node| lab.snapshot.with_untracked(|now| now.node(node).is_some()))
            {
                view.selected.set(node);
            }
            view.dock_open.set(false);
            if let Some(board) = document().query_selector(BOARD).ok().flatten() {
                board.scroll_into_view();
            }
            keys::focus(BOARD);
        };
        let walk = move |by: isize, label: &'static str, sign: &'static str, can: bool| {
            view! { <button type="button" class="small" aria-label=label disabled=!can on:click=click(move |_| go.run(by))>{sign}</button> }
        };
        let several = (calls > 1).then(|| {
            view! {
                <p class="tally" data-testid="api-tally">
                    {walk(-1, "The call before", "‹", place > 0)}
                    {format!("{} of {tally}", place + 1)}
                    {walk(1, "The next call", "›", place + 1 < calls)}
                </p>
            }
        });
        let again = again.map(|again| {
            let write = move |_| self.write(again.clone());
            view! { <button type="button" class="small" data-testid="api-etag" on:click=click(write)>"Ask whether it has changed"</button> }
        });
        view! {
            <header>
                <h3 data-good=is_good.to_string()>{status}</h3>
                <span>{after}</span>
                <button type="button" class="why" data-testid="api-show" on:click=click(show)>"Show on board"</button>
            </header>
            {several}
            <dl>{headers.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view()}</dl>
            {again}
            <pre tabindex="0" role="group" aria-label="Body">{body}</pre>
        }
        .into_any()
    }
}
