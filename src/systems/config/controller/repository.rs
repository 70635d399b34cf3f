//! Repository: versions on the controller's disk.

use super::domain::Version;
use super::use_case::{Refused, Repository};
use crate::kernel::Instant;
use crate::net::NodeId;
use crate::systems::config::{Site, VERSION_STORED};

/// The disk as this controller process has it open.
#[derive(Clone)]
pub(super) struct DiskRepository {
    site: Site,
    node: NodeId,
}

impl DiskRepository {
    /// Opens the disk. Whatever is there was committed, also a version whose author was never told.
    pub(super) fn open(site: &Site, node: NodeId) -> Self {
        let repository = DiskRepository { site: site.clone(), node };
        repository.tell_log();
        repository
    }

    /// Tells the laboratory of versions that it has not seen, before anyone is served one.
    fn tell_log(&self) {
        let mut log = self.site.log.borrow_mut();
        for n in log.newest() + 1..=self.site.disk.len() {
            if let Some(version) = self.site.disk.get(n) {
                log.stored(&version, self.site.ctx().now());
            }
        }
    }
}

impl Repository for DiskRepository {
    fn newest(&self) -> Option<Version> {
        self.tell_log();
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
        let Site { disk, log, params, .. } = &self.site;
        let ctx = self.site.ctx();
        let latency = self.site.net().work(self.node, params.store_latency);
        let version = disk.transact(latency, |newest| decide(newest, ctx.now())).await?;
        ctx.record(VERSION_STORED, 0, version.number);
        self.tell_log();
        log.borrow_mut().acknowledged(version.number, ctx.now());
        Ok(version)
    }
}
