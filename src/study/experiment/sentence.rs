//! The question as a sentence: what is varied, what is held, how often it is played, and what is asked. Every word of it that can be
//! changed is a field.

use super::{Panel, delays, kept};
use crate::app::study::draft::{Asked, Described, Draft, Given};
use crate::app::study::rows::shown;
use crate::app::study::words::shortened;
use crate::study::{chosen, text, typed};
use leptos::ev::{Event, FocusEvent, Targeted};
use leptos::prelude::*;
use web_sys::{HtmlInputElement, HtmlSelectElement};

/// Which list of the draft.
type Of = fn(&mut Draft) -> &mut Vec<Given>;

pub fn sentence(panel: Panel) -> AnyView {
    let count = |of: fn(&mut Draft) -> &mut String, testid, label| count(panel, of, testid, label);
    let unit = panel.said.with_value(|said| said.unit.clone());
    let runs = move || panel.running.with(Option::is_some);
    view! {
        <section class="study-question" aria-label="The question">
            <p>
                "Vary " {givens(panel, |draft| &mut draft.vary, "vary")} " Hold " {givens(panel, |draft| &mut draft.hold, "hold")} " "
                {faults(panel)} "Run " {count(|draft| &mut draft.requests, "experiment-requests", "Units of work that count in each run")} " "
                {unit} " × " {count(|draft| &mut draft.seeds, "experiment-seeds", "How many seeds")} " seeds from "
                {count(|draft| &mut draft.first, "experiment-first", "The first seed")} ", after "
                {count(|draft| &mut draft.warmup, "experiment-warmup", "Units of work that do not count, at the beginning of each run")}
                " that do not count. Goal: " {goals(panel)}
            </p>
            <div class="study-actions">
                <button type="button" class="study-button strong" data-testid="experiment-run" disabled=runs on:click=move |_| panel.play(false)>
                    "Run"
                </button>
                <button
                    type="button"
                    class="study-button"
                    data-testid="experiment-seek"
                    title="The first value of the first key that meets all goals with some value of the others, and from which on all later ones do; checked on fresh seeds"
                    disabled=runs
                    on:click=move |_| panel.play(true)
                >
                    "Find the least"
                </button>
                <label class="study-check">
                    <input
                        type="checkbox"
                        data-testid="experiment-adaptive"
                        prop:checked=move || panel.draft.with(|draft| draft.adaptive)
                        on:change=move |_| panel.draft.update(|draft| draft.adaptive ^= true)
                    />
                    "play undecided points on"
                </label>
                {kept::plan_file(panel)}
                {delays::file(panel)}
            </div>
            <p class="study-wrong" role="alert" data-testid="experiment-wrong">{text(move || panel.wrong.get())}</p>
        </section>
    }
    .into_any()
}

/// Keys with their values, each of which can be taken out, and one more that can be put in.
fn givens(panel: Panel, of: Of, name: &'static str) -> AnyView {
    let count = Memo::new(move |_| panel.draft.with(|draft| of(&mut draft.clone()).len()));
    let list = move || {
        let all =
            (0..count.get()).map(|i| view! { {(i > 0).then_some(" and ")} {given(panel, of, i, name)} });
        let none = (count.get() == 0).then_some("nothing ");
        view! { {none} {all.collect_view()} " " <span class="study-given">{add(panel, of, name)} "."</span> }
    };
    list.into_any()
}

fn given(panel: Panel, of: Of, i: usize, name: &'static str) -> AnyView {
    let read = move |part: fn(&Given) -> &String| {
        panel
            .draft
            .with(|draft| of(&mut draft.clone()).get(i).map(|given| part(given).clone()).unwrap_or_default())
    };
    let key = move || read(|given| &given.key);
    let first_key = untrack(key);
    let is_focused = RwSignal::new(false);
    // While nobody types there, a long list is said by its ends.
    let shown_values = move || {
        let all = read(|given| &given.text);
        if is_focused.get() { all } else { shortened(&all) }
    };
    let about = panel.said.with_value(|said| {
        said.key(&first_key).map_or(String::new(), |key| format!("{}; {}", key.meaning, key.allowed))
    });
    let write = typed(move |text| {
        panel.draft.update(|draft| {
            if let Some(given) = of(draft).get_mut(i) {
                given.text = text;
            }
        });
    });
    // All of it at once, and marked, so that what is typed takes its place.
    let focus = move |event: Targeted<FocusEvent, HtmlInputElement>| {
        let field = event.target();
        field.set_value(&untrack(|| read(|given| &given.text)));
        field.select();
        is_focused.set(true);
    };
    let take_out = move |_| {
        panel.draft.update(|draft| {
            let all = of(draft);
            if i < all.len() {
                all.remove(i);
            }
        });
    };
    view! {
        <span class="study-given">
            <span>{text(key)} " "</span>
            <input
                class="study-field"
                data-testid=format!("{name}-{first_key}")
                aria-label=text(move || format!("{}: {}", if name == "vary" { "Values of" } else { "Value of" }, key()))
                title=about
                spellcheck="false"
                autocomplete="off"
                prop:value=shown_values
                on:focus:target=focus
                on:blur=move |_| is_focused.set(false)
                on:input:target=write
            />
            <button type="button" class="study-out" aria-label=text(move || format!("Without {}", key())) on:click=take_out>"×"</button>
        </span>
    }
    .into_any()
}

