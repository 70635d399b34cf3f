//! The story of every shipped scenario: the facts behind its caption happen at the command line's seed, at the page's, and at
//! seven others. `points.rs` is about the words; this is about what they tell.

use super::support::{Ran, glasshive};
use glasshive::lab::presets::{self, Preset};
use serde_json::Value;

const SEEDS: [u64; 9] = [1, 31, 2, 3, 4, 5, 6, 7, 8];

/// A scenario that was played to the end of its axis.
struct Played {
    seed: u64,
    preset: &'static Preset,
    report: Value,
}

impl Played {
    fn of(preset: &'static Preset, seed: u64, seconds: u32, more: &[&str]) -> Self {
        let (seed_text, span) = (seed.to_string(), format!("{seconds}s"));
        let base = ["run", "--preset", preset.name, "--seed", &seed_text, "--for", &span, "--json"];
        let ran: Ran = glasshive(&[&base[..], more].concat());
        assert_eq!(ran.code, 0, "{} at seed {seed}: {}", preset.name, ran.err);
        Played { seed, preset, report: ran.json() }
    }

    /// The same for another time, or otherwise.
    fn again(&self, seconds: u32, more: &[&str]) -> Self {
        Played::of(self.preset, self.seed, seconds, more)
    }

    fn list(&self, key: &str) -> &Vec<Value> {
        self.report[key].as_array().unwrap_or_else(|| panic!("no {key}"))
    }

    /// A number of the summary, by its path.
    fn figure(&self, path: &str) -> f64 {
        let value = path.split('.').fold(&self.report["summary"], |value, key| &value[key]);
        value.as_f64().unwrap_or(0.0)
    }

    /// The requests that were wanted from `from` to `to`, in seconds.
    fn requests(&self, from: f64, to: f64) -> Vec<&Value> {
        let at = |request: &&Value| {
            let at = request["requested_at_ms"].as_f64().unwrap() / 1000.0;
            (from..to).contains(&at)
        };
        self.list("requests").iter().filter(at).collect()
    }

    fn answered(&self, from: f64, to: f64) -> Vec<&Value> {
        let requests = self.requests(from, to).into_iter();
        requests.filter(|request| request["final_value"].is_number()).collect()
    }

    /// When each agent had a version, in seconds.
    fn agents_at(&self, version: u64) -> Vec<Option<f64>> {
        let of = |entry: &&Value| entry["version"] == version;
        let entry = self.list("versions").iter().find(of).unwrap_or_else(|| panic!("no v{version}"));
        entry["agents_at_ms"].as_array().unwrap().iter().map(|at| Some(at.as_f64()? / 1000.0)).collect()
    }
}

fn responses(request: &Value) -> &Vec<Value> {
    request["worker_responses"].as_array().unwrap()
}

fn of_worker<'a>(request: &'a Value, worker: &str) -> Option<&'a Value> {
    responses(request).iter().find(|response| response["worker_id"] == worker)
}

fn note(request: &Value) -> &str {
    request["reliability_note"].as_str().unwrap_or_default()
}

fn code(request: &Value) -> &str {
    request["error"]["code"].as_str().unwrap_or_default()
}

/// How far a strategy's value is off the truth.
fn off(request: &Value, strategy: &str) -> f64 {
    let analysis = &request["analysis"];
    (analysis["counter_answers"][strategy].as_f64().unwrap() / analysis["truth"].as_f64().unwrap() - 1.0)
        .abs()
}

