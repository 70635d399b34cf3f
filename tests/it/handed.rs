//! What a person sees of a moment depends on the run and on what is told, not on how its frames fell: another program that
//! takes the session over, at whatever moment, shows the same nodes, results, legend, table, charts and story.

use super::session_random::{command, frame, mark, scenario};
use super::support::{for_seeds, wide_board};
use glasshive::app::catalogue::face;
use glasshive::app::plot::Charts;
use glasshive::app::session::{Command, Session};
use glasshive::kernel::Rng;

const SESSIONS: u64 = 20;
const MOMENTS: u64 = 16;

/// All that the page draws of a moment.
fn seen(session: &Session, charts: &mut dyn Charts) -> Vec<(&'static str, String)> {
    let (snapshot, face) = (session.snapshot(), face(session.snapshot().system));
    let rows: Vec<_> = (0..snapshot.rows().len()).map(|i| face.row(snapshot, i)).collect();
    charts.update(session.run());
    let charts = charts.draw(254.0, session.showing());
    let nodes = serde_json::to_string(&**snapshot).expect("plain data");
    vec![
        ("nodes and results", nodes),
        ("board and legend", format!("{:?}", face.picture(snapshot, &wide_board("w-03")))),
        ("table", format!("{rows:?}")),
        ("figures", format!("{:?}", face.outcomes(snapshot))),
        ("charts", charts.iter().map(|chart| chart.svg() + &chart.value_label).collect()),
        ("story", format!("{:?} {:?}", session.caption(), face.caption(snapshot))),
    ]
}

/// Settings under which who is down is soon not asked any more, and requests are under way side by side.
fn begin(rng: &mut Rng) -> Session {
    let mut scenario = scenario(rng);
    if scenario.preset.starts_with("oracle") {
        let has_registry = scenario.preset == "oracle-http";
        let mut set = |key: &str, value: &str| scenario.set.insert(key.to_owned(), value.into());
        set("period", ["300ms", "2s"][rng.below(2) as usize]);
        if has_registry {
            set("heartbeat", "300ms");
            set("stale", "700ms");
        }
        scenario.faults =
            Some("crash:2?@2s..6s,crash:w-05@3s..9s,crash:3?@10s..16s,stop:w-07@18s".to_owned());
    }
    Session::open(scenario, 2.0).expect("a shipped scenario")
}

fn compare(live: &Session, charts: &mut dyn Charts) {
    let Some(handed) = live.hand_over() else { return };
    let mut other = Session::follow(&handed).expect("it was allowed before");
    assert!(other.catch_up(&handed, || true).expect("it was allowed before"));
    assert_eq!(mark(&other), mark(live), "another run");
    let mut fresh = face(live.snapshot().system).charts();
    for ((what, here), (_, there)) in seen(live, charts).into_iter().zip(seen(&other, &mut *fresh)) {
        if here != there {
            let at = here.bytes().zip(there.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(200);
            let part = |text: &str| {
                String::from_utf8_lossy(&text.as_bytes()[at..]).chars().take(500).collect::<String>()
            };
            panic!("{what} at {:?}\n{}\n{}", live.run().now(), part(&here), part(&there));
        }
    }
}

#[test]
fn whoever_takes_a_session_over_sees_the_same() {
    for_seeds("handed", 0..SESSIONS, |seed| {
        let mut rng = Rng::new(seed ^ 0x4a11_ded0);
        let mut session = begin(&mut rng);
        let mut charts = face(session.snapshot().system).charts();
        for _ in 0..MOMENTS {
            let command = command(&session, &mut rng);
            if !matches!(command, Command::Open { .. } | Command::Speed { .. }) {
                // What is not allowed changes nothing.
                let _ = session.apply(command);
            }
            if rng.chance(0.3) {
                session.show_truth(rng.chance(0.6));
            }
            let _ = session.apply(Command::Play);
            for _ in 0..rng.below(80) {
                frame(&mut session, &mut rng);
                charts.update(session.run());
            }
            compare(&session, &mut *charts);
        }
    });
}
