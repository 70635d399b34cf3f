//! A container: it starts its processes and ends with them. One that dies takes them along; a process that dies leaves the
//! container and the other processes as they are, and stays dead until somebody starts it again.

use crate::kernel::Duration;
use crate::net::{Net, NodeId, Shutdown};

/// How often a container that shuts down looks whether its processes have ended.
const DRAIN_POLL: Duration = Duration::from_millis(10);

/// The processes of a container that runs.
struct Processes {
    net: Net,
    nodes: Vec<NodeId>,
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.nodes.iter().for_each(|&node| self.net.crash(node));
    }
}

pub(super) async fn run(net: Net, nodes: Vec<NodeId>, shutdown: Shutdown) {
    let processes = Processes { net, nodes };
    let Processes { net, nodes } = &processes;
    nodes.iter().for_each(|&node| net.start(node));
    shutdown.requested().await;
    // As `docker stop` does: each process hears it and finishes what it has in hand.
    nodes.iter().for_each(|&node| net.stop(node));
    while nodes.iter().any(|&node| net.is_up(node)) {
        net.ctx().sleep(DRAIN_POLL).await;
    }
}
