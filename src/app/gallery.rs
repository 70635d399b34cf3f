//! The gallery: what it says of each shipped scenario, and which of them a search finds.

use crate::lab::SystemKind;
use crate::lab::presets::Preset;
use crate::lab::systems;

/// How much there is to watch: until when, at which speed, and how long that takes a person: `0:30 at ×1 · 30 s`.
pub fn extent(preset: &Preset) -> String {
    let Preset { start_s, axis_s, .. } = preset;
    let from = if *start_s > 0 { format!("{} – ", minutes(*start_s)) } else { String::new() };
    let (to, speed) = (minutes(*axis_s), preset.speed());
    let takes_s = (f64::from(axis_s.saturating_sub(*start_s)) / speed).round();
    let takes = if takes_s < 60.0 {
        format!("{takes_s} s")
    } else {
        format!("{} min", (takes_s / 6.0).round() / 10.0)
    };
    format!("{from}{to} at ×{speed} · {takes}")
}

/// `2:05`
fn minutes(s: u32) -> String {
    format!("{}:{:02}", s / 60, s % 60)
}

/// Its promise in words, each of which stays on one line: a number together with its unit is one.
pub fn promise(preset: &Preset) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in preset.promise.split(' ') {
        let is_unit = matches!(word.trim_end_matches(['.', ',', ':']), "s" | "%");
        match words.last_mut().filter(|last| is_unit && last.ends_with(|end: char| end.is_ascii_digit())) {
            Some(number) => *number = format!("{number} {word}"),
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// Whether each word that was typed occurs in the scenario's title, promise or name.
pub fn finds(preset: &Preset, typed: &str) -> bool {
    // ASCII: the tables for all letters would weigh more than the gallery does.
    let text = format!("{} {} {}", preset.title, preset.promise, preset.name).to_ascii_lowercase();
    typed.to_ascii_lowercase().split(' ').all(|word| text.contains(word))
}

/// One word for a system, where there is no room for more: its title's last, or what it runs over if that tells it apart.
pub fn short(system: SystemKind) -> &'static str {
    let shares_title = systems::all().any(|other| other != system && other.title == system.title);
    let last = system.title.split(' ').next_back();
    if shares_title { system.over } else { last.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::presets::{all, find};

    #[test]
    fn a_scenario_says_how_much_there_is_to_watch() {
        for (name, says) in [
            ("colluding-third", "0:30 at ×0.5 · 1 min"),
            ("config", "0:30 at ×1 · 30 s"),
            ("backpressure-staircase", "1:15 at ×2 · 38 s"),
            ("mmc", "5:00 at ×5 · 1 min"),
            ("thundering-herd", "10:10 – 12:00 at ×2 · 55 s"),
        ] {
            assert_eq!(extent(find(name).unwrap()), says, "{name}");
        }
    }

    #[test]
    fn a_promise_keeps_each_number_with_its_unit() {
        let words = promise(find("oracle-http").unwrap());
        assert_eq!(words[5..], ["w-04", "dies", "at", "8 s,", "w-09", "lies", "from", "11 s."]);
        assert!(all().all(|preset| promise(preset).join(" ") == preset.promise));
    }

    #[test]
    fn a_search_finds_words_of_titles_promises_and_names() {
        let found =
            |typed| all().filter(|preset| finds(preset, typed)).map(|preset| preset.name).collect::<Vec<_>>();
        assert_eq!(found("  ").len(), all().count());
        assert_eq!(found("429"), ["rate-limit-burst"]);
        assert_eq!(found("jitter"), ["thundering-herd", "thundering-herd-cured"]);
        assert_eq!(found("LIES crash"), ["oracle-http"]);
        assert_eq!(found("brpop"), ["lost-job"]);
        assert!(found("crash").len() > 1 && found("nonsense").is_empty());
    }

    #[test]
    fn each_system_has_a_short_name_of_its_own() {
        assert_eq!(systems::all().map(short).collect::<Vec<_>>(), ["HTTP", "NATS", "Wizard", "Config"]);
    }

    /// They are put into the page as they are.
    #[test]
    fn no_text_of_a_scenario_is_markup() {
        let kinds = systems::all().flat_map(|kind| [kind.name, kind.title, kind.over, kind.question]);
        let texts = all().flat_map(|preset| [preset.name, preset.title, preset.promise]).chain(kinds);
        assert_eq!(texts.filter(|text| text.contains(['<', '>', '&', '"'])).count(), 0);
    }
}
