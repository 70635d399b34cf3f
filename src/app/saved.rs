//! Runs that a person keeps: what is kept of one, how it is called, and the file that the command line plays
//! (`glasshive run --scenario FILE`).

use crate::app::Session;
use crate::app::command::Command;
use crate::app::session::{Address, asks_for_many};
use crate::lab::{Action, Invalid, Scenario, presets};
use serde::{Deserialize, Serialize};

/// No file that is read is longer, in bytes.
pub const FILE_MAX: usize = 4 << 20;
/// No name is longer, in characters.
pub const NAME_MAX: usize = 64;

/// A run that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// What a person calls it.
    pub name: String,
    /// The run, with all that was done in it.
    pub scenario: Scenario,
    /// The moment at which it was kept; what comes from a file has none, and plays from its start.
    #[serde(default)]
    pub at_ms: Option<f64>,
    /// Whether the truth was hidden.
    #[serde(default)]
    pub hidden: bool,
}

impl Saved {
    /// The run of a session at the moment that is shown, under a name; under that of what was changed, if there is none.
    pub fn of(session: &Session, name: &str) -> Result<Self, Invalid> {
        let (run, hidden) = (session.run(), !session.showing().truth);
        let name = if name.trim().is_empty() { named(session) } else { check_name(name)? };
        Ok(Saved { name, scenario: run.scenario().clone(), at_ms: Some(session.snapshot().vtime_ms), hidden })
    }

    /// A run from a scenario file, checked as a whole: the error names its first wrong field. It is called as the file.
    pub fn from_file(file: &str, text: &str) -> Result<Self, Invalid> {
        let scenario = Scenario::from_json(text)?;
        // What this program has no system for, the one checks that has it.
        if presets::is_here(&scenario.preset) {
            scenario.validate()?;
        }
        let file = file.strip_suffix(".json").unwrap_or(file);
        let name: String = file.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        Ok(Saved { name, scenario, at_ms: None, hidden: false })
    }

    /// The scenario file.
    pub fn to_file(&self) -> String {
        // Plain data cannot fail to be JSON.
        serde_json::to_string_pretty(&self.scenario).unwrap_or_default() + "\n"
    }

    /// How the file is called: the name, as far as any system of files takes it.
    pub fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let mut words: String = self.name.chars().map(plain).collect();
        while words.contains("--") {
            words = words.replace("--", "-");
        }
        let words = words.trim_matches('-');
        format!("{}.json", if words.is_empty() { "run" } else { words })
    }

    /// Whether it asks for so many nodes that it does not start by itself.
    pub fn is_costly(&self) -> bool {
        asks_for_many(&self.scenario.set)
    }

    /// What opens it.
    pub fn open(&self) -> Command {
        let Scenario { preset, seed, set, faults, own, off, actions, horizon, .. } = self.scenario.clone();
        Command::Open { preset, seed, set, faults, own, off, actions, horizon }
    }
}

/// A name without space around it, if it can be one.
pub fn check_name(name: &str) -> Result<String, Invalid> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let shown = name.chars().take(NAME_MAX).filter(|c| !c.is_control()).collect();
        let allowed = format!("1 to {NAME_MAX} characters in one line");
        return Err(Invalid { field: "name".to_owned(), value: shown, allowed });
    }
    Ok(name.to_owned())
}

