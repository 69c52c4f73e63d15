//! Starts of processes, and those that supervisord refuses.

use std::time::{Duration, Instant};

use litemap::LiteMap;
use superlance_core::listener::Ctx;
use superlance_core::supervisor::RpcError;
use superlance_core::system::log::LogOnce;

use crate::alerts;
use crate::level::Level;
use crate::program::names;
use crate::states::States;

/// Pause after the first refusal to start a process; doubled for each further one.
const RETRY: Duration = Duration::from_secs(1);

const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Processes that supervisord refuses to start, by `group:name`.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    refused: LiteMap<String, Refused>,
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

    /// Whether supervisord has refused to start a process.
    pub(crate) fn is_refused(&self, namespec: &str) -> bool {
        self.refused.contains_key(namespec)
    }

    pub(crate) fn refused(&self) -> impl Iterator<Item = &str> {
        self.refused.keys().map(String::as_str)
    }

    /// When the first of these processes is tried again.
    pub(crate) fn deadline<'a>(&self, ready: impl Iterator<Item = &'a str>) -> Option<Instant> {
        ready.filter_map(|namespec| self.refused.get(namespec)).map(|refused| refused.due).min()
    }

    /// Forgets those that have been started, by us or by an operator.
    pub(crate) fn settle(&mut self, states: &States, ctx: &mut Ctx<'_>) {
        self.refused.retain(|namespec, _| {
            let is_new = states.is_new(namespec);
            if !is_new {
                ctx.alerts.resolve(&alerts::refusal(namespec), &format!("{namespec} was started."));
            }
            is_new
        });
    }

    /// Starts a process of a program; `false` when supervisord refuses.
    ///
    /// # Errors
    /// When supervisord gives no answer, or ends.
    pub(crate) fn start(
        &mut self,
        program: &str,
        namespec: &str,
        level: Level,
        ctx: &mut Ctx<'_>,
    ) -> Result<bool, RpcError> {
        let Err(error) = ctx.supervisor.begin_start(namespec) else { return Ok(true) };
        if error.fault_code().is_none() || error.is_shutdown() {
            return Err(error);
        }
        // supervisord refuses as well what has started and ended at once, and tries again itself.
        if ctx.supervisor.info(namespec).is_ok_and(|info| info.start != 0) {
            return Ok(true);
        }
        let (group, process) = names(namespec);
        let text = format!("Error when starting service '{program}' (group: {group}): {error}");
        if !self.is_refused(namespec) {
            ctx.raise(alerts::refused(namespec, &text, ctx.now()));
        }
        let now = Instant::now();
        let refused = Refused { complaint: LogOnce::default(), due: now, pause: RETRY };
        let refused = self.refused.entry(namespec.to_owned()).or_insert(refused);
        if level.shows(Level::Warning) {
            refused.complaint.report_about(ctx.log.about(group, process, None), text);
        }
        refused.due = now + refused.pause;
        refused.pause = LONGEST_RETRY.min(refused.pause * 2);
        Ok(false)
    }
}
