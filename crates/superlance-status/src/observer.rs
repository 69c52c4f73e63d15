//! The observer, which takes snapshots: it asks supervisord for its processes and the system for
//! their memory.

use superlance_core::options::selector::Selector;
use superlance_core::supervisor::{ProcessInfo, RpcError, Supervisor};
use superlance_dependent_startup::graph::Graph;
use superlance_dependent_startup::waits_for;
use superlance_measure::{Local, Metric, Readings};
use superlance_memmon::Watch;

use crate::options::Sort;
use crate::snapshot::{Question, Row, Scope, Snapshot};

/// The metrics of the table.
const METRICS: [Metric; 4] = [Metric::Rss, Metric::Pss, Metric::Uss, Metric::Swap];

/// The subject of the snapshots.
pub(crate) struct Observer {
    /// The address of supervisord for messages.
    pub(crate) url: String,
    /// memmon's options, if any.
    pub(crate) watch: Option<Watch>,
    /// The memory that percentages refer to, if there are any.
    pub(crate) memory_of_machine: Option<u64>,
    /// The processes to show; empty for all.
    pub(crate) names: Vec<Selector>,
    pub(crate) sort: Option<Sort>,
    pub(crate) local: Local,
    /// The programs that dependent-startup starts, and what each waits for.
    pub(crate) graph: Option<Graph>,
}

impl Observer {
    /// Takes a snapshot. `own_pid` is supervisord's own process id; `None` if it cannot be on this
    /// machine.
    pub(crate) fn look(
        &self,
        supervisor: &mut dyn Supervisor,
        own_pid: Option<u32>,
    ) -> Result<Snapshot, RpcError> {
        let all = supervisor.all()?;
        let time = all.iter().map(|info| info.now).max().unwrap_or(0);
        let unknown = self.names.iter().filter(|name| !all.iter().any(|info| means(name, info)));
        let unknown = unknown.map(|name| name.as_str().to_owned()).collect();
        let idle = self.watch.as_ref().map(|watch| watch.idle_selectors(&all)).unwrap_or_default();
        let waits = self.graph.as_ref().map(|graph| waits_for(graph, &all)).unwrap_or_default();
        let is_shown = |info: &ProcessInfo| {
            self.names.is_empty() || self.names.iter().any(|name| means(name, info))
        };
        let shown: Vec<ProcessInfo> = all.into_iter().filter(is_shown).collect();
        let (readings, blind) =
            match self.local.read(shown.iter().map(|info| info.pid), own_pid, &METRICS) {
                Ok(readings) => (readings, None),
                Err(why) => (Readings::new(), Some(why)),
            };
        let row = |info: ProcessInfo| Row {
            reading: readings.get(&info.pid).filter(|reading| !reading.is_empty()).copied(),
            limit: self.watch.as_ref().and_then(|watch| watch.limit(&info, self.memory_of_machine)),
            is_watched: self.watch.as_ref().is_some_and(|watch| watch.concerns(&info)),
            waits_for: waits.get(&info.namespec()).cloned().unwrap_or_default(),
            info,
        };
        let rows: Vec<Row> = shown.into_iter().map(row).collect();
        let total = self.watch.as_ref().and_then(|watch| watch.total(self.memory_of_machine));
        let total_limit = total.filter(|_| self.names.is_empty());
        let question =
            self.question(total_limit.is_some() || rows.iter().any(|row| row.limit.is_some()));
        let url = self.url.clone();
        let mut snapshot =
            Snapshot { url, time, question, rows, total_limit, blind, unknown, idle };
        let usual = if question.has_limits { Sort::Headroom } else { Sort::Name };
        snapshot.sort(self.sort.unwrap_or(usual));
        Ok(snapshot)
    }

    fn question(&self, has_limits: bool) -> Question {
        let cumulative = self.watch.as_ref().is_some_and(Watch::cumulative);
        Question {
            metric: self.watch.as_ref().map_or(Metric::Rss, Watch::metric),
            scope: if cumulative { Scope::Family } else { Scope::Alone },
            has_limits,
        }
    }
}

fn means(selector: &Selector, info: &ProcessInfo) -> bool {
    selector.matches(info.names()) || selector.as_str().strip_suffix(":*") == Some(&info.group)
}

#[cfg(test)]
#[path = "observer_tests.rs"]
mod tests;
