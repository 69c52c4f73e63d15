//! What a batch tool does about events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Tool;
use super::choice::Choice;
use super::message_id;
use super::options::Options;
use super::pending::{Batch, Due, Entry};
use crate::postmortem::PostMortem;
use superlance_alerts::prefixed;
use superlance_core::listener::alert::Alert;
use superlance_core::listener::{Ctx, Filter, Interest, Listener};
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::mail::smtp::{Message, Post};
use superlance_core::protocol::event::{Event, ProcessState};
use superlance_core::spool::journal::Journal;
use superlance_core::system::host_name;
use superlance_core::system::log::Log;

/// Characters of a mail's text that are logged when it is sent.
const DIGEST: usize = 76;

/// Intervals without a tick before that is remarked upon.
const PATIENCE: f64 = 3.0;

/// Bytes of logs in a batch, beyond which lines go without: servers refuse mails that are too long.
const MOST_LOGS: usize = 256 << 10;
/// Stands among the recipients for all ways out but mail. It is no address.
const OTHERS: &str = "";

/// The listener.
pub(super) struct BatchListener {
    tool: &'static Tool,
    options: Options,
    choice: Choice,
    /// What finds out why a process ended, if that is wanted.
    post_mortem: Option<PostMortem>,
    /// Bytes of logs in the batch.
    logs: usize,
    subject: Option<String>,
    batch: Batch,
    post: Box<dyn Post>,
    id_prefix: String,
    /// The batch on disk.
    journal: Journal,
    /// When the first line that waits, or the last tick, came: the patience is counted from there.
    waiting_since: Option<Instant>,
    /// Whether a missing tick was remarked upon.
    remarked: bool,
}

impl BatchListener {
    pub(super) fn new(
        tool: &'static Tool,
        options: Options,
        choice: Choice,
        post: Box<dyn Post>,
        id_prefix: String,
    ) -> Self {
        let subject = options.subject.clone().or(tool.subject.map(str::to_owned));
        let mut recipients = options.to().to_vec();
        recipients.extend(options.alerts.tells_others().then(|| OTHERS.to_owned()));
        let batch = Batch::new(options.interval, options.tick.minutes, &recipients);
        let post_mortem = choice.tail.post_mortem();
        Self {
            tool,
            options,
            choice,
            post_mortem,
            logs: 0,
            subject,
            batch,
            post,
            id_prefix,
            journal: Journal::default(),
            waiting_since: None,
            remarked: false,
        }
    }

    /// Takes note of a change of state: a line, and what there is to be said below it.
    fn add(&mut self, change: &ProcessState, ctx: &mut Ctx<'_>) {
        let event = ctx.event_id();
        if self.batch.has(event.as_deref()) {
            return;
        }
        let line = (self.tool.line)(change, ctx.arrived.wall);
        if !self.choice.selects(change) {
            let reason = "not mailed, since no --program selects it";
            return ctx.log.line(format_args!("{reason}: {line}"));
        }
        ctx.log.line(&line);
        if self.batch.is_empty() {
            self.waiting_since = Some(ctx.arrived.instant);
            self.logs = 0;
        }
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
        let text = line + &findings.block();
        self.batch.add(text.clone(), event.clone());
        self.journal.add(&Entry::Line { text, event });
        if self.journal.needs_rewriting() {
            self.write_journal();
        }
    }

    /// From now on, what waits is kept on disk. What an earlier listener kept there waits, too.
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

    /// Sends what is due. `true` if someone got something.
    fn flush(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let mails = self.batch.due();
        let unsent = |mail: &Due| ctx.unfinished.begin(not_mailed(mail, "in time"));
        let mut entries: Vec<_> = mails.iter().map(unsent).collect();
        let mut progress = false;
        for mail in &mails {
            for doubt in self.batch.in_doubt(mail) {
                self.journal.add(&doubt);
            }
            let outcomes = self.deliver(mail, ctx);
            self.batch.settle(mail, &outcomes);
            self.write_journal();
            progress |= outcomes.contains(&DeliveryOutcome::Delivered);
            entries.drain(..1);
        }
        progress
    }

    /// An outcome for each recipient. What is raised for the others is in the hands of the pipeline.
    fn deliver(&self, mail: &Due, ctx: &mut Ctx<'_>) -> Vec<DeliveryOutcome> {
        if mail.recipients.iter().any(|recipient| recipient == OTHERS) {
            ctx.raise(self.digest(mail, ctx));
        }
        let recipients = addresses(mail);
        let mut outcomes = Vec::new().into_iter();
        if !recipients.is_empty() {
            let message = self.message(mail, recipients, ctx);
            let posted = self.post.send(&message).into_iter();
            let posted: Vec<_> = posted.map(|outcome| outcome.at(&self.options.server())).collect();
            self.report(&message, mail, &posted, ctx.log);
            outcomes = posted.into_iter();
        }
        let mut outcome = |recipient: &String| match recipient.as_str() {
            OTHERS => Some(DeliveryOutcome::Delivered),
            _ => outcomes.next(),
        };
        mail.recipients.iter().filter_map(&mut outcome).collect()
    }

