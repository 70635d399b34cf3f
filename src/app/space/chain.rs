//! What led to a record and what came of it, within the request, job or change that it belongs to.

use crate::kernel::{Record, Trace};

/// More than this nobody could follow with the eye.
const MOST: usize = 20_000;

/// The numbers of the records that led to one and of those that came of it, in order.
pub fn chain(trace: &Trace, n: u64) -> Vec<u64> {
    let Some(&first) = trace.record(n) else { return Vec::new() };
    let mut reached = back(trace, &first);
    let mut after = vec![n];
    let oldest = trace.records().next().map_or(n, |record| record.n);
    // What belongs to nothing has no end of consequences: they are looked for in what one can see at once.
    for record in trace.records().skip((n + 1 - oldest) as usize).take(MOST) {
        let follows = |cause: &u64| after.binary_search(cause).is_ok();
        if record.tag == first.tag && trace.causes(record.n).iter().any(follows) {
            after.push(record.n);
        }
    }
    reached.extend(after.into_iter().skip(1));
    reached
}

/// What led to the last word on a request, job or change that whoever wanted it got.
pub fn chain_of_unit(trace: &Trace, unit: u64) -> Vec<u64> {
    let of_unit = || trace.records().filter(|record| record.tag == unit);
    let Some(first) = of_unit().next() else { return Vec::new() };
    let last = of_unit().rev().find(|record| record.node == first.node).unwrap_or(first);
    back(trace, last)
}

/// A record and what led to it.
fn back(trace: &Trace, from: &Record) -> Vec<u64> {
    let (mut reached, mut open) = (vec![from.n], vec![from.n]);
    while let Some(n) = open.pop().filter(|_| reached.len() < MOST) {
        for &cause in trace.causes(n) {
            let is_part = trace.record(cause).is_some_and(|record| record.tag == from.tag);
            if let (true, Err(place)) = (is_part, reached.binary_search(&cause)) {
                reached.insert(place, cause);
                open.push(cause);
            }
        }
    }
    reached
}
