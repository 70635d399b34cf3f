//! The points as a table: what was set, what the goals ask of, what was not answered, and the verdict. A head sorts; a row opens its run
//! on the board.

use super::Panel;
use crate::app::study::answer::answer;
use crate::app::study::played::Played;
use crate::app::study::table::{Column, columns, sorted};
use crate::lab::experiment::Verdict;
use crate::study::text;
use leptos::prelude::*;

/// No more rows are drawn at once; files have all.
const ROWS_MAX: usize = 200;

pub fn table(panel: Panel) -> AnyView {
    let heads = Memo::new(move |_| {
        panel.played.with(|played| played.as_ref().map_or(Vec::new(), |played| with(panel, played, columns)))
    });
    let head = move |column: Column| {
        let key = StoredValue::new(column.key.clone());
        let sort = move || {
            panel.sorted.with(|sorted| {
                sorted.clone().filter(|(by, _)| key.with_value(|key| key == by)).map(|(_, down)| down)
            })
        };
        let turn = move |_| {
            let down = matches!(sort(), Some(false));
            panel.sorted.set(Some((key.get_value(), down)));
        };
        view! {
            <th scope="col" aria-sort=move || sort().map(|down| if down { "descending" } else { "ascending" })>
                <button type="button" on:click=turn>
                    {column.title.clone()} {move || sort().map(|down| if down { " ▾" } else { " ▴" })}
                </button>
            </th>
        }
    };
    let body = move || {
        let order = panel.played.with(|played| {
            played.as_ref().map_or(Vec::new(), |played| sorted(played, panel.sorted.get().as_ref()))
        });
        let answer = found(panel);
        order.into_iter().take(ROWS_MAX).map(|row| line(panel, row, answer == Some(row))).collect_view()
    };
    let note = text(move || {
        let rows = panel.played.with(|played| played.as_ref().map_or(0, |played| played.rows.len()));
        match rows {
            0 => "Each point is a row; it opens its first run on the board.".to_owned(),
            rows if rows > ROWS_MAX => format!(
                "{ROWS_MAX} of {rows} points are shown; the files have all. A row opens its first run on the board."
            ),
            _ => "A row opens its first run on the board.".to_owned(),
        }
    });
    view! {
        <div class="study-scroll" tabindex="0" role="region" aria-label="Points, as a table">
            <table class="study-table" data-testid="experiment-table">
                <thead><tr>{move || heads.get().into_iter().map(head).collect_view()}</tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        <p class="study-method">{note}</p>
    }
    .into_any()
}

fn line(panel: Panel, row: usize, is_answer: bool) -> impl IntoView {
    let cells = panel.played.with_untracked(|played| {
        let Some(played) = played else { return Vec::new() };
        with(panel, played, columns)
            .iter()
            .map(|column| panel.said.with_value(|said| column.cell(said, played, row)))
            .collect()
    });
    let mut cells = cells.into_iter();
    let first: String = cells.next().unwrap_or_default();
    view! {
        <tr class:answer=is_answer on:click=move |_| panel.open_live(row)>
            <th scope="row"><button type="button" data-testid=format!("experiment-row-{row}") title="Open its first run on the board">{first}</button></th>
            {cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}
        </tr>
    }
}

/// The row that is the answer.
fn found(panel: Panel) -> Option<usize> {
    panel.played.with_untracked(|played| {
        let played = played.as_ref()?;
        let found = panel.said.with_value(|said| answer(said, played))?;
        (found.verdict == Verdict::Meets).then_some(found.row)
    })
}

fn with<T>(panel: Panel, played: &Played, of: fn(&crate::app::study::draft::Described, &Played) -> T) -> T {
    panel.said.with_value(|said| of(said, played))
}
