//! The listener `crashmail`.

use superlance_core::listener::alert::{Alert, Recovers};
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::selection::Selection;
use superlance_core::listener::{Ctx, Filter, Listener};
use superlance_core::options::selector::Names;
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::system::clock::log_time;
use superlance_crash::postmortem::PostMortem;
use superlance_crash::trigger::{StateFilter, Trigger};

use crate::options::Options;

pub(crate) struct Crashmail {
    /// The changes of state to mail about.
    on: StateFilter,
    /// The processes to mail about.
    programs: Selection,
    optional_header: Option<String>,
    /// Whether there is a transport.
    told: bool,
    /// Whether one of them sends mails.
    mails: bool,
    /// Finds out why a process ended, with `--tail`.
    post_mortem: Option<PostMortem>,
}

impl Crashmail {
    pub(crate) fn new(options: Options, told: bool) -> Self {
        Self {
            on: options.on.on,
            post_mortem: options.tail.post_mortem(),
            programs: Selection::new("-p", if options.any { Vec::new() } else { options.programs }),
            told,
            mails: options.mail.address().is_some() || options.mail.sendmail.is_some(),
            // To Python, an empty text is as good as none.
            optional_header: options.optional_header.filter(|header| !header.is_empty()),
        }
    }

    fn report(&mut self, trigger: Trigger, change: &ProcessState, ctx: &mut Ctx<'_>) {
        let ProcessState { group, process, from_state, .. } = change;
        let log = ctx.log.about(group, process, change.pid);
        let sentence = trigger.sentence(change);
        let text = format!("Process {process} in group {group} {sentence} from state {from_state}");
        if !self.programs.contains(Names { group, process }) {
            log.line(format_args!("not mailed, since no -p selects it: {text}"));
            return self.programs.name_idle(ctx);
        }
        if !self.told {
            return log.line(format_args!("not mailed, since neither -m nor -s is given: {text}"));
        }
        // The blank before the name is the original's; people filter by the whole subject.
        let (headline, at) = (trigger.headline(), log_time(ctx.arrived.wall));
        let subject = format!(" {process} {headline} at {at}");
        let subject = match &self.optional_header {
            Some(header) => format!("{header}:{subject}"),
            None => subject,
        };
        let how = if self.mails { "mailing" } else { "telling" };
        match trigger {
            Trigger::Exited => log.line(format_args!("unexpected exit, {how}")),
            Trigger::Expected => log.line(format_args!("expected exit, {how}")),
            other => log.line(format_args!("state {}, {how}", other.state().name())),
        }
        let recovers = if trigger.is_trouble() { Recovers::WhenRunning } else { Recovers::Never };
        let alert = Alert::new("crashmail", trigger.name(), ctx.arrived.wall, subject, text)
            .recovers(recovers);
        let alert = alert.about(group, process, change.pid);
        let alert = match &mut self.post_mortem {
            Some(post_mortem) => post_mortem.gather(change, ctx).attach_to(alert),
            None => alert,
        };
        ctx.raise(alert);
    }
}

impl Listener for Crashmail {
    fn filter(&self) -> Filter {
        let on = self.on.clone();
        Box::new(move |frame| on.interest(frame))
    }

    fn introduction(&self) -> Introduction {
        let task = format!("watches {}", self.programs.describe());
        Introduction { task, events: self.on.events() }
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        if let Event::ProcessState(change) = event
            && let Some(trigger) = self.on.of(change)
        {
            self.report(trigger, change, ctx);
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
