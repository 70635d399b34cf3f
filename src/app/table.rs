//! The table under the board, as plain data: the board's rows in words.

use super::snapshot::{NodeView, Snapshot, WorkerState};
use crate::lab::SystemKind;
use crate::systems::oracle::log::TaskEnd;

/// A column between the name and the state on the left and the buttons on the right.
pub type Column = &'static str;

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

/// The columns of a system, all of figures.
pub fn columns(system: SystemKind) -> &'static [Column] {
    match system {
        SystemKind::OracleHttp => &["Took", "Said", "Last answer", "Score"],
    }
}

/// The row of the node at `index` among the board's rows.
pub fn row(snapshot: &Snapshot, index: usize) -> Option<Row> {
    let node = snapshot.rows().get(index)?;
    let cells = match snapshot.system {
        SystemKind::OracleHttp => of_worker(snapshot, node, index),
    };
    Some(Row {
        name: node.name.clone(),
        state: node.state,
        words: format!("{}{}", node.state.name().replace('-', " "), node.remarks()),
        cells,
    })
}

fn of_worker(snapshot: &Snapshot, node: &NodeView, index: usize) -> Vec<String> {
    // Workers register in their order, unless something went wrong: then the task is looked for.
    let task = snapshot.request.as_ref().and_then(|request| {
        let own = |task: &&super::snapshot::TaskView| task.node == node.id;
        request.tasks.get(index).filter(own).or_else(|| request.tasks.iter().find(own))
    });
    let took = task.filter(|task| task.end != TaskEnd::Pending).and_then(|task| task.took_ms);
    vec![
        took.map_or_else(none, |ms| format!("{ms:.0} ms")),
        two_digits(task.and_then(|task| task.value)),
        two_digits(node.last_value),
        two_digits(node.score),
    ]
}

fn none() -> String {
    "—".to_owned()
}

fn two_digits(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Player;
    use crate::kernel::Instant;
    use crate::lab::{Scenario, presets};

    #[test]
    fn every_row_of_every_system_has_a_figure_for_each_column() {
        for preset in &presets::PRESETS {
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
                assert_eq!(row.cells.len(), columns(snapshot.system).len(), "{}", row.name);
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
