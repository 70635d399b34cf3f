//! The echo's face: what the page says of it. The board, the table and the legend are those that any system gets.

use super::caption::Caption;
use super::face::{Face, Moment, Observed, Show, Words};
use super::outcomes::Figure;
use super::sentence::{Part, Style, number};
use super::snapshot::SystemView;
use crate::lab::Run;
use crate::lab::echo::EchoRun;
use serde_json::{Value, json};

/// The echo's face.
pub struct EchoFace;

/// What a snapshot has of an echo besides its nodes and messages.
#[derive(Debug)]
pub struct EchoView {
    heard: u64,
    missed: u64,
}

impl SystemView for EchoView {
    fn json(&self) -> Value {
        json!({"echo": {"heard": self.heard, "missed": self.missed}})
    }
}

static WORDS: Words = Words {
    selected: "server",
    sentence: &[
        Part::Words("The client says a word every "),
        number("period", "Time between two words", Style::Time),
        Part::Words(" and waits for its echo."),
    ],
    help: "The client and the server have a row each; the dots between them are words on their way.",
    ..Words::DEFAULT
};

impl Face for EchoFace {
    type View = EchoView;

    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn observe(&self, run: &Run, _: Option<&EchoView>, _: Show) -> Option<Observed<EchoView>> {
        let (heard, missed) = run.system().of_type::<EchoRun>()?.heard_and_missed();
        Some(Observed::of(run, EchoView { heard, missed }))
    }

    fn outcomes(&self, now: Moment<EchoView>) -> Vec<Figure> {
        let EchoView { heard, missed } = now.view;
        vec![Figure {
            key: "heard",
            value: heard.to_string(),
            aside: format!("/{}", heard + missed),
            label: "echoes heard".to_owned(),
            more: "",
            title: "Of all words that have come back or never will",
        }]
    }

    fn caption(&self, now: Moment<EchoView>) -> Caption {
        let headline = format!("{} words were heard, {} missed.", now.view.heard, now.view.missed);
        Caption::new(headline, String::new(), "What if the server is slow?")
    }
}
