//! `peers run IMPLEMENTATION WORKLOAD`: measures one implementation on one workload, and prints one line of JSON.
//!
//! One process for each measurement: no implementation runs in a heap that another one has left behind.

use peers::workloads::{Size, Workload};
use rustix::time::{ClockId, clock_gettime};

type Run = fn(Workload, Size) -> Option<u64>;

fn implementation(name: &str) -> Option<Run> {
    match name {
        "glasshive" => Some(|workload, size| Some(peers::hive::run(workload, size))),
        "tokio" => Some(peers::tokio::run),
        "asim" => Some(peers::asim::run),
        "odem-rs" => Some(peers::odem::run),
        _ => None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let line = match words[..] {
        ["run", name, workload] => measure(name, workload),
        _ => None,
    };
    match line {
        Some(line) => println!("{line}"),
        None => {
            eprintln!(
                "usage: peers run glasshive|tokio|asim|odem-rs W1|W1-traced|W2|W3 (W1-traced: glasshive only)"
            );
            std::process::exit(2);
        }
    }
}

/// Time that this thread has been running. All that is measured runs on one thread, and the time that a busy machine
/// gives to others does not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn measure(name: &str, workload: &str) -> Option<String> {
    let run = implementation(name)?;
    let workload = Workload::ALL.into_iter().find(|w| w.name() == workload)?;
    // Faults in the code and the heap's first pages.
    run(workload, Size::Small)?;
    let start = cpu_seconds();
    let checksum = run(workload, Size::Full)?;
    let seconds = cpu_seconds() - start;
    Some(format!(
        r#"{{"workload":"{}","implementation":"{name}","target":"native","ops":{},"seconds":{seconds:.6},"checksum":"{checksum}","expected":"{}"}}"#,
        workload.name(),
        workload.operations(Size::Full),
        workload.checksum(),
    ))
}
