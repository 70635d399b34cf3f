//! What the boards of all systems say is legible on every page: no words over other words, none over a line that
//! decides something, nothing outside the canvas.

use glasshive::app::canvas::{Label, Picture, Strip, Strips, View};
use glasshive::app::catalogue::face;
use glasshive::app::{Player, PlayerState, Snapshot};
use glasshive::kernel::Instant;
use glasshive::lab::Scenario;
use serde_json::Value;
use std::collections::BTreeSet;

/// Each system's scenarios with the parameter that says how many rows there are.
const SYSTEMS: [(&str, &str, &[u32]); 6] = [
    ("oracle-http", "workers", &[3, 12, 20, 100, 1000]),
    ("oracle-nats", "workers", &[3, 12, 20, 100, 1000]),
    ("oracle-jetstream", "workers", &[3, 12, 20, 100, 1000]),
    ("math-wizard", "containers", &[3, 12, 20, 50]),
    ("config", "workers", &[3, 12, 20, 100, 1000]),
    ("poll-vs-push", "workers", &[3, 12, 100]),
];
/// Pages, and how much of their height the board gets.
const BOARDS: [(f64, f64, f64); 12] = [
    (360.0, 342.0, 224.0),
    (360.0, 342.0, 360.0),
    (412.0, 394.0, 520.0),
    (700.0, 666.0, 180.0),
    (760.0, 726.0, 190.0),
    (768.0, 734.0, 560.0),
    (1024.0, 990.0, 380.0),
    (1199.0, 1165.0, 300.0),
    (1200.0, 1166.0, 180.0),
    (1280.0, 1246.0, 420.0),
    (1440.0, 1406.0, 474.0),
    (2240.0, 2206.0, 640.0),
];

fn moments(preset: &str, key: &str, count: u32) -> Vec<Snapshot> {
    let mut scenario = Scenario::preset(preset, 31);
    scenario.set.insert(key.to_owned(), Value::from(count));
    let mut player = Player::new(&scenario, 1.0).unwrap();
    player.pause();
    let at = |ms: u64| {
        player.seek(Instant::from_millis(ms)).unwrap();
        while player.state() == PlayerState::Replaying {
            player.frame(16.0, || true);
        }
        (*player.snapshot()).clone()
    };
    [100, 2_240, 3_900, 9_500, 13_900].into_iter().map(at).collect()
}

#[test]
fn labels_of_every_system_are_legible_on_every_page() {
    let mut wrong = BTreeSet::new();
    for (preset, key, counts) in SYSTEMS {
        for &count in counts {
            for snapshot in moments(preset, key, count) {
                for (page, width, height) in BOARDS {
                    let strips = [Strip::When, Strip::What].map(|strip| Strips::of(page, false, strip));
                    let last = snapshot.nodes.last().unwrap().name.clone();
                    let ways = [(strips[0], None, false), (strips[1], Some(last.as_str()), true)];
                    // Within another page the board has the same room, and all strips.
                    let embedded = (Strips::of(page, true, Strip::When), None, false);
                    for (strips, hovered, flow) in ways.into_iter().chain([embedded]) {
                        let selected = face(snapshot.system).words().selected;
                        let reduced_motion = false;
                        let view = View { width, height, strips, selected, hovered, flow, reduced_motion };
                        let picture = face(snapshot.system).picture(&snapshot, &view);
                        let what = format!("{preset}, {count}, {page} by {height}, {strips:?}");
                        wrong.extend(faults(&picture).into_iter().map(|fault| format!("{what}: {fault}")));
                    }
                }
            }
        }
    }
    let some: Vec<&str> = wrong.iter().map(String::as_str).take(60).collect();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), some.join("\n"));
}

fn faults(picture: &Picture) -> Vec<String> {
    let labels: Vec<Label> = picture.labels().collect();
    let (lines, words): (Vec<&Label>, Vec<&Label>) = labels.iter().partition(|label| label.name == "|");
    let mut faults = Vec::new();
    for (i, a) in words.iter().enumerate() {
        let r = a.rect;
        if r.x < 0.0 || r.y < 0.0 || r.right() > picture.width || r.bottom() > picture.height {
            faults.push(format!("{:?} is cut", a.name));
        }
        for b in words[i + 1..].iter().chain(&lines) {
            if a.rect.overlaps(&b.rect) {
                faults.push(format!("{:?} lies over {:?}", a.name, b.name));
            }
        }
    }
    faults
}
