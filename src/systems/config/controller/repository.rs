//! Repository: versions on the controller's disk.

use super::domain::Version;
use super::use_case::{Refused, Repository};
use crate::kernel::Instant;
use crate::net::NodeId;
use crate::systems::config::{Fact, Site};

/// The disk as this controller process has it open.
#[derive(Clone)]
pub(super) struct DiskRepository {
    site: Site,
    node: NodeId,
    /// On whose behalf it writes.
    author: NodeId,
}

impl DiskRepository {
    /// Opens the disk. Whatever is there was committed, also a version whose author was never told.
    pub(super) fn open(site: &Site, node: NodeId) -> Self {
        let repository = DiskRepository { site: site.clone(), node, author: node };
        repository.tell_new();
        repository
    }

    /// The same disk, written on behalf of `author`.
    pub(super) fn used_by(&self, author: NodeId) -> Self {
        DiskRepository { author, ..self.clone() }
    }

    /// Says of versions that are new on the disk that they can be served, before anyone is served one.
    fn tell_new(&self) {
        let Site { disk, told, .. } = &self.site;
        for version in (told.get() + 1..=disk.len()).filter_map(|n| disk.get(n)) {
            told.set(version.number);
            self.site.tell(Fact::VersionServable {
                version: version.number,
                settings: (*version.settings).clone(),
            });
        }
    }
}

impl Repository for DiskRepository {
    fn newest(&self) -> Option<Version> {
        self.tell_new();
        self.site.disk.newest()
    }

    fn history(&self, most: usize) -> Vec<Version> {
        let numbers = (1..=self.site.disk.len()).rev().take(most);
        numbers.filter_map(|n| self.site.disk.get(n)).collect()
    }

    async fn commit(
        &self,
        decide: impl FnOnce(Option<&Version>, Instant) -> Result<Version, Refused>,
    ) -> Result<Version, Refused> {
        let Site { disk, params, .. } = &self.site;
        let (ctx, net) = (self.site.ctx(), self.site.net());
        let latency = net.work(self.node, params.store_latency);
        let decide = |newest: Option<&Version>| {
            let version = decide(newest, ctx.now())?;
            let author = net.name(self.author).to_string();
            self.site.tell(Fact::WriteBegun { version: version.number, author });
            Ok(version)
        };
        let version = disk.transact(latency, decide).await?;
        self.tell_new();
        self.site.tell(Fact::VersionStored { version: version.number });
        Ok(version)
    }
}
