//! The listener of the batch tools.

use std::time::{Duration, Instant};

use super::Tool;
use super::choice::Choice;
use super::options::{Options, Tick};
use super::pending::{Batch, Due, Entry};
use crate::postmortem::PostMortem;
use superlance_core::listener::alert::Alert;
use superlance_core::listener::introduction::Introduction;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::spool::journal::Journal;
use superlance_core::system::clock::log_time;
use superlance_core::system::log::Log;

/// Intervals without a tick before the log mentions it.
const PATIENCE: u32 = 3;

/// Bytes of logs in a batch. Further lines go without logs, since servers refuse mails that are too
/// long.
const MOST_LOGS: usize = 256 << 10;

pub(super) struct BatchListener {
    tool: &'static Tool,
    tick: Tick,
    /// Time between mails where no tick measures it.
    interval: Duration,
    choice: Choice,
    /// Finds out why a process ended, with `--tail`.
    post_mortem: Option<PostMortem>,
    /// Bytes of logs in the batch.
    logs: usize,
    /// Empty for none.
    subject: String,
    batch: Batch,
    id_prefix: String,
    /// The batch on disk.
    journal: Journal,
    /// The time of the first waiting line or of the last tick: time without ticks counts from
    /// there.
    waiting_since: Option<Instant>,
    /// Whether ticks are missing, so that our own clock says when a mail is due.
    by_clock: bool,
}

impl BatchListener {
    pub(super) fn new(
        tool: &'static Tool,
        options: &Options,
        choice: Choice,
        subject: String,
        id_prefix: String,
    ) -> Self {
        let minutes = options.interval.max(options.tick.minutes);
        Self {
            tool,
            tick: options.tick.clone(),
            interval: Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(Duration::MAX),
            post_mortem: choice.tail.post_mortem(),
            choice,
            logs: 0,
            subject,
            batch: Batch::new(options.interval, options.tick.minutes),
            id_prefix,
            journal: Journal::default(),
            waiting_since: None,
            by_clock: false,
        }
    }

    /// Adds a line about a change of state, and what there is to say below it.
    fn add(&mut self, change: &ProcessState, ctx: &mut Ctx<'_>) {
        let event = ctx.event_id();
        if self.batch.has(event.as_deref()) {
            return;
        }
        let line = (self.tool.line)(change, ctx.arrived.wall);
        let log = ctx.log.about(&change.group, &change.process, change.pid);
        if !self.choice.selects(change) {
            let reason = "not mailed, since no --program selects it";
            log.line(format_args!("{reason}: {line}"));
            return self.choice.programs.name_idle(ctx);
        }
        log.line(&line);
        self.wait_from(ctx);
        let mut findings = self
            .post_mortem
            .as_mut()
            .map(|post_mortem| post_mortem.gather(change, ctx))
            .unwrap_or_default();
        let logs = findings.logs.iter().map(|log| log.text.len()).sum::<usize>();
        if self.logs + logs > MOST_LOGS {
            findings.leave_out("this mail has many already");
        } else {
            self.logs += logs;
        }
        self.collect(line + &findings.block(), event);
    }

    /// A line is about to wait.
    fn wait_from(&mut self, ctx: &Ctx<'_>) {
        if self.batch.is_empty() {
            self.waiting_since = Some(ctx.arrived.instant);
            self.logs = 0;
        }
    }

    fn collect(&mut self, text: String, event: Option<String>) {
        self.batch.add(text.clone(), event.clone());
        self.journal.add(&Entry::Line { text, event });
        if self.journal.needs_rewriting() {
            self.write_journal();
        }
    }

    /// Opens the journal: from now on the batch is kept on disk, together with lines that an
    /// earlier listener left.
    pub(super) fn keep(&mut self, (journal, entries): (Journal, Vec<Entry>), log: &Log) {
        self.journal = journal;
        if let Some(prefix) = self.batch.restore(entries) {
            self.id_prefix = prefix;
        }
        if !self.batch.is_empty() {
            self.waiting_since = Some(Instant::now());
            let name = self.tool.name;
            log.line(format_args!("{name}: lines wait that were not mailed before the last end"));
        }
        self.write_journal();
    }

    fn write_journal(&mut self) {
        self.journal.rewrite(self.batch.entries(&self.id_prefix));
    }

    /// Raises all waiting lines as one alert. The alert is in the spool before the lines are
    /// removed; after a kill in between, the next listener raises the same alert.
    fn flush(&mut self, remark: Option<&str>, ctx: &mut Ctx<'_>) {
        let Some(mail) = self.batch.due() else { return };
        self.journal.add(&Entry::Raised(mail.range.end));
        ctx.raise(self.alert(&mail, remark, ctx));
        self.batch.settle(&mail);
        self.write_journal();
    }

    fn alert(&self, mail: &Due, remark: Option<&str>, ctx: &Ctx<'_>) -> Alert {
        let Due { range, dropped, lines } = mail;
        let mut text = (self.tool.text)(lines, *dropped);
        if let Some(remark) = remark.filter(|_| self.tool.remarks) {
            text.push_str(&format!("\n\n({remark})"));
        }
        let mut alert = Alert::new(self.tool.name, "digest", ctx.now(), self.subject.clone(), text);
        // The same id for the same lines, in every listener that raises them.
        alert.id = format!("{}.{}-{}", self.id_prefix, range.start, range.end);
        alert.measuring("lines", lines.len())
    }
}

impl Listener for BatchListener {
    fn filter(&self) -> Filter {
        let (on, tick) = (self.choice.on.clone(), self.tick.event.clone());
        Box::new(move |frame| match frame.name == tick {
            // All ticks, since they measure the time.
            true => Interest::Every,
            false => on.interest(frame),
        })
    }

    fn introduction(&self) -> Introduction {
        let task = format!("watches {}", self.choice.programs.describe());
        let mut events = self.choice.on.events();
        events.push(self.tick.event.clone());
        Introduction { task, events }
    }

    /// Mails about them with the next batch.
    fn events_lost(&mut self, alert: Alert, ctx: &mut Ctx<'_>) {
        let line = format!("{} -- {}", log_time(ctx.arrived.wall), alert.text);
        self.wait_from(ctx);
        self.collect(line, None);
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        match event {
            Event::Tick { .. } => {
                self.waiting_since = Some(ctx.arrived.instant);
                self.by_clock = false;
                if self.batch.tick() {
                    self.flush(None, ctx);
                }
                ctx.alerts.ticked(true);
            }
            Event::ProcessState(change) => self.add(change, ctx),
            Event::Other { .. } => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let since = self.waiting_since.filter(|_| !self.batch.is_empty())?;
        match self.by_clock {
            _ if self.batch.is_interrupted() => Some(since),
            true => since.checked_add(self.interval),
            false => since.checked_add(self.interval.saturating_mul(PATIENCE)),
        }
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        if self.by_clock || self.batch.is_interrupted() {
            return self.flush(None, ctx);
        }
        self.by_clock = true;
        let remark = format!(
            "{}: lines wait to be mailed, and no {event} event comes: does the events= line of the \
             configuration lack {event}?",
            self.tool.name,
            event = self.tick.event
        );
        ctx.log.line(&remark);
        self.flush(Some(&remark), ctx);
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>) {
        while !self.batch.is_empty() {
            self.flush(None, ctx);
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
