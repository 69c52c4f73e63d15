//! A look at supervisord, and at the memory of its processes.

use superlance_config::server::Connection;
use superlance_core::supervisor::{ProcessInfo, Supervisor as _};
use superlance_measure::{Local, Metric, Readings};

/// The metrics of memory.
pub(crate) const METRICS: [Metric; 4] = [Metric::Rss, Metric::Pss, Metric::Uss, Metric::Swap];

/// What is seen at a moment.
#[derive(Debug)]
pub(crate) struct Look {
    /// The processes; or why supervisord cannot be asked.
    pub(crate) processes: Result<Vec<ProcessInfo>, String>,
    /// Their memory by process id; or why none can be read.
    pub(crate) memory: Result<Readings, String>,
}

/// Looks once.
pub(crate) fn look(server: &mut Connection, local: &Local) -> Look {
    let answer =
        server.client.all().and_then(|processes| Ok((processes, server.client.own_pid()?)));
    match answer {
        Ok((processes, own_pid)) => {
            let pids = processes.iter().map(|info| info.pid);
            let memory = local.read(pids, own_pid, &METRICS);
            Look { processes: Ok(processes), memory }
        }
        Err(error) => Look { processes: Err(server.explain(&error)), memory: Ok(Readings::new()) },
    }
}
