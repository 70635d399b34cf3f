//! What the rows of one key's values amount to: where the goals hold, in one sentence. It is read off the rows and nothing else; a value
//! that was not played yet is passed over.

use crate::lab::experiment::interval::Interval;
use crate::lab::experiment::metric::{Goal, Verdict};
use crate::lab::experiment::sweep::Row;

/// Values one after another that all meet, by the first and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: usize,
    /// The last.
    pub to: usize,
}

/// What is to be said of a key's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Prospect {
    /// Where all goals hold, in ascending order.
    pub ranges: Vec<Range>,
    /// Of the values that do not meet, or not for sure, the one that comes closest.
    pub closest: Option<usize>,
    /// Of the values whose intervals say neither, the one that the answer hangs on.
    pub open: Option<usize>,
    /// Whether the present value meets.
    pub is_met: bool,
    /// Of the values that meet, the one to go to: the nearest, or of words the best; none while the present one meets.
    pub best: Option<usize>,
    /// How many goals there are.
    goals: usize,
    /// How many values there are.
    points: usize,
    /// Whether values are words, which have no order.
    words: bool,
}

impl Prospect {
    /// Reads it off the rows, one place for each value, of which one is the present one. Values are quantities, or words.
    pub fn of(rows: &[Option<Row>], goals: &[Goal], now: usize, words: bool) -> Self {
        let seen: Vec<(usize, Verdict, f64)> = rows
            .iter()
            .enumerate()
            .filter_map(|(point, row)| {
                let figures = &row.as_ref()?.figures;
                Some((point, Verdict::of(goals, figures)?, excess(goals, figures)))
            })
            .collect();
        let mut ranges: Vec<Range> = Vec::new();
        let mut before = None;
        for &(point, verdict, _) in &seen {
            match ranges.last_mut() {
                Some(range) if verdict == Verdict::Meets && before == Some(Verdict::Meets) => {
                    range.to = point
                }
                _ if verdict == Verdict::Meets => ranges.push(Range { from: point, to: point }),
                _ => {}
            }
            before = Some(verdict);
        }
        let of = |wanted: Verdict| seen.iter().filter(move |(_, verdict, _)| *verdict == wanted);
        let least = |all: &mut dyn Iterator<Item = &(usize, Verdict, f64)>,
                     far: &dyn Fn(usize, f64) -> f64| {
            all.min_by(|a, b| far(a.0, a.2).total_cmp(&far(b.0, b.2))).map(|(point, ..)| *point)
        };
        let by_excess = |_: usize, excess: f64| excess.abs();
        let closest = least(&mut of(Verdict::Undecided), &by_excess).or_else(|| {
            // Of those that are as close the nearest; what differs by less than a thousandth does not differ.
            let rounded = |excess: f64| libm::round(excess * 1e3);
            let misses = of(Verdict::Misses).map(|(_, _, excess)| rounded(*excess));
            let nearest = misses.fold(f64::INFINITY, f64::min);
            let mut as_close = of(Verdict::Misses).filter(|(_, _, excess)| rounded(*excess) == nearest);
            least(&mut as_close, &|point, excess| if words { excess } else { point.abs_diff(now) as f64 })
        });
        let is_met = of(Verdict::Meets).any(|(point, ..)| *point == now);
        let nearest = |point: usize, excess: f64| if words { excess } else { point.abs_diff(now) as f64 };
        let best = least(&mut of(Verdict::Meets), &nearest).filter(|_| !is_met);
        // What stands beside a range could make it longer.
        let places: Vec<usize> = seen.iter().map(|(point, ..)| *point).collect();
        let is_beside = |point: usize| {
            let place = |point: usize| places.iter().position(|other| *other == point).unwrap_or_default();
            ranges.iter().any(|range| {
                place(range.from).abs_diff(place(point)) == 1 || place(range.to).abs_diff(place(point)) == 1
            })
        };
        let open =
            least(&mut of(Verdict::Undecided).filter(|(point, ..)| !words && is_beside(*point)), &by_excess)
                .or_else(|| least(&mut of(Verdict::Undecided), &by_excess));
        Prospect { ranges, closest, open, is_met, best, goals: goals.len(), points: rows.len(), words }
    }

    /// The answer in words, the headline first, with each value's own words, such as `61 workers`. Without goals there is nothing to
    /// say, nor before anything was played.
    pub fn sentences(&self, label: &dyn Fn(usize) -> String) -> Vec<String> {
        let where_they_hold = self.where_they_hold(label);
        match (self.is_met, where_they_hold) {
            (true, Some(text)) => vec!["Already met.".to_owned(), text],
            (_, Some(text)) => vec![text],
            (_, None) => self.no_value(label).into_iter().collect(),
        }
    }

