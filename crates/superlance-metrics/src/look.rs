//! A look at supervisord, and at the memory of its processes.

use std::time::Duration;

use superlance_config::server::Connection;
use superlance_core::supervisor::{ProcessInfo, Supervisor as _};
use superlance_measure::{Local, Metric, Readings};

use crate::listeners::{Listener, Listeners};

/// The metrics of memory.
pub(crate) const METRICS: [Metric; 4] = [Metric::Rss, Metric::Pss, Metric::Uss, Metric::Swap];

/// Time for each answer of supervisord, which takes milliseconds while all is well. Prometheus gives a scrape
/// ten seconds, and supervisord a program that it stops: two looks have to fit in.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is seen at a moment.
#[derive(Debug)]
pub(crate) struct Look {
    /// The processes; or why supervisord cannot be asked.
    pub(crate) processes: Result<Vec<ProcessInfo>, String>,
    /// Their memory by process id; or why none can be read.
    pub(crate) memory: Result<Readings, String>,
    /// The event listeners; or why their states are not known.
    pub(crate) listeners: Result<Vec<Listener>, String>,
}

/// Where it is seen.
pub(crate) struct Eyes {
    server: Connection,
    local: Local,
    listeners: Listeners,
}

impl Eyes {
    pub(crate) fn new(server: Connection) -> Self {
        let listeners = Listeners::new(server.file.clone());
        let server = Connection { client: server.client.within(PATIENCE), ..server };
        Self { server, local: Local::of_this_system(), listeners }
    }

    /// Looks once.
    pub(crate) fn look(&mut self) -> Look {
        let client = &mut self.server.client;
        let answer = client.all().and_then(|processes| Ok((processes, client.own_pid()?)));
        match answer {
            Ok((processes, own_pid)) => {
                let pids = processes.iter().map(|info| info.pid);
                let memory = self.local.read(pids, own_pid, &METRICS);
                let listeners = self.listeners.look(&processes, client);
                let listeners = listeners.map_err(|error| error.to_string());
                Look { processes: Ok(processes), memory, listeners }
            }
            Err(error) => Look {
                processes: Err(self.server.explain(&error)),
                memory: Ok(Readings::new()),
                listeners: Ok(Vec::new()),
            },
        }
    }
}
