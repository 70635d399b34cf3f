//! The table under the board, as plain data: the board's rows in words.

use super::catalogue::face;
use super::snapshot::{Snapshot, WorkerState};

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The node's name.
    pub name: String,
    /// Its state, which is also its mark.
    pub state: WorkerState,
    /// Its state in words, with what is to be said besides.
    pub words: String,
    /// One figure for each column.
    pub cells: Vec<String>,
}

/// The row of the node at `index` among the board's rows.
pub fn row(snapshot: &Snapshot, index: usize) -> Option<Row> {
    let node = snapshot.rows().get(index)?;
    Some(Row {
        name: node.name.clone(),
        state: node.state,
        words: format!("{}{}", node.state.name().replace('-', " "), node.remarks()),
        cells: (face(snapshot.system).cells)(snapshot, node, index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Player;
    use crate::kernel::Instant;
    use crate::lab::{Scenario, presets};

    #[test]
    fn every_row_of_every_system_has_a_figure_for_each_column() {
        for preset in presets::all() {
            let mut player = Player::new(&Scenario::preset(preset.name, 7), 1.0).unwrap();
            player.seek(Instant::from_millis(9000)).unwrap();
            while player.progress().is_some() {
                player.frame(16.0, || true);
            }
            let snapshot = player.snapshot();
            let count = snapshot.rows().len();
            assert!(count > 0, "{}", preset.name);
            for index in 0..count {
                let row = row(&snapshot, index).unwrap();
                assert_eq!(row.cells.len(), face(snapshot.system).columns.len(), "{}", row.name);
                assert!(row.words.starts_with(&row.state.name().replace('-', " ")));
            }
            assert_eq!(row(&snapshot, count), None);
        }
    }

    #[test]
    fn a_worker_that_is_down_says_since_when() {
        let mut player = Player::new(&Scenario::preset("oracle-http", 31), 1.0).unwrap();
        player.seek(Instant::from_millis(9000)).unwrap();
        while player.progress().is_some() {
            player.frame(16.0, || true);
        }
        let row = row(&player.snapshot(), 3).unwrap();
        assert_eq!((row.name.as_str(), row.state), ("w-04", WorkerState::Down));
        assert!(row.words.starts_with("down since 8.0 s"), "{}", row.words);
    }
}
