//! What crashmail does when a process exits.

use superlance_core::alert::Alert;
use superlance_core::clock::log_time;
use superlance_core::event::{Event, ProcessState};
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::selector::{Names, Selector};

use crate::options::Options;

/// The listener.
pub(crate) struct Crashmail {
    /// Whose exits are mailed about; empty for everybody's.
    programs: Vec<Selector>,
    optional_header: Option<String>,
    /// Whether anybody is told.
    told: bool,
    /// Whether that is done by mail.
    mails: bool,
}

impl Crashmail {
    pub(crate) fn new(options: Options, told: bool) -> Self {
        Self {
            programs: if options.any { Vec::new() } else { options.programs },
            told,
            mails: options.mail.address().is_some(),
            // To Python, an empty text is as good as none.
            optional_header: options.optional_header.filter(|header| !header.is_empty()),
        }
    }

    fn selects(&self, change: &ProcessState) -> bool {
        let names = Names { group: &change.group, process: &change.process };
        self.programs.is_empty() || self.programs.iter().any(|program| program.matches(names))
    }

    fn report(&self, change: &ProcessState, ctx: &mut Ctx<'_>) {
        let ProcessState { group, process, from_state, .. } = change;
        let pid = change.pid_text();
        let text = format!(
            "Process {process} in group {group} exited unexpectedly (pid {pid}) from state \
             {from_state}"
        );
        if !self.selects(change) {
            return ctx.log.line(format_args!("not mailed, since no -p selects it: {text}"));
        }
        if !self.told {
            return ctx.log.line(format_args!("not mailed, since -m is not given: {text}"));
        }
        // The blank before the name is the original's; people filter by the whole subject.
        let subject = format!(" {process} crashed at {}", log_time(ctx.arrived.wall));
        let subject = match &self.optional_header {
            Some(header) => format!("{header}:{subject}"),
            None => subject,
        };
        let how = if self.mails { "mailing" } else { "telling" };
        ctx.log.line(format_args!("unexpected exit, {how}"));
        let alert = Alert::new("crashmail", "exited", ctx.arrived.wall, subject, text);
        ctx.alerts.raise(alert.about(group, process, pid.parse().ok()));
    }
}

impl Listener for Crashmail {
    fn filter(&self) -> Filter {
        Box::new(|frame| match frame.name.as_str() {
            "PROCESS_STATE_EXITED" => Interest::in_change(frame, ProcessState::is_unexpected_exit),
            _ => Interest::Nothing,
        })
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        if let Event::ProcessState(change) = event {
            self.report(change, ctx);
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