/// What a run is called by: its scenario, and what was changed of it.
fn named(session: &Session) -> String {
    let (run, address) = (session.run(), session.address());
    let scenario = run.scenario();
    let title = presets::find(&scenario.preset).map_or("A run", |preset| preset.title);
    let title = if address.truth { title } else { "A run without its truth" };
    let mut parts = Vec::new();
    if address.truth {
        for (key, value) in &scenario.set {
            parts.push(format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        if scenario.faults.is_some() || scenario.off.is_some() {
            parts.push("other faults".to_owned());
        }
        for (_, fault) in run.faults().enumerate().filter(|(i, _)| run.is_by_hand(*i)) {
            parts.push(format!("{} {}", fault.kind.name(), fault.target));
        }
    }
    let calls = scenario.actions.iter().filter(|action| matches!(action, Action::Call { .. })).count();
    if calls > 0 {
        parts.push(format!("{calls} {}", if calls == 1 { "call" } else { "calls" }));
    }
    if scenario.seed != Address::opening().seed {
        parts.push(format!("seed {}", scenario.seed));
    }
    if parts.is_empty() {
        parts.push(format!("at {:.1} s", session.snapshot().vtime_ms / 1000.0));
    }
    let mark = if title.ends_with('?') { "" } else { ":" };
    let mut name = format!("{title}{mark} {}", parts.join(", "));
    if let Some((end, _)) = name.char_indices().nth(NAME_MAX - 1) {
        name.truncate(end);
        name.push('…');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::PlayerState;

    fn arrive(session: &mut Session) {
        while session.status().state == PlayerState::Replaying {
            session.frame(16.0, || true);
        }
    }

    fn session() -> Session {
        let mut session = Session::open(Scenario::preset("oracle-http", 31), 1.0).unwrap();
        session.apply(Command::Pause).unwrap();
        session.apply(Command::Seek { at_ms: 9_000.0 }).unwrap();
        arrive(&mut session);
        session
    }

    #[test]
    fn a_run_is_named_by_what_was_changed() {
        let mut session = session();
        let title = presets::find("oracle-http").unwrap().title;
        let name = |session: &Session| Saved::of(session, " ").unwrap().name;
        assert_eq!(name(&session), format!("{title}: at 9.0 s"));
        session.apply(Command::Set { key: "workers".to_owned(), value: 20.into() }).unwrap();
        arrive(&mut session);
        session.apply(Command::Fault { fault: "crash:w-02".to_owned() }).unwrap();
        session.apply(Command::Seed { seed: 7 }).unwrap();
        arrive(&mut session);
        assert_eq!(name(&session), format!("{title}: workers 20, crash w-02, seed 7"));
        session.show_truth(false);
        assert_eq!(name(&session), "A run without its truth: seed 7");
        assert_eq!(Saved::of(&session, " Mine ").unwrap().name, "Mine");
    }

    #[test]
    fn what_is_kept_opens_at_the_same_moment_of_the_same_run() {
        let mut session = session();
        session.apply(Command::Fault { fault: "lie:w-03=0.5".to_owned() }).unwrap();
        let call = r#"{"kind":"call","method":"GET","url":"http://localhost:8080/workers","times":3}"#;
        session.apply(serde_json::from_str(call).unwrap()).unwrap();
        arrive(&mut session);
        let saved = Saved::of(&session, "").unwrap();
        let text = serde_json::to_string(&saved).unwrap();
        assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), saved);
        let from_file = Saved::from_file("a.json", &saved.to_file()).unwrap();
        assert_eq!((&from_file.scenario, from_file.name.as_str()), (&saved.scenario, "a"));
        let open = serde_json::to_string(&from_file.open()).unwrap();
        let mut other = Session::open(Scenario::preset("config", 1), 1.0).unwrap();
        other.apply(serde_json::from_str(&open).unwrap()).unwrap();
        other.apply(Command::Pause).unwrap();
        other.apply(Command::Seek { at_ms: saved.at_ms.unwrap() }).unwrap();
        arrive(&mut other);
        assert_eq!(other.run().scenario(), session.run().scenario());
        assert_eq!(other.run().trace_hash(), session.run().trace_hash());
        // Opening can be taken back, and done again.
        other.apply(Command::Undo).unwrap();
        arrive(&mut other);
        assert_eq!(other.address().preset, "config");
        other.apply(Command::Redo).unwrap();
        arrive(&mut other);
        assert_eq!(other.run().trace_hash(), session.run().trace_hash());
    }

    #[test]
    fn names_are_short_and_in_one_line() {
        for name in ["", " ", "a\nb", "\u{0}", "\u{7f}", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["x", " <img src=x> ", "\u{202e}🐝", &"🐝".repeat(64)] {
            assert_eq!(check_name(name).unwrap(), name.trim());
        }
        let named = |name: &str| {
            let scenario = Scenario::preset("config", 1);
            Saved { name: name.to_owned(), scenario, at_ms: None, hidden: false }.file_name()
        };
        assert_eq!(named("Workers 20, crash w-02"), "workers-20-crash-w-02.json");
        assert_eq!((named("../../🐝").as_str(), named("CON:").as_str()), ("run.json", "con.json"));
    }
}
