//! The trigger: the controller publishes the number of each new version, and an agent that hears of one polls at once.
//! It carries no configuration, and nothing relies on it: a trigger that is lost costs at most one poll interval.

use super::{Fact, Site, VALKEY};
use crate::kernel::{Duration, Sender};
use crate::net::NodeId;
use crate::substrate::valkey::Valkey;

/// Where versions are announced.
const CHANNEL: &str = "config";
/// The pause before an agent subscribes again.
const RESUBSCRIBE: Duration = Duration::from_secs(1);

/// One process's connection to the store with Pub/Sub; `None` when triggers are off.
#[derive(Clone)]
pub(super) struct Trigger {
    site: Site,
    client: Option<Valkey>,
}

impl Trigger {
    /// The trigger of the process on `node`. It connects when it first has to.
    pub(super) fn new(site: &Site, node: NodeId) -> Self {
        let limit = site.params.client_timeout;
        let client =
            site.params.trigger.then(|| Valkey::connect(&site.wire, node, VALKEY).with_time_limit(limit));
        Trigger { site: site.clone(), client }
    }

    /// Announces a version. Nobody waits for that, and whether it succeeds does not matter.
    pub(super) fn publish(&self, version: u64) {
        let Some(client) = self.client.clone() else { return };
        self.site.tell(Fact::TriggerSent { version });
        self.site.ctx().spawn(async move { drop(client.publish(CHANNEL, &version.to_string()).await) });
    }

    /// Asks for a poll whenever a version is announced; never ends.
    pub(super) async fn listen(&self, refresh: &Sender<()>) {
        let Some(client) = &self.client else { return std::future::pending().await };
        let ctx = self.site.ctx();
        loop {
            if let Ok(mut news) = client.subscribe(CHANNEL).await {
                while let Some(message) = news.next().await {
                    self.site.tell(Fact::TriggerReceived { version: message.parse().unwrap_or(0) });
                    // Full means that a poll at once is asked for already.
                    let _ = refresh.send(());
                }
            }
            ctx.sleep(RESUBSCRIBE).await;
        }
    }
}
