//! The response to the checks of a tick: what is logged and told, decided and done.

mod follow;

use std::collections::BTreeSet;

use superlance_action::decide::rules::Rules;
use superlance_action::decide::tracker::Tracker;
use superlance_action::decide::{Situation, decide};
use superlance_action::report::Files;
use superlance_action::report::action_log::ActionLog;
use superlance_core::listener::Ctx;
use superlance_core::listener::alert::process_of_key;
use superlance_core::listener::blindness::Blindness;
use superlance_core::listener::restart::Restarts;
use superlance_core::supervisor::{RpcError, State};
use superlance_core::system::order;

use self::follow::Case;

use crate::act::Actor;
use crate::alerts::{AlertWriter, certificate_key, guarded, is_certificate};
use crate::certificates::{Certificates, News};
use crate::gcore::Gcore;
use crate::memory::Memory;
use crate::options::Options;
use crate::options::deciding::Deciding;
use crate::plan::Probed;
use crate::processes::{Listed, Processes};
use crate::reporter::Reporter;
use crate::round::{Judge, Judgement};
use crate::target::{Knowledge, Target};

/// Responds to checks.
#[derive(Debug)]
pub(crate) struct Responder {
    /// Whether each process has a check of its own (`--each`).
    pub(crate) each: bool,
    pub(crate) judge: Judge,
    pub(crate) rules: Rules,
    pub(crate) warn_after: Option<u32>,
    pub(crate) processes: Processes,
    pub(crate) actor: Actor,
    pub(crate) writer: AlertWriter,
    pub(crate) tracker: Tracker,
    pub(crate) memory: Memory,
    pub(crate) certificates: Option<Certificates>,
    pub(crate) reporter: Reporter,
}

impl Responder {
    pub(crate) fn new(options: Options, own_namespec: Option<String>, any_url: bool) -> Self {
        let rules = options.deciding.rules();
        let Deciding {
            action,
            dry_run,
            before,
            start,
            slow,
            fail_on,
            warn_after,
            status_file,
            metrics_file,
            ..
        } = options.deciding;
        let blindness = Blindness::new("httpok", options.name.as_deref(), !dry_run);
        let reporter = Reporter {
            listener: own_namespec.clone(),
            name: options.name.clone(),
            action: action.to_string(),
            dry_run,
            files: Files::new(status_file, metrics_file),
        };
        Self {
            each: options.checks.each,
            judge: Judge { slow, fail_on, any_url },
            rules,
            warn_after,
            actor: Actor {
                action,
                each: options.checks.each,
                start,
                gcore: Gcore::new(options.gcore, options.coredir),
                before: before.filter(|command| !command.trim().is_empty()),
                dry_run,
                restarts: Restarts::new(own_namespec.clone()),
                actions: ActionLog::default(),
            },
            processes: Processes::new(options.programs, options.any, own_namespec, blindness),
            writer: AlertWriter { name: options.name },
            tracker: Tracker::default(),
            memory: Memory::default(),
            certificates: options.checks.cert_days.map(Certificates::new),
            reporter,
        }
    }

    /// Responds to the checks of a tick: one round of them for all processes, or with `--each` one for each
    /// that runs of those `listed`. Otherwise supervisord is asked where it matters.
    pub(crate) fn respond(
        &mut self,
        mut rounds: Vec<Vec<Probed>>,
        listed: Option<Listed>,
        ctx: &mut Ctx<'_>,
    ) {
        rounds.iter_mut().flatten().for_each(|probed| self.judge.time(probed));
        let before = listed.unwrap_or_default();
        if self.each {
            self.memory.keep(&before.selected);
        }
        let targets = self.targets(&rounds, &before);
        self.note(&targets, ctx);
        self.look_at_certificates(&targets, ctx);
        let listed = if self.each {
            before
        } else if !self.rules.grace.is_zero() || rounds.iter().flatten().any(Probed::is_failed) {
            match self.processes.list(ctx) {
                Ok(listed) => listed,
                Err(error) => {
                    self.not_acting(&rounds, &error, ctx);
                    return self.report(&targets, Some(&error.to_string()), ctx);
                }
            }
        } else {
            self.processes.look_again(ctx);
            Listed::default()
        };
        let targets = self.targets(&rounds, &listed);
        self.decide_and_act(&targets, &listed, ctx);
        self.forget_others(&rounds, &listed, ctx);
        self.report(&targets, None, ctx);
        // A failure to ask supervisord was counted where it happened.
        if !self.processes.blindness.is_away() {
            let cannot_check = rounds.iter().flatten().any(|probed| probed.trouble().is_some());
            ctx.alerts.ticked(!cannot_check);
        }
    }