/// How many values are far above the truth.
fn liars(request: &Value) -> usize {
    let truth = request["analysis"]["truth"].as_f64().unwrap();
    responses(request).iter().filter(|response| response["value"].as_f64().unwrap() > 1.12 * truth).count()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Whether the story happens; the text says which part of it.
fn tell(played: &Played) -> Vec<(&'static str, bool)> {
    let name = played.preset.name;
    match name {
        "oracle-http" | "heartbeat-trap" | "all-well" | "colluding-third" => of_answers(name, played),
        _ if played.preset.system == glasshive::lab::oracle::NATS => of_the_broker(name, played),
        _ if played.preset.system == glasshive::lab::wizard::KIND => of_jobs(name, played),
        _ => of_versions(name, played),
    }
}

fn of_answers(name: &str, played: &Played) -> Vec<(&'static str, bool)> {
    match name {
        "oracle-http" => {
            let dead = played.answered(8.1, 30.0);
            let refused = |request: &&Value| {
                of_worker(request, "w-04").is_some_and(|w| w["err"] == "connection refused")
            };
            let lies = played.answered(11.0, 30.0);
            let lied = lies.iter().filter_map(|request| {
                let response = of_worker(request, "w-09").filter(|w| w.get("err").is_none())?;
                Some(response["value"].as_f64().unwrap() / request["analysis"]["truth"].as_f64().unwrap())
            });
            let lied: Vec<f64> = lied.collect();
            let dragged = |request: &&&Value| off(request, "average") > off(request, "median");
            vec![
                ("w-04 is refused until it is dropped", dead.iter().filter(|r| refused(r)).count() >= 2),
                (
                    "w-09 lies by 18 %",
                    !lied.is_empty() && lied.iter().all(|share| (1.12..1.24).contains(share)),
                ),
                ("the average is off by more than the median", lies.iter().filter(dragged).count() >= 1),
            ]
        }
        "heartbeat-trap" => {
            let all = played.list("requests");
            vec![
                ("the first is answered", all[0]["final_value"].is_number()),
                ("then nobody is left", all.iter().skip(1).any(|request| code(request) == "no_workers")),
            ]
        }
        "all-well" => {
            let all = played.answered(0.0, 26.0);
            let well =
                |r: &&Value| note(r) == "All workers responded successfully" && responses(r).len() == 12;
            vec![
                ("all are answered, by all", all.len() >= 8 && all.iter().all(well)),
                ("the mean is near the truth", all.iter().all(|request| off(request, "average") < 0.03)),
            ]
        }
        _ => {
            let all = played.answered(0.0, 30.0);
            vec![
                ("a third of them lie", all.iter().any(|request| liars(request) >= 3)),
                ("the average is moved", mean(all.iter().map(|request| off(request, "average"))) > 0.05),
                ("the median is not", mean(all.iter().map(|request| off(request, "median"))) < 0.04),
            ]
        }
    }
}

fn of_the_broker(name: &str, played: &Played) -> Vec<(&'static str, bool)> {
    let lost = ("tasks or answers are lost with the broker", played.figure("tasks.lost") > 0.0);
    match name {
        "oracle-nats" => {
            let away = played.requests(10.0, 12.4);
            let later = played.answered(16.0, 28.0);
            vec![
                lost,
                (
                    "while it is away there is a structured error",
                    away.iter().any(|r| code(r) == "nats_unavailable"),
                ),
                ("they come back by themselves", later.iter().any(|request| responses(request).len() == 12)),
            ]
        }
        "oracle-jetstream" => {
            let open = played.answered(7.9, 8.1);
            vec![
                ("what it held is delivered again", played.figure("tasks.redelivered") > 0.0),
                ("nothing is lost", played.figure("tasks.lost") == 0.0),
                (
                    "nobody is late",
                    open.len() == 1 && open.iter().all(|request| !note(request).contains("Warning")),
                ),
            ]
        }
        "queue-group-trap" => {
            let all = played.requests(0.0, 28.0);
            let one = all.iter().all(|request| responses(request).len() <= 1);
            vec![("one worker is asked", one && all.iter().any(|request| responses(request).len() == 1))]
        }
        "broker-restart" => {
            vec![
                lost,
                ("clients come back", played.answered(16.0, 17.0).iter().any(|r| responses(r).len() == 12)),
            ]
        }
        "rate-limit-burst" => {
            vec![("of three bursts of thirty ten each are let through", played.figure("limited") == 60.0)]
        }
        "stale-report" => {
            let file = super::support::scratch(&format!("story-stale-{}.json", played.seed));
            let seed = played.seed.to_string();
            // A session has neither load nor faults of its own: a person asks once, and looks half a minute later.
            let session = ["curl", "--preset", "stale-report", "--seed", &seed, "--session", &file];
            let ask = ["--", "-d", "{\"query\":\"BTC/USD\"}", "localhost:8080/request"];
            let asked = glasshive(&[&session[..], &ask].concat());
            let look = glasshive(&[&session[..], &["--wait", "30s", "--", "localhost:8080/report"]].concat());
            vec![
                ("while the broker is away nothing is published", played.answered(31.0, 54.0).is_empty()),
                ("the report is stale", asked.code == 0 && look.json()["stale"] == true),
            ]
        }
        _ => {
            let all = played.answered(0.0, 28.0);
            let waits = |r: &&Value| {
                r["answered_at_ms"].as_f64().unwrap() - r["requested_at_ms"].as_f64().unwrap() >= 1_500.0
            };
            let of_eleven =
                |r: &&Value| responses(r).len() == 11 && note(r).contains("how many were asked is not known");
            vec![
                (
                    "all have answered, and still it waits",
                    all.iter().all(waits) && responses(all[0]).len() == 12,
                ),
                ("that w-04 is gone nobody notices", played.answered(8.1, 28.0).iter().all(of_eleven)),
            ]
        }
    }
}

fn of_jobs(name: &str, played: &Played) -> Vec<(&'static str, bool)> {
    let count = |key: &str| played.figure(&format!("counts.{key}"));
    match name {
        "math-wizard" => vec![("a job dies with its container", played.figure("lost.container_died") >= 1.0)],
        "lost-job" => {
            vec![("BRPOP has taken it, and nobody has it", played.figure("lost.worker_died") >= 1.0)]
        }
        "lmove-cure" => vec![
            ("the reaper puts it back", count("reaped") >= 1.0),
            ("nothing is lost", count("lost") == 0.0),
        ],
        "scale-unseen" => {
            let before = played.again(24, &[]);
            let of = |played: &Played, what: &str| {
                ["c-03", "c-04"]
                    .map(|name| played.figure(&format!("containers.{name}.{what}")))
                    .iter()
                    .sum::<f64>()
            };
            vec![
                ("the new ones do jobs at once", of(&before, "handled") > 0.0),
                ("and get no requests", of(&before, "initiated") == 0.0),
                ("until the reload", of(played, "initiated") > 0.0),
            ]
        }
        "backpressure-staircase" => vec![("the API says no", count("refused_busy") > 0.0)],
        "duplicate-by-retry" => vec![("one wish is two jobs", count("duplicates") > 0.0)],
        _ => {
            let wait = played.figure("wait_ms.mean");
            vec![("the wait is about Erlang's 1.78 s", (500.0..5_000.0).contains(&wait))]
        }
    }
}

fn of_versions(name: &str, played: &Played) -> Vec<(&'static str, bool)> {
    match name {
        "config" => {
            let at = played.agents_at(2);
            let had = |at: &Option<f64>| at.is_some_and(|at| at < 8.8);
            let (before, without) = (at.iter().filter(|at| had(at)).count(), played.again(20, &[]));
            let behind = without.report["summary"]["stale_now_ms"].as_array().unwrap().iter();
            vec![
                ("not every agent has v2 when the controller falls", before < at.len()),
                (
                    "while it is away workers run v1",
                    behind.filter(|ms| ms.as_f64() > Some(10_000.0)).count() > 0,
                ),
                (
                    "they get v2 when it is back",
                    at.iter().all(|at| had(at) || at.is_some_and(|at| at > 22.0)),
                ),
            ]
        }
        "controller-outage" => {
            let polls = |until: u32| played.again(until, &[]).figure("polls");
            // In the half minute before it is back; with it there they would be 18.
            vec![
                ("agents wait longer after each failure", polls(80) - polls(50) < 12.0),
                ("and come back", played.figure("herd_peak_since_restart") > 0.0),
            ]
        }
        "lost-trigger" => {
            let at = played.agents_at(3);
            let others = at[..2].iter().flatten().fold(0.0_f64, |last, at| last.max(*at));
            vec![
                ("who hears has v3 at once", others < 17.0),
                ("a-03 has it later", at[2].is_some_and(|at| at > 18.0)),
            ]
        }
        "thundering-herd" => vec![("200 in one second", played.figure("herd_peak_since_restart") == 200.0)],
        "thundering-herd-cured" => {
            vec![("a wave, not a wall", (2.0..60.0).contains(&played.figure("herd_peak_since_restart")))]
        }
        "poll-vs-push" => {
            let late = |version: u64, at: f64| {
                played.agents_at(version).iter().flatten().fold(0.0_f64, |last, got| last.max(got - at))
            };
            vec![("announced is at once", late(3, 12.0) < 1.0), ("polled is late", late(4, 18.0) > 2.0)]
        }
        _ => {
            let all = played.list("versions");
            let failed = |n: u64| all.iter().find(|v| v["version"] == n).map(|v| v["ticks_failed"] != 0);
            vec![
                ("v3 does not work", failed(3) == Some(true)),
                ("v4 takes it back", failed(4) == Some(false)),
            ]
        }
    }
}

#[test]
fn every_shipped_scenario_tells_its_story_at_nine_seeds() {
    let all: Vec<&'static Preset> = presets::all().collect();
    let missing: Vec<String> = std::thread::scope(|scope| {
        let halves: Vec<_> = (0..2)
            .map(|half| {
                let mine: Vec<&'static Preset> = all.iter().copied().skip(half).step_by(2).collect();
                scope.spawn(move || {
                    let one = |preset: &'static Preset, seed: u64| {
                        let played = Played::of(preset, seed, preset.axis_s, &[]);
                        let parts = tell(&played).into_iter().filter(|(_, happens)| !happens);
                        parts
                            .map(|(part, _)| format!("{}, seed {seed}: {part}", preset.name))
                            .collect::<Vec<_>>()
                    };
                    mine.into_iter()
                        .flat_map(|preset| SEEDS.into_iter().flat_map(move |seed| one(preset, seed)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        halves.into_iter().flat_map(|half| half.join().expect("both halves play")).collect()
    });
    assert!(missing.is_empty(), "these stories do not happen:\n{}", missing.join("\n"));
}
