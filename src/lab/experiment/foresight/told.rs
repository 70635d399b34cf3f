//! All that is known of a question so far, as JSON: what the page's panel draws, and holds against goals.

use super::label::label;
use crate::lab::experiment::plan::Checked;
use crate::lab::experiment::rows;
use crate::lab::experiment::sweep::Row;
use crate::lab::params::Allowed;
use serde_json::{Map, Value, json};

/// What is told: the values with their names, and a row for each as a sweep has it, or null.
pub(super) fn told(plan: &Checked, now: usize, rows: &[Option<Row>]) -> Value {
    let axis = &plan.plan.axes[0];
    let scenario = plan.scenario(now, plan.plan.seeds.first);
    let settings = scenario.settings().map(|settings| settings.all()).unwrap_or_default();
    let allowed = settings.iter().find(|setting| setting.key == axis.key).map(|setting| setting.allowed);
    let named = |value: &Value| label(allowed, &axis.key, value);
    let header = rows::header(plan);
    let object = |row: &Option<Row>| {
        row.as_ref().map(|row| header.iter().cloned().zip(rows::cells(plan, row)).collect::<Map<_, _>>())
    };
    json!({
        "plan": plan.plan,
        "labels": axis.values.iter().map(named).collect::<Vec<_>>(),
        "words": matches!(allowed, Some(Allowed::Choice(_) | Allowed::Text(_))),
        "now": now,
        "rows": rows.iter().map(object).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use crate::lab::experiment::{Foresight, Next, Question, Work, play};
    use serde_json::json;

    #[test]
    fn rows_are_told_as_they_are_known_and_values_by_their_names() {
        let json = json!({
            "plan": {
                "version": 1, "base": {"preset": "oracle-http"}, "axes": [{"key": "workers", "values": [2, 1]}],
                "goals": [{"metric": "latency_p99", "below": "9s"}], "requests": 5, "seeds": {"first": 1, "count": 4},
            },
            "now": 2,
        });
        let mut foresight = Foresight::new(Question::from_json(&json.to_string()).unwrap()).unwrap();
        let told = foresight.told();
        assert_eq!(
            (&told["labels"], &told["rows"]),
            (&json!(["2 workers", "1 worker"]), &json!([null, null]))
        );
        assert_eq!((&told["words"], &told["now"]), (&json!(false), &json!(0)));
        let metrics = foresight.plan().metrics.clone();
        for _ in 0..4 {
            let Next::Task(task) = foresight.next() else { panic!("there are eight") };
            let outcome = play(&task.scenario, task.window, &metrics).unwrap();
            foresight.take(&task, outcome).unwrap();
        }
        let told = foresight.told();
        assert_eq!((&told["rows"][0]["workers"], &told["rows"][0]["requests"]), (&json!(2), &json!(20)));
        assert_eq!(told["rows"][1], json!(null));
    }
}