    fn where_they_hold(&self, label: &dyn Fn(usize) -> String) -> Option<String> {
        let hold = match self.goals {
            1 => "the goal holds",
            2 => "both goals hold",
            _ => "all goals hold",
        };
        let all = self.ranges == [Range { from: 0, to: self.points.saturating_sub(1) }];
        let text = if self.ranges.is_empty() {
            return None;
        } else if self.words && all {
            format!("with any choice, {hold}.")
        } else if self.words {
            let words = self.ranges.iter().flat_map(|range| range.from..=range.to).map(label);
            format!("{hold} with {}.", listed(words.collect()))
        } else {
            let ranges = self.ranges.iter().map(|range| self.range(*range, label));
            format!("{}, {hold}.", listed(ranges.collect()))
        };
        Some(capital(&text))
    }

    fn range(&self, Range { from, to }: Range, label: &dyn Fn(usize) -> String) -> String {
        match (from == 0, to + 1 == self.points) {
            (true, true) => "at any value".to_owned(),
            (false, true) => format!("from {} on", label(from)),
            (true, false) => format!("up to {}", label(to)),
            (false, false) if from == to => format!("at {}", label(from)),
            (false, false) => format!("between {} and {}", label(from), label(to)),
        }
    }

    fn no_value(&self, label: &dyn Fn(usize) -> String) -> Option<String> {
        let closest = label(self.closest?);
        let what = if self.words { "choice" } else { "value" };
        let goals = match self.goals {
            1 => "the goal",
            2 => "both",
            _ => "all goals",
        };
        Some(match self.open {
            Some(_) => format!("No {what} meets {goals} for sure; closest is {closest}, which is undecided."),
            None => format!("No {what} meets {goals}; closest is {closest}."),
        })
    }
}

/// By how much goals are missed together, in parts of their limits; where all are met, by how much the closest one is, as a negative
/// number. Nothing measured is as far as can be.
fn excess(goals: &[Goal], figures: &[Option<Interval>]) -> f64 {
    let each = goals.iter().map(|goal| {
        let Some(figure) = figures.get(goal.metric).copied().flatten() else { return f64::INFINITY };
        let beyond = if goal.below { figure.value - goal.limit } else { goal.limit - figure.value };
        if goal.limit == 0.0 { beyond } else { beyond / goal.limit.abs() }
    });
    let (mut most, mut sum) = (f64::NEG_INFINITY, 0.0);
    for excess in each {
        most = most.max(excess);
        sum += excess.max(0.0);
    }
    if sum > 0.0 { sum } else { most }
}

