//! A snapshot as JSON. Unknown numbers are null, and so are sums that lack a number.

use serde::Serialize;
use superlance_measure::Metric;

use crate::snapshot::{Row, Scope, Snapshot};

#[derive(Serialize)]
struct Document<'a> {
    server_url: &'a str,
    time: i64,
    metric: &'static str,
    with_descendants: bool,
    processes: Vec<Process<'a>>,
    total: Total,
    unknown_names: &'a [String],
    idle_limits: &'a [String],
    memory_unknown_because: Option<&'a str>,
}

#[derive(Serialize)]
struct Process<'a> {
    name: &'a str,
    group: &'a str,
    state: &'static str,
    pid: Option<u32>,
    uptime: Option<u64>,
    alone: Numbers,
    with_descendants: Numbers,
    limit: Option<u64>,
    limit_from: Option<&'a str>,
    headroom: Option<i128>,
    waits_for: &'a [String],
}

#[derive(Serialize)]
struct Total {
    processes: usize,
    running: usize,
    over_limit: usize,
    limit: Option<u64>,
    headroom: Option<i128>,
    alone: Numbers,
    with_descendants: Numbers,
}

#[derive(Serialize)]
struct Numbers {
    rss: Option<u64>,
    pss: Option<u64>,
    uss: Option<u64>,
    swap: Option<u64>,
}

impl Numbers {
    fn new(number: impl Fn(Metric) -> Option<u64>) -> Self {
        Self {
            rss: number(Metric::Rss),
            pss: number(Metric::Pss),
            uss: number(Metric::Uss),
            swap: number(Metric::Swap),
        }
    }
}

/// One JSON object.
pub(crate) fn render(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    let sum = |scope| {
        Numbers::new(|metric| {
            let sum = snapshot.sum(metric, scope);
            (sum.missing == 0).then_some(sum.bytes)
        })
    };
    serde_json::to_string_pretty(&Document {
        server_url: &snapshot.url,
        time: snapshot.time,
        metric: snapshot.question.metric.name(),
        with_descendants: snapshot.question.scope == Scope::Family,
        processes: snapshot.rows.iter().map(|row| process(row, snapshot)).collect(),
        total: Total {
            processes: snapshot.rows.len(),
            running: snapshot.count_running(),
            over_limit: snapshot.count_over(),
            limit: snapshot.total_limit,
            headroom: snapshot.total_headroom(),
            alone: sum(Scope::Alone),
            with_descendants: sum(Scope::Family),
        },
        unknown_names: &snapshot.unknown,
        idle_limits: &snapshot.idle,
        memory_unknown_because: snapshot.blind.as_deref(),
    })
}

fn process<'a>(row: &'a Row, snapshot: &Snapshot) -> Process<'a> {
    Process {
        name: &row.info.name,
        group: &row.info.group,
        state: row.info.state.name(),
        pid: row.runs().then_some(row.info.pid),
        uptime: row.uptime(),
        alone: Numbers::new(|metric| row.bytes(metric, Scope::Alone)),
        with_descendants: Numbers::new(|metric| row.bytes(metric, Scope::Family)),
        limit: row.limit.as_ref().map(|limit| limit.bytes),
        limit_from: row.limit.as_ref().map(|limit| limit.option.as_str()),
        headroom: row.headroom(snapshot.question),
        waits_for: &row.waits_for,
    }
}
