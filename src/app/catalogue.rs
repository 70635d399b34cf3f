//! Which face a system has. This is the only list of them.
//!
//! A program of the page has the faces of the systems whose features it is built with, so that it stays small.

use super::face::AnyFace;
use crate::lab::{self, SystemKind};

macro_rules! of {
    ($feature:literal, $face:path) => {
        if cfg!(feature = $feature) { Some(&$face) } else { None }
    };
}

/// All of them, in the order of the page's header.
static ALL: &[(SystemKind, Option<&dyn AnyFace>)] = &[
    (lab::oracle::HTTP, of!("oracle-http", super::oracle::HTTP)),
    (lab::oracle::NATS, of!("oracle-nats", super::oracle::NATS)),
    (lab::wizard::KIND, of!("math-wizard", super::wizard::FACE)),
    (lab::config::KIND, of!("config", super::config::FACE)),
];

/// The face of a system. A program that lacks a system cannot construct it either, and has no need of its face.
pub fn face(system: SystemKind) -> &'static dyn AnyFace {
    let faces = || ALL.iter().filter_map(|(kind, face)| Some((kind, (*face)?)));
    match faces().find(|(kind, _)| **kind == system).or_else(|| faces().next()) {
        Some((_, face)) => face,
        None => unreachable!("a program has at least one system"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::canvas::{Strips, View};
    use crate::app::snapshot::{Sign, Snapshot};
    use crate::app::{Player, PlayerState};
    use crate::kernel::Instant;
    use crate::lab::{Scenario, presets, systems};
    use std::collections::BTreeSet;
    use std::rc::Rc;

    fn go(player: &mut Player, ms: u64) -> Rc<Snapshot> {
        player.seek(Instant::from_millis(ms)).unwrap();
        while player.state() == PlayerState::Replaying {
            player.frame(16.0, || true);
        }
        player.snapshot()
    }

    fn at(preset: &str, ms: u64) -> Rc<Snapshot> {
        go(&mut Player::new(&Scenario::preset(preset, 31), 1.0).unwrap(), ms)
    }

    #[test]
    fn every_system_has_a_face_of_its_own() {
        let mut told = BTreeSet::new();
        for system in systems::all() {
            assert!(ALL.iter().any(|(kind, face)| *kind == system && face.is_some()), "{}", system.name);
            let words = face(system).words();
            assert!(told.insert(words.help), "{} is explained as another system is", system.name);
            assert!(!words.sentence.is_empty() && !words.selected.is_empty());
            let snapshot = at(system.name, 0);
            assert!(snapshot.node(words.selected).is_some(), "{} has no {}", system.name, words.selected);
        }
    }

    #[test]
    fn every_row_of_every_system_has_a_figure_for_each_column() {
        for preset in presets::all() {
            let snapshot = at(preset.name, 9_000);
            let (face, count) = (face(snapshot.system), snapshot.rows().len());
            assert!(count > 0, "{}", preset.name);
            for (index, node) in snapshot.rows().iter().enumerate() {
                let row = face.row(&snapshot, index).unwrap();
                assert_eq!(row.cells.len(), face.words().columns.len(), "{}", row.name);
                assert!(row.words.starts_with(node.state.words), "{}", row.words);
            }
            assert_eq!(face.row(&snapshot, count), None);
        }
    }

    #[test]
    fn a_node_that_is_down_says_since_when() {
        let row = face(lab::oracle::HTTP).row(&at("oracle-http", 9_000), 3).unwrap();
        assert_eq!((row.name.as_str(), row.sign), ("w-04", Sign::Down));
        assert!(row.words.starts_with("down since 8.0 s"), "{}", row.words);
    }

    #[test]
    fn each_system_has_its_own_words_for_its_states() {
        let words = |preset, ms| {
            let snapshot = at(preset, ms);
            let rows = (0..snapshot.rows().len()).filter_map(|i| face(snapshot.system).row(&snapshot, i));
            rows.map(|row| row.words).collect::<Vec<_>>().join("; ")
        };
        assert!(words("oracle-http", 3_900).contains("in time"));
        let (config, wizard) = (words("bad-rollout", 21_500), words("math-wizard", 9_000));
        assert!(config.contains("failing") && words("config", 5_000).contains("current"), "{config}");
        assert!(wizard.contains("a job in hand"), "{wizard}");
        assert!(![config, wizard].iter().any(|words| words.contains("in time")));
    }

    /// With reduced motion the picture changes with this key.
    #[test]
    fn the_picture_of_every_system_changes_also_for_those_who_want_few() {
        for system in systems::all() {
            let mut player = Player::new(&Scenario::preset(system.name, 31), 1.0).unwrap();
            let keys: Vec<u64> =
                (0..300).map(|tenth| face(system).picture_key(&go(&mut player, tenth * 100))).collect();
            let changes = keys.windows(2).filter(|two| two[0] != two[1]).count();
            assert!((5..200).contains(&changes), "{}: {changes} changes", system.name);
        }
    }

    #[test]
    fn the_picture_shows_a_crash_at_once() {
        let mut player = Player::new(&Scenario::preset("oracle-http", 31), 1.0).unwrap();
        let before = go(&mut player, 3_900);
        let key = |snapshot: &Snapshot| face(snapshot.system).picture_key(snapshot);
        assert_eq!(key(&before), key(&player.snapshot()));
        player.fault("crash:coordinator").unwrap();
        assert_ne!(key(&before), key(&player.snapshot()));
    }

    #[test]
    fn a_snapshot_of_another_system_gets_no_words() {
        let snapshot = at("config", 9_000);
        let other = face(lab::wizard::KIND);
        assert!(other.outcomes(&snapshot).is_empty() && other.row(&snapshot, 0).is_none());
        let view = View {
            width: 1160.0,
            height: 430.0,
            strips: Strips::Three,
            selected: "",
            hovered: None,
            flow: false,
            reduced_motion: false,
        };
        assert!(other.picture(&snapshot, &view).marks.is_empty());
    }

    /// What scripts read.
    #[test]
    fn the_json_of_a_snapshot_has_what_all_have_and_what_its_system_has() {
        for (preset, own) in [
            ("oracle-http", "/request/tasks/0/end"),
            ("oracle-nats", "/broker/transport"),
            ("math-wizard", "/wizard/counts/done"),
            ("config", "/config/herdPeakSinceRestart"),
        ] {
            let json = at(preset, 25_900).to_json();
            let has = |pointer: &str| assert!(json.pointer(pointer).is_some(), "{preset}: {pointer}");
            for pointer in ["/vtimeMs", "/horizonMs", "/events", "/system", "/messages", "/faults"] {
                has(pointer);
            }
            for pointer in ["/nodes/2/name", "/nodes/2/state", "/nodes/2/downSinceMs", "/nodes/2/lie"] {
                has(pointer);
            }
            for pointer in ["/summary/requests", "/settings/seed", "/settings/workers", own] {
                has(pointer);
            }
        }
        let json = at("oracle-http", 9_000).to_json();
        for pointer in ["/nodes/3/score", "/nodes/3/registered", "/nodes/3/lastValue", "/settings/timeoutMs"]
        {
            assert!(json.pointer(pointer).is_some_and(|value| !value.is_null()), "{pointer}");
        }
        assert_eq!(json["nodes"][6]["state"], "down");
        assert!(json["summary"]["answered"].as_u64() > Some(0));
    }
}