fn listed(mut all: Vec<String>) -> String {
    match (all.pop(), all.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", all.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two goals: an error below 1, a time below 10.
    const GOALS: [Goal; 2] =
        [Goal { metric: 0, limit: 1.0, below: true }, Goal { metric: 1, limit: 10.0, below: true }];

    /// A row whose error is within a tenth of this, and whose time is that.
    fn row(error: f64, time: f64) -> Option<Row> {
        let of = |value: f64, half: f64| {
            Some(Interval { value, low: Some(value - half), high: Some(value + half) })
        };
        Some(Row {
            point: 0,
            requests: 20,
            answered: 20,
            figures: vec![of(error, 0.1), of(time, 0.0)],
            verdict: None,
        })
    }

    fn said(errors: &[f64], now: usize) -> Vec<String> {
        said_of(&errors.iter().map(|error| row(*error, 5.0)).collect::<Vec<_>>(), &GOALS, now, false)
    }

    fn said_of(rows: &[Option<Row>], goals: &[Goal], now: usize, words: bool) -> Vec<String> {
        let word = |point: usize| ["average", "median", "mad", "mode"][point].to_owned();
        let number = |point: usize| format!("{} workers", 10 * (point + 1));
        Prospect::of(rows, goals, now, words).sentences(if words { &word } else { &number })
    }

    #[test]
    fn where_the_goals_hold_is_said_in_one_sentence() {
        for (errors, expected) in [
            (&[2.0, 1.5, 0.5, 0.4][..], "From 30 workers on, both goals hold."),
            (&[2.0, 1.5, 1.05, 0.4], "From 40 workers on, both goals hold."),
            (&[2.0, 0.5, 0.5, 2.0], "Between 20 workers and 30 workers, both goals hold."),
            (&[2.0, 0.5, 1.5, 2.0], "At 20 workers, both goals hold."),
            (&[2.0, 0.5, 1.05, 0.5], "At 20 workers and from 40 workers on, both goals hold."),
            (&[2.0, 1.5, 1.4, 3.0], "No value meets both; closest is 30 workers."),
            (
                &[2.0, 1.05, 1.0, 1.5],
                "No value meets both for sure; closest is 30 workers, which is undecided.",
            ),
        ] {
            assert_eq!(said(errors, 0), [expected], "{errors:?}");
        }
        // The present one is the fourth.
        assert_eq!(said(&[0.5, 0.5, 2.0, 2.0], 3), ["Up to 20 workers, both goals hold."]);
        assert_eq!(said(&[2.0, 0.5, 0.5, 0.5], 3), ["Already met.", "From 20 workers on, both goals hold."]);
        assert_eq!(said(&[0.5; 4], 3), ["Already met.", "At any value, both goals hold."]);
    }

    #[test]
    fn every_goal_counts_and_each_number_of_them_has_its_words() {
        let rows = [row(2.0, 5.0), row(0.5, 5.0), row(0.5, 20.0)];
        assert_eq!(said_of(&rows, &GOALS, 0, false), ["At 20 workers, both goals hold."]);
        assert_eq!(said_of(&rows, &GOALS[..1], 0, false), ["From 20 workers on, the goal holds."]);
        assert_eq!(
            said_of(&rows, &[GOALS[0], GOALS[1], GOALS[1]], 0, false),
            ["At 20 workers, all goals hold."]
        );
        assert_eq!(
            said_of(&rows[..1], &GOALS[..1], 0, false),
            ["No value meets the goal; closest is 10 workers."]
        );
        assert!(said_of(&rows, &[], 0, false).is_empty());
        // One goal that nothing meets does not hide what is closer to the other.
        let late = [row(2.0, 15.0), row(1.5, 15.0), row(0.5, 15.0), row(0.4, 15.0)];
        assert_eq!(said_of(&late, &GOALS, 0, false), ["No value meets both; closest is 30 workers."]);
        assert_eq!(said_of(&late, &GOALS, 3, false), ["No value meets both; closest is 40 workers."]);
        // More is better, too; and where nothing was answered nothing is near.
        let above = [Goal { metric: 0, limit: 1.0, below: false }];
        assert_eq!(said_of(&rows, &above, 2, false), ["Up to 10 workers, the goal holds."]);
        let mut silent = rows.to_vec();
        silent[0].iter_mut().for_each(|row| row.figures[0] = None);
        silent[1] = row(5.0, 5.0);
        assert_eq!(said_of(&silent[..2], &GOALS, 0, false), ["No value meets both; closest is 20 workers."]);
    }

    #[test]
    fn words_are_named() {
        let rows = |errors: [f64; 4]| errors.map(|error| row(error, 5.0));
        for (errors, expected) in [
            ([2.0, 0.5, 0.7, 2.0], "Both goals hold with median and mad."),
            ([2.0, 2.0, 0.7, 2.0], "Both goals hold with mad."),
            ([3.0, 2.0, 1.5, 2.0], "No choice meets both; closest is mad."),
        ] {
            assert_eq!(said_of(&rows(errors), &GOALS, 0, true), [expected]);
        }
        assert_eq!(
            said_of(&rows([0.5; 4]), &GOALS, 0, true),
            ["Already met.", "With any choice, both goals hold."]
        );
        let best = |now| Prospect::of(&rows([2.0, 0.7, 2.0, 0.5]), &GOALS, now, true).best;
        assert_eq!((best(0), best(1)), (Some(3), None), "of words the best, not the nearest");
    }

    #[test]
    fn what_was_not_played_is_passed_over_and_what_the_answer_hangs_on_is_named() {
        let rows = [row(2.0, 5.0), None, row(1.05, 5.0), row(0.5, 5.0), None, row(0.4, 5.0)];
        let answer = Prospect::of(&rows, &GOALS, 0, false);
        assert_eq!(answer.ranges, [Range { from: 3, to: 5 }]);
        assert_eq!((answer.open, answer.best, answer.is_met), (Some(2), Some(3), false));
        // The first is nearer to the limit, the third beside what meets.
        let rows = [row(1.01, 5.0), row(2.0, 5.0), row(1.09, 5.0), row(0.5, 5.0)];
        assert_eq!(Prospect::of(&rows, &GOALS, 1, false).open, Some(2));
        assert!(said_of(&[None, None], &GOALS, 0, false).is_empty(), "nothing is known");
    }
}
