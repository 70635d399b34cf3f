//! The reaper: puts jobs back that have been in the processing list for too long. It runs beside the first worker of
//! each container; that several look through the same list does no harm, since a job is moved in a transaction.

use super::fact::Fact;
use super::queue::{self, Claimed, Onward, PROCESSING};
use super::{Site, VALKEY};
use crate::kernel::{Duration, Instant, SortedMap, Span};
use crate::net::NodeId;
use crate::substrate::valkey::{Error, Valkey};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(site: &Site, container: u32, node: NodeId) {
    // A connection of its own: a transaction must not get mixed up with another task's commands.
    let valkey = Valkey::connect(&site.wire, node, VALKEY);
    let mut since = SortedMap::default();
    // Not all at one instant.
    site.ctx().sleep(PERIOD.scale(f64::from(container) / f64::from(site.params.containers_max()))).await;
    loop {
        site.ctx().sleep(PERIOD).await;
        // What cannot be done now can be done in a second.
        let _ = look(site, &valkey, &mut since).await;
    }
}

/// `since` is when each job in the list was first seen there, or claimed.
async fn look(site: &Site, valkey: &Valkey, since: &mut SortedMap<String, Instant>) -> Result<(), Error> {
    let ctx = site.ctx();
    let listed = valkey.lrange(PROCESSING, 0, -1).await?;
    let there: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    since.retain(|element, _| there.contains(element.as_str()));
    for element in listed {
        let now = ctx.now();
        let first = *since.entry(element.clone()).or_insert_with(|| now);
        if now.since(first) < site.params.lease {
            continue;
        }
        let Ok(payload) = serde_json::from_str(&element) else { continue };
        let job = Claimed { payload, element };
        let Some(hash) = queue::watch(valkey, &job, true).await? else {
            // Done meanwhile, or another reaper was quicker.
            queue::unwatch(valkey).await?;
            since.remove(&job.element);
            continue;
        };
        let claimed = hash.get("claimed_ms").filter(|_| hash.has("claimed_by"));
        let claimed = claimed.and_then(|ms| ms.parse().ok()).map(Instant::from_millis);
        if let Some(at) = claimed.filter(|&at| ctx.now().since(at) < site.params.lease) {
            // Another worker has taken it meanwhile.
            queue::unwatch(valkey).await?;
            since.insert(job.element, at);
            continue;
        }
        if queue::move_on(valkey, &job, true, Onward::Reap).await? {
            ctx.set_span(Span { tag: job.payload.trace, ..ctx.span() });
            site.tell(Fact::Reaped { id: Rc::clone(&job.payload.task_id) });
        }
        since.remove(&job.element);
    }
    Ok(())
}
