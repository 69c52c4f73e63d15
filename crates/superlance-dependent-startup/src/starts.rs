//! Starts of processes, and those that supervisord refuses.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use superlance_core::listener::Ctx;
use superlance_core::supervisor::RpcError;
use superlance_core::system::log::LogOnce;

use crate::alerts;
use crate::program::names;

/// Pause after the first refusal to start a process; doubled for each further one.
const RETRY: Duration = Duration::from_secs(1);

const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Processes that supervisord refuses to start, by `group:name`.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    refused: BTreeMap<String, Refused>,
}

#[derive(Debug)]
struct Refused {
    complaint: LogOnce,
    due: Instant,
    pause: Duration,
}

impl Starts {
    /// Whether a process may be started now.
    pub(crate) fn is_due(&self, namespec: &str, now: Instant) -> bool {
        self.refused.get(namespec).is_none_or(|refused| refused.due <= now)
    }

    /// When the next is tried again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.refused.values().map(|refused| refused.due).min()
    }

    /// Starts a process of a program; `false` when supervisord refuses, which is logged if it `warns`.
    ///
    /// # Errors
    /// When supervisord gives no answer, or ends.
    pub(crate) fn start(
        &mut self,
        program: &str,
        namespec: &str,
        warns: bool,
        ctx: &mut Ctx<'_>,
    ) -> Result<bool, RpcError> {
        let Err(error) = ctx.supervisor.begin_start(namespec) else {
            if self.refused.remove(namespec).is_some() {
                ctx.alerts.resolve(&alerts::key(namespec), &format!("{namespec} was started."));
            }
            return Ok(true);
        };
        if error.fault_code().is_none() || error.is_shutdown() {
            return Err(error);
        }
        // supervisord refuses as well what has started and ended at once, and tries again itself.
        if ctx.supervisor.info(namespec).is_ok_and(|info| info.start != 0) {
            return Ok(true);
        }
        let (group, process) = names(namespec);
        let text = format!("Error when starting service '{program}' (group: {group}): {error}");
        let is_new = !self.refused.contains_key(namespec);
        let refused = self.refused.entry(namespec.to_owned()).or_insert(Refused {
            complaint: LogOnce::default(),
            due: Instant::now(),
            pause: RETRY,
        });
        if warns {
            refused.complaint.report_about(ctx.log.about(group, process, None), text.clone());
        }
        refused.due = Instant::now() + refused.pause;
        refused.pause = LONGEST_RETRY.min(refused.pause * 2);
        if is_new {
            ctx.raise(alerts::refused(namespec, &text, ctx.now()));
        }
        Ok(false)
    }
}
