//! When a server makes snapshots, what it keeps for the next one, and what its end leaves behind.

use super::config::Persistence;
use super::disk::Base;
use super::keyspace::{KeyRef, Keyspace};
use super::store::{Effect, Store};

/// So many names of changed keys may be kept for the next snapshot besides as many as there are keys.
const CHANGES_KEPT: usize = 10_000;

impl Store {
    /// Makes a snapshot.
    pub(super) fn save(&mut self) {
        self.keyspace.changes = 0;
        self.saved_at = self.keyspace.now;
        self.absorb_changes();
        let base = self.base.take();
        self.base = Some(self.disk.save(&self.keyspace, base));
        self.effects.push(Effect::Saved);
    }

    pub(super) fn snapshot_due(&self) -> Option<u64> {
        let Persistence::Snapshots(points) = &self.config.persistence else { return None };
        let reached = points.iter().filter(|point| self.keyspace.changes >= point.changes.max(1));
        reached
            .map(|point| self.saved_at.saturating_add(point.seconds.saturating_mul(1000)).saturating_add(1))
            .min()
    }

    /// The next snapshot will write this key.
    pub(super) fn note_change(&mut self, key: KeyRef) {
        if let Some(base) = &mut self.base {
            base.note(key);
        }
    }

    /// Gives up noting changes where there are more names than keys: a snapshot of everything costs less than their memory.
    pub(super) fn bound_changes(&mut self) {
        let kept = self.base.as_ref().map_or(0, Base::distance);
        if kept > CHANGES_KEPT && kept > CHANGES_KEPT + self.keyspace.len() {
            self.base = None;
        }
    }
}

/// The process ends. With the append-only file, all that was answered is on disk already.
impl Drop for Store {
    fn drop(&mut self) {
        if self.config.persistence == Persistence::AppendOnly {
            let data = std::mem::replace(&mut self.keyspace, Keyspace::new());
            self.disk.write(data.into_databases());
        }
    }
}