    /// The same as an alert.
    fn digest(&self, mail: &Due, ctx: &Ctx<'_>) -> Alert {
        let name = self.tool.name;
        let subject = self.subject.clone().filter(|subject| !subject.is_empty());
        let subject = subject.unwrap_or_else(|| name.to_owned());
        let text = (self.tool.text)(&mail.lines, mail.dropped);
        Alert::new(name, "digest", ctx.now(), subject, text).measuring("lines", mail.lines.len())
    }

    fn message(&self, mail: &Due, recipients: Vec<String>, ctx: &Ctx<'_>) -> Message {
        let host = self.options.alerts.hostname.then(host_name);
        let subject = match (host, self.subject.clone()) {
            (Some(host), Some(subject)) => Some(prefixed(&host, &subject)),
            (host, subject) => subject.or(host),
        };
        Message {
            from: self.options.from.clone().unwrap_or_default(),
            to: self.options.to().to_vec(),
            recipients,
            subject,
            text: (self.tool.text)(&mail.lines, mail.dropped),
            id: message_id(&self.id_prefix, &mail.range),
            date: ctx.now(),
            as_mime_text: true,
        }
    }

    fn report(&self, message: &Message, mail: &Due, outcomes: &[DeliveryOutcome], log: &Log) {
        let mut delivered = Vec::new();
        let mut troubles: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (address, outcome) in message.recipients.iter().zip(outcomes) {
            let trouble = match outcome {
                DeliveryOutcome::Delivered => {
                    delivered.push(address.as_str());
                    continue;
                }
                DeliveryOutcome::Rejected(reason) => format!("{reason}; not tried again for"),
                DeliveryOutcome::Retry(reason) | DeliveryOutcome::RetryAfter(reason, _) => {
                    format!("{reason}; kept, and tried again later for")
                }
                DeliveryOutcome::Unknown(reason) => {
                    format!("{reason}; it may have arrived, and is tried again for")
                }
            };
            troubles.entry(trouble).or_default().push(address);
        }
        for (trouble, addresses) in troubles {
            log.line(format_args!("Error sending email: {trouble} {}", addresses.join(", ")));
        }
        if outcomes.iter().all(|outcome| matches!(outcome, DeliveryOutcome::Rejected(_))) {
            log.line(not_mailed(mail, "to anyone"));
        }
        if !delivered.is_empty() {
            log.line(format_args!(
                "Sending notification email:\nTo: {}\nFrom: {}\nSubject: {}\nBody:\n{}",
                delivered.join(", "),
                message.from,
                // Python's word for no subject.
                message.subject.as_deref().unwrap_or("None"),
                digest(&message.text),
            ));
        }
    }

    fn patience(&self) -> Duration {
        let minutes = PATIENCE * self.options.interval.max(self.options.tick.minutes);
        Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(Duration::MAX)
    }
}

impl Listener for BatchListener {
    fn filter(&self) -> Filter {
        let (on, tick) = (self.choice.on.clone(), self.options.tick.event.clone());
        Box::new(move |frame| match frame.name == tick {
            // Every one, since time is counted by them.
            true => Interest::Every,
            false => on.interest(frame),
        })
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        match event {
            Event::Tick { .. } => {
                self.waiting_since = Some(ctx.arrived.instant);
                self.remarked = false;
                if self.batch.tick() {
                    self.flush(ctx);
                }
            }
            Event::ProcessState(change) => self.add(change, ctx),
            Event::Other { .. } => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let waits = !self.batch.is_empty() && !self.remarked;
        self.waiting_since.filter(|_| waits)?.checked_add(self.patience())
    }

    fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        self.remarked = true;
        ctx.log.line(format_args!(
            "{}: lines wait to be mailed, and no {event} event comes: does the events= line of the \
             configuration lack {event}?",
            self.tool.name,
            event = self.options.tick.event
        ));
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>) {
        // Whoever got one mail may lack another.
        while self.flush(ctx) && !self.batch.is_empty() {}
        let kept = self.journal.is_complete();
        for mail in self.batch.due() {
            if kept {
                let count = mail.lines.len();
                let recipients = mail.recipients.join(", ");
                ctx.log.line(format_args!(
                    "Kept until the next start for {recipients}: {count} lines"
                ));
            } else {
                ctx.log.line(not_mailed(&mail, "before the end"));
            }
        }
        // Nothing is owed any more.
        self.remarked = true;
    }
}

/// Whom a mail goes to.
fn addresses(mail: &Due) -> Vec<String> {
    mail.recipients.iter().filter(|recipient| *recipient != OTHERS).cloned().collect()
}

/// What the log says of a mail that did not reach its recipients: all of it.
fn not_mailed(mail: &Due, when: &str) -> String {
    format!(
        "Not mailed {when} (recipients: {}):\n{}",
        addresses(mail).join(", "),
        super::plain_text(&mail.lines, mail.dropped)
    )
}

/// The beginning of a text, as the original logs it.
fn digest(text: &str) -> String {
    match text.char_indices().nth(DIGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