/// What may be put in besides.
fn add(panel: Panel, of: Of, name: &'static str) -> AnyView {
    let add = move |event: Targeted<Event, HtmlSelectElement>| {
        let key = event.target().value();
        event.target().set_value("");
        panel
            .draft
            .update(|draft| panel.said.with_value(|said| put_in(draft, of, said, &key, name == "vary")));
    };
    let keys = move || {
        let is_here = panel
            .draft
            .with(|draft| of(&mut draft.clone()).iter().map(|given| given.key.clone()).collect::<Vec<_>>());
        let keys =
            panel.said.with_value(|said| said.axes.iter().map(|axis| axis.key.clone()).collect::<Vec<_>>());
        let free = keys.into_iter().filter(|key| !is_here.contains(key));
        free.map(|key| view! { <option value=key.clone()>{key.clone()}</option> }).collect_view()
    };
    view! {
        <select class="study-field add" data-testid=format!("{name}-add") aria-label=format!("What else to {name}") on:change:target=add>
            <option value="" selected>"+"</option>
            {keys}
        </select>
    }
    .into_any()
}

/// Puts a key in, and takes it from where it was.
fn put_in(draft: &mut Draft, of: Of, said: &Described, key: &str, varied: bool) {
    let Some(known) = said.key(key) else { return };
    draft.vary.retain(|given| given.key != key);
    draft.hold.retain(|given| given.key != key);
    let text = match varied {
        true if !known.suggested.is_empty() => {
            known.suggested.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        _ => shown(&known.value),
    };
    of(draft).push(Given { key: key.to_owned(), text });
}

/// The scenario's faults, which strike or do not.
fn faults(panel: Panel) -> AnyView {
    let faults = panel.draft.with_untracked(|draft| draft.faults.clone());
    if faults.is_empty() {
        return ().into_any();
    }
    let some = match faults.split(',').count() {
        1 => "The scenario's fault is ".to_owned(),
        n => format!("The scenario's {n} faults are "),
    };
    let is_on = move || panel.draft.with(|draft| draft.with_faults);
    view! {
        {some}
        <button
            type="button"
            class="study-field"
            data-testid="experiment-faults"
            title=faults
            aria-pressed=text(move || is_on().to_string())
            on:click=move |_| panel.draft.update(|draft| draft.with_faults ^= true)
        >
            {text(move || if is_on() { "on" } else { "off" }.to_owned())}
        </button>
        ". "
    }
    .into_any()
}

fn count(
    panel: Panel,
    of: fn(&mut Draft) -> &mut String,
    testid: &'static str,
    label: &'static str,
) -> AnyView {
    view! {
        <input
            class="study-field short"
            data-testid=testid
            aria-label=label
            title=label
            inputmode="numeric"
            autocomplete="off"
            prop:value=move || panel.draft.with(|draft| of(&mut draft.clone()).clone())
            on:input:target=typed(move |text| panel.draft.update(|draft| *of(draft) = text))
        />
    }
    .into_any()
}

fn goals(panel: Panel) -> AnyView {
    let count = Memo::new(move |_| panel.draft.with(|draft| draft.goals.len()));
    let metrics = panel.said.with_value(|said| {
        said.metrics.iter().map(|metric| (metric.name.clone(), metric.title.clone())).collect::<Vec<_>>()
    });
    let options = StoredValue::new(metrics);
    let goal = move |i: usize| {
        let read = move |part: fn(&Asked) -> String| {
            panel.draft.with(|draft| draft.goals.get(i).map(part).unwrap_or_default())
        };
        let write = move |act: &dyn Fn(&mut Asked)| {
            panel.draft.update(|draft| draft.goals.get_mut(i).into_iter().for_each(act));
        };
        let now = untrack(move || read(|asked| asked.metric.clone()));
        let mut all = options.get_value();
        if all.iter().all(|(name, _)| *name != now) {
            all.push((now.clone(), now.clone()));
        }
        let all = all
            .into_iter()
            .map(|(name, title)| view! { <option value=name.clone() selected=name == now>{title}</option> });
        view! {
            {(i > 0).then_some(" and ")}
            <span class="study-given">
                <select
                    class="study-field"
                    data-testid=format!("goal-{i}")
                    aria-label="What is asked of"
                    on:change:target=chosen(move |name| write(&|asked| asked.metric = name.clone()))
                >
                    {all.collect_view()}
                </select>
                " "
                <button
                    type="button"
                    class="study-field"
                    aria-label=text(move || read(|asked| if asked.below { "less than" } else { "more than" }.to_owned()))
                    on:click=move |_| write(&|asked| asked.below ^= true)
                >
                    {text(move || read(|asked| if asked.below { "<" } else { ">" }.to_owned()))}
                </button>
                " "
                <input
                    class="study-field short"
                    data-testid=format!("goal-{i}-limit")
                    aria-label="The limit"
                    autocomplete="off"
                    prop:value=move || read(|asked| asked.limit.clone())
                    on:input:target=typed(move |limit| write(&|asked| asked.limit = limit.clone()))
                />
                <button
                    type="button"
                    class="study-out"
                    aria-label="Without this goal"
                    on:click=move |_| panel.draft.update(|draft| drop((i < draft.goals.len()).then(|| draft.goals.remove(i))))
                >
                    "×"
                </button>
            </span>
        }
    };
    let add = move |_| {
        let first = options.with_value(|all| all.first().map(|(name, _)| name.clone()));
        let goal = Asked { metric: first.unwrap_or_default(), below: true, limit: "1%".to_owned() };
        panel.draft.update(|draft| draft.goals.push(goal));
    };
    let list = move || {
        let none = (count.get() == 0).then_some("none ");
        view! {
            {none} {(0..count.get()).map(goal).collect_view()} " "
            <span class="study-given"><button type="button" class="study-field add" data-testid="goal-add" aria-label="One more goal" on:click=add>"+"</button> "."</span>
        }
    };
    list.into_any()
}