    /// An earlier listener may have checked other URLs, or other processes with `--each`.
    fn forget_others(&self, rounds: &[Vec<Probed>], listed: &Listed, ctx: &mut Ctx<'_>) {
        let general = [self.processes.key(), self.processes.blindness.key()];
        let is_asked = |key: &str| {
            let mut urls = rounds.iter().flatten().map(|probed| &*probed.url);
            urls.any(|url| key == url || key == certificate_key(url))
        };
        let is_its = |process: &str| {
            let mut selected = listed.selected.iter();
            selected.any(|(info, _)| info.has_namespec(process))
                || self.actor.restarts.owed().any(|owed| owed == process)
        };
        ctx.alerts.retain(&|key| {
            let process = process_of_key(key);
            general.iter().any(|general| general == key)
                || match self.each {
                    // The URLs of processes that do not run now are not known.
                    true => is_certificate(key) || process.is_some_and(is_its),
                    false => is_asked(key),
                }
        });
    }

    /// Writes the status and metrics files.
    fn report(&mut self, targets: &[Target<'_>], trouble: Option<&str>, ctx: &Ctx<'_>) {
        let memories = (&self.memory, &self.actor.actions);
        self.reporter.write(targets, trouble, memories, ctx);
    }

    /// Says in the files that there are no checks, and why if that is not as it should be.
    pub(crate) fn report_none(&mut self, why: Option<&str>, ctx: &Ctx<'_>) {
        self.report(&[], why, ctx);
    }

    /// The targets of a tick. With `--each` those that do not run and are to be started are among them.
    fn targets<'a>(&self, rounds: &'a [Vec<Probed>], listed: &'a Listed) -> Vec<Target<'a>> {
        let target = |round: &'a [Probed], processes| {
            let judgement = self.judge.judge(round);
            Target { each: self.each, round, judgement, processes }
        };
        if !self.each {
            return rounds.iter().map(|round| target(round, &*listed.selected)).collect();
        }
        let mut rounds = rounds.iter();
        let mut targets = Vec::new();
        for process in &listed.selected {
            let round = match process.0.state {
                State::Running => rounds.next().map(Vec::as_slice),
                state => self.actor.start.contains(&state).then_some(&[][..]),
            };
            targets.extend(round.map(|round| target(round, std::slice::from_ref(process))));
        }
        targets
    }

