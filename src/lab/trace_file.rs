//! Traces as files: one JSON object a line.

use super::run::Run;
use crate::kernel::Record;
use std::io::{self, Write};

/// Writes the records that the run kept as NDJSON, `{n, t_ns, node, kind, req, cause}` with `peer` and `value` after.
pub fn write_ndjson(run: &Run, out: &mut impl Write) -> io::Result<()> {
    let name = |node: u32| match node {
        0 => "lab".to_owned(),
        node => run.net().name(crate::net::NodeId(node)).to_string(),
    };
    for record in run.trace().records() {
        let Record { n, at, node, kind, tag, cause, peer, value } = *record;
        let line = serde_json::json!({
            "n": n,
            "t_ns": at.as_nanos(),
            "node": name(node),
            "kind": kind.name(),
            "req": if tag == 0 { serde_json::Value::Null } else { format!("req-{tag:05}").into() },
            "cause": if cause == 0 { serde_json::Value::Null } else { cause.into() },
            "peer": if peer == 0 { serde_json::Value::Null } else { name(peer).into() },
            "value": value,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}
