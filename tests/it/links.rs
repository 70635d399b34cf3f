//! Links: what was done to a run is in its address, and whoever opens it stands at the same moment of the same run. What
//! strangers write into one is refused with a reason, or listed.

use super::session_random::{command, frame, scenario};
use super::support::{arrive, for_seeds};
use glasshive::app::session::{Address, Command, Session, opening_speed};
use glasshive::kernel::Rng;

const SESSIONS: u64 = 50;
const STEPS: u64 = 40;

/// Opens a link as the page does.
fn open(search: &str) -> Session {
    let (address, unknown) = Address::parse(search).expect(search);
    assert!(unknown.is_empty(), "{unknown:?}");
    let mut session = Session::open(address.scenario(), opening_speed(&address.preset)).expect(search);
    session.apply(Command::Pause).unwrap();
    session.apply(address.go_to().expect("a moment")).unwrap();
    arrive(&mut session);
    session
}

#[test]
fn a_link_leads_to_the_same_moment_of_the_same_run() {
    for_seeds("links", 0..SESSIONS, |seed| {
        let mut rng = Rng::new(seed ^ 0x11_4b);
        let mut session = Session::open(scenario(&mut rng), 10.0).unwrap();
        for _ in 0..STEPS {
            let command = command(&session, &mut rng);
            if !matches!(command, Command::Call { .. } | Command::Open { .. }) {
                let _ = session.apply(command);
            }
            arrive(&mut session);
            for _ in 0..rng.below(6) {
                frame(&mut session, &mut rng);
            }
        }
        session.apply(Command::Pause).unwrap();
        let search = session.address_now().search();
        let other = open(&search);
        assert_eq!(other.run().now(), session.run().now(), "{search}");
        assert_eq!(other.run().trace_hash(), session.run().trace_hash(), "{search}");
        assert_eq!(other.run().off_faults(), session.run().off_faults(), "{search}");
        let own = |session: &Session| -> Vec<bool> {
            (0..session.run().faults().len()).map(|i| session.run().is_by_hand(i)).collect()
        };
        assert_eq!(own(&other), own(&session), "who has brought which fault: {search}");
        assert_eq!(other.run().horizon(), session.run().horizon(), "{search}");
    });
}

#[test]
fn what_a_stranger_writes_is_refused_with_a_reason_or_listed() {
    let long = "x".repeat(9000);
    let many = format!("?{}", "workers=3&".repeat(2000));
    let bad = [
        "?preset=nowhere",
        "?preset=",
        "?preset=<script>alert(1)</script>",
        "?preset=%00",
        "?preset=../../etc/passwd",
        "?seed=-1",
        "?seed=1e9",
        "?seed=NaN",
        "?seed=",
        "?seed=99999999999999999999",
        "?t=NaN",
        "?t=inf",
        "?t=-1s",
        "?t=1e999s",
        "?t=",
        "?t=1e9",
        "?t=%ff",
        "?horizon=25h",
        "?horizon=soon",
        "?horizon=NaN",
        "?off=crash",
        "?off=boom:w-01@1s",
        "?off=lie:w-01@1s=inf",
        "?faults=%ff",
        "?workers=0",
        "?workers=-3",
        "?workers=1e9",
        "?workers=NaN",
        "?workers=Infinity",
        "?workers=3.5",
        "?workers=10001",
        "?workers=%00",
        "?fail=2",
        "?fail=-0.1",
        "?fail=NaN",
        "?fail=inf",
        "?lie=1.01",
        "?timeout=0s",
        "?timeout=9h",
        "?timeout=soon",
        "?timeout=1",
        "?strategy=none",
        "?strategy=<b>",
        "?faults=crash",
        "?faults=crash:",
        "?faults=crash:w-99@8s",
        "?faults=boom:w-01@1s",
        "?faults=crash:w-01@x",
        "?faults=lie:w-01@1s=NaN",
        "?faults=lie:w-01@1s=inf",
        "?faults=lie:w-01@1s=1e400",
        "?faults=crash:w-01@9s..8s",
        "?faults=cut:w-01~@1s",
        "?faults=slow:w-01@1s=-3",
        "?faults=drop:w-01@1s=7",
        "?faults=crash:999?@1s",
        "?s=zzzz",
        "?s=",
        "?truth=0&s=%ff",
        "?preset=config&agents=0",
        "?preset=math-wizard&containers=51",
        "?preset=mmc&faults=lie:c-01@1s=0.1",
        "?query=%ff",
        "?period=0s",
        "?clients=0",
        "?trim=0.5",
        "?step=0",
        "?delay-min=5s&delay-max=1s",
        "?delay-law=empirical&delays=20,10",
        "?ask=none",
    ];
    let mut refused = 0;
    for search in bad.into_iter().chain([long.as_str(), many.as_str()]) {
        let search = if search.starts_with('?') { search.to_owned() } else { format!("?query={search}") };
        let opened =
            Address::parse(&search).and_then(|(address, _)| Session::open(address.scenario(), 1.0).map(drop));
        let error = opened.expect_err(&search).to_string();
        assert!(error.contains("is not allowed; allowed: "), "{search}: {error}");
        refused += 1;
    }
    assert!(refused > 60, "{refused}");
    // What nobody knows is left out, and is said.
    for search in [
        "?utm_source=x",
        "?__proto__=1",
        "?constructor=1",
        "?toString=x",
        "?<img src=x onerror=alert(1)>=1",
        "?workers%00=3",
        "?v=2",
        "?&&&&a",
        "?=1",
        "?a=b=c=d",
        "?WORKERS=3",
        "?ag%65nts=3",
        "?preset=config&strategy=median",
    ] {
        let (address, unknown) = Address::parse(search).expect(search);
        assert_eq!(unknown.len(), 1, "{search}: {unknown:?}");
        assert!(address.set.is_empty(), "{search}");
        assert!(Session::open(address.scenario(), 1.0).is_ok(), "{search}");
    }
    // Random bytes: never a panic.
    let mut rng = Rng::new(5);
    for _ in 0..2000 {
        let text: String = (0..rng.below(60)).map(|_| char::from(32 + rng.below(95) as u8)).collect();
        let _ = Address::parse(&format!("?{text}"))
            .map(|(address, _)| Session::open(address.scenario(), 1.0).map(drop));
    }
}