    /// Logs and tells what has recovered, and why checks could not be made.
    fn note(&mut self, targets: &[Target<'_>], ctx: &mut Ctx<'_>) {
        for (key, text) in self.memory.note(targets) {
            if self.memory.recover(&key) {
                ctx.log.line(&text);
            }
            resolve(&key, &text, ctx);
        }
        let troubles = || {
            targets.iter().flat_map(|target| {
                let round = target.round.iter();
                round.filter_map(move |probed| Some((probed.trouble()?, probed, target)))
            })
        };
        let reasons: BTreeSet<_> = order::gather(troubles().map(|(why, _, _)| why.to_owned()));
        for reason in self.memory.troubles.news(reasons) {
            ctx.log.line(&reason);
            let Some((why, probed, target)) = troubles().find(|(why, ..)| *why == reason) else {
                continue;
            };
            if !self.actor.dry_run {
                ctx.raise(self.writer.trouble(target, &probed.url, why, ctx.now()));
            }
        }
        let round = targets.iter().flat_map(|target| target.round);
        let notes = order::gather(round.filter_map(|probed| probed.outcome.note.clone()));
        self.memory.notes.news(notes).iter().for_each(|note| ctx.log.line(note));
        let is_good =
            |target: &Target<'_>| target.judgement == Judgement::Good && !target.round.is_empty();
        let is_over = !targets.is_empty() && targets.iter().all(is_good);
        if is_over && std::mem::take(&mut self.memory.guarded) {
            resolve(&self.processes.key(), "All checks are good again", ctx);
        }
    }

    /// Logs and tells which certificates expire soon.
    fn look_at_certificates(&mut self, targets: &[Target<'_>], ctx: &mut Ctx<'_>) {
        let (Some(certificates), now) = (&mut self.certificates, ctx.now()) else { return };
        for probed in targets.iter().flat_map(|target| target.round) {
            let end = probed.outcome.certificate_end;
            match end.and_then(|end| certificates.news(&probed.url, end, now)) {
                Some(News::Soon(text)) => {
                    ctx.log.line(&text);
                    if !self.actor.dry_run {
                        ctx.raise(self.writer.certificate(&probed.url, text, now));
                    }
                }
                Some(News::Renewed(text)) => {
                    ctx.log.line(&text);
                    resolve(&certificate_key(&probed.url), &text, ctx);
                }
                None => {}
            }
        }
    }

    /// supervisord does not list its processes.
    fn not_acting(&mut self, rounds: &[Vec<Probed>], error: &RpcError, ctx: &mut Ctx<'_>) {
        let failed: Vec<_> = rounds.iter().flatten().filter_map(Probed::failed).collect();
        if failed.is_empty() {
            return self.processes.blindness.unanswered(error, ctx);
        }
        failed.iter().for_each(|failed| ctx.log.line(&failed.text));
        ctx.log.line(format_args!("Exception retrieving process info {error}, not acting"));
        self.processes.blindness.not_acting(error, ctx);
    }

    fn decide_and_act(&mut self, targets: &[Target<'_>], listed: &Listed, ctx: &mut Ctx<'_>) {
        if self.reporter.files.are_wanted() {
            listed.selected.iter().for_each(|(info, _)| self.actor.expect(info));
        }
        let owed: Vec<String> = self.actor.restarts.owed().map(str::to_owned).collect();
        let now = ctx.arrived.instant;
        let (tracker, start) = (&self.tracker, &*self.actor.start);
        let knowledge = Knowledge { now, tracker, start, owed: &owed };
        let checks: Vec<_> = targets.iter().map(|target| target.checked(knowledge)).collect();
        let down = listed.down(&owed);
        let selected = listed.selected.len();
        let not_running = selected - listed.running().count();
        let situation = Situation { now, checks: &checks, down: &down, selected, not_running };
        let decisions = decide(&self.rules, &mut self.tracker, &situation);
        let cases = targets.iter().zip(&checks).zip(&decisions.rulings);
        for ((target, checked), ruling) in cases {
            self.follow(Case { target, checked, ruling }, listed, ctx);
        }
        if let Some(unavailable) = decisions.guarded {
            self.guard(unavailable, selected, ctx);
        }
    }

    fn guard(&mut self, unavailable: usize, selected: usize, ctx: &mut Ctx<'_>) {
        let text = guarded(unavailable, selected, self.rules.max_unavailable);
        ctx.log.line(&text);
        if !std::mem::replace(&mut self.memory.guarded, true) && !self.actor.dry_run {
            ctx.raise(self.writer.all_failing(&self.processes.key(), text, ctx.now()));
        }
    }
}

fn resolve(key: &str, text: &str, ctx: &mut Ctx<'_>) {
    if ctx.alerts.is_unresolved(key) {
        ctx.alerts.resolve(key, &format!("{text}."));
    }
}
