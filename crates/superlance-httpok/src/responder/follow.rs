//! What follows from the decision about one target.

use std::collections::HashMap;
use std::time::Duration;

use superlance_action::decide::rules::SkipReason;
use superlance_action::decide::{Checked, Ruling, Standing, Step};
use superlance_action::instance::Instance;
use superlance_core::listener::Ctx;
use superlance_core::listener::alert::Alert;
use superlance_core::options::units::duration_text;
use superlance_core::supervisor::{ProcessInfo, State};

use super::Responder;
use crate::processes::Listed;
use crate::report::{Failure, Report};
use crate::round::{Culprit, Judgement};
use crate::target::Target;

/// A target, and what is decided about it.
pub(super) struct Case<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) checked: &'a Checked<'a>,
    pub(super) ruling: &'a Ruling,
}

impl Case<'_> {
    /// What is decided about each process, by `group:name`.
    fn steps(&self) -> HashMap<String, Step> {
        let steps = self.checked.candidates.iter().zip(&self.ruling.steps);
        steps.filter_map(|(one, step)| Some((one.process.namespec(), (*step)?))).collect()
    }

    /// The alert with its process, if there is one.
    fn about(&self, alert: Alert) -> Alert {
        match self.target.processes {
            [(info, _)] => alert.about(&info.group, &info.name, None),
            _ => alert,
        }
    }
}

impl Responder {
    pub(super) fn follow(&mut self, case: Case<'_>, listed: &Listed, ctx: &mut Ctx<'_>) {
        let mut report = Report::new(ctx.log);
        match (&case.target.judgement, case.target.own()) {
            // One that is owed a start needs no other.
            _ if case.target.round.is_empty() && case.checked.candidates.is_empty() => {}
            (_, Some(process)) if case.target.round.is_empty() => {
                let failure = self.writer.not_running(case.target, process);
                self.act(&case, &failure, report, listed, ctx);
            }
            (Judgement::Failed(culprit), _) => {
                report.write(culprit.failed.text.clone());
                let failure = self.writer.failure(case.target, culprit);
                match case.ruling.standing {
                    Standing::Quiet => {}
                    Standing::Excused => self.spare(&case, &mut report),
                    Standing::Waiting { failures } => {
                        self.wait(&case, culprit, &failure, failures, report, ctx);
                    }
                    Standing::Due { .. } => self.act(&case, &failure, report, listed, ctx),
                }
            }
            (Judgement::Uncounted(culprit), _) => self.uncounted(&case, culprit, report, ctx),
            (Judgement::Good | Judgement::Unknown, _) => {}
        }
    }

    /// Says why nothing is done about the processes of a check that does not count.
    fn spare(&self, case: &Case<'_>, report: &mut Report<'_>) {
        let steps = case.steps();
        for (info, _) in case.target.processes {
            if let Some(Step::Spare(why)) = steps.get(&info.namespec()) {
                self.spare_one(info, *why, report);
            }
        }
    }

    fn wait(
        &mut self,
        case: &Case<'_>,
        culprit: &Culprit<'_>,
        failure: &Failure,
        failures: u32,
        mut report: Report<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let why = SkipReason::Waiting { checks: failures }.explain(&self.rules);
        report.write(format!("{} failed, {why}", culprit.url));
        let health = self.memory.of(&case.target.key());
        let is_time = self.warn_after.is_some_and(|after| failures >= after) && !health.warned;
        if is_time && !self.actor.dry_run {
            health.warned = true;
            ctx.raise(case.about(failure.alert("failing", report.text(), ctx.now())));
        }
    }

    /// A failure that does not count is told once, when it would have been time to act.
    fn uncounted(
        &mut self,
        case: &Case<'_>,
        culprit: &Culprit<'_>,
        mut report: Report<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        let class = culprit.failed.class.name();
        report.write(culprit.failed.text.clone());
        report.write(format!("A failure of the class {class} does not count (--fail-on)"));
        if case.checked.is_excused(&self.rules, &self.tracker) || self.actor.dry_run {
            return;
        }
        let row = &mut self.memory.of(&case.target.key()).uncounted;
        let is_due = row.fail(self.rules.threshold) >= self.rules.threshold.failures;
        if is_due && !row.is_told() {
            row.clear(true);
            let failure = self.writer.failure(case.target, culprit);
            ctx.raise(case.about(report.alert(&failure, ctx.now())));
        }
    }

    /// Acts on the processes of a check that has failed often enough, and tells about it.
    fn act(
        &mut self,
        case: &Case<'_>,
        failure: &Failure,
        mut report: Report<'_>,
        listed: &Listed,
        ctx: &mut Ctx<'_>,
    ) {
        let steps = case.steps();
        let acts = steps.values().any(|step| *step == Step::Act);
        // That all are spared is no news, nor is that what was stopped does not answer.
        let is_idle_again = self.actor.stops() && self.memory.of(&case.target.key()).told;
        let is_news = acts || steps.is_empty() && !is_idle_again;
        if !self.each && is_news {
            report.write(self.actor.action.doing(&self.processes.quote(), self.actor.dry_run));
        }
        for (info, process) in case.target.processes {
            match steps.get(&info.namespec()) {
                Some(Step::Act) => self.actor.act(info, failure, &mut report, ctx),
                Some(Step::Spare(why)) => self.spare_one(info, *why, &mut report),
                Some(Step::GiveUp { rest }) => {
                    self.give_up(case, (info, process), failure, *rest, &mut report, ctx);
                }
                None if info.state != State::Running && !self.each => {
                    let (name, doing) = (info.short_name(), self.actor.doing());
                    report.write_about(info, format!("{name} not in RUNNING state, NOT {doing}"));
                }
                None => {}
            }
        }
        if let (false, Some(unknown)) = (self.each, self.processes.unknown(&listed.all)) {
            report.write(format!("Programs not restarted because they did not exist: {unknown}"));
        }
        if is_news && !report.is_shutdown() && !self.actor.dry_run {
            ctx.raise(case.about(report.alert(failure, ctx.now())));
        }
        let health = self.memory.of(&case.target.key());
        health.told |= is_news;
        health.warned &= !acts;
    }

    /// Says why nothing is done about a process. That all are guarded is said once for all.
    fn spare_one(&self, info: &ProcessInfo, why: SkipReason, report: &mut Report<'_>) {
        if why != SkipReason::Guarded {
            let (name, state) = (info.short_name(), info.state.name());
            let why = why.explain(&self.rules);
            report.write_about(info, format!("{name} is in {state} state, {why}"));
        }
    }

    /// Says that enough was done about a process, and tells it once until its check is good.
    fn give_up(
        &mut self,
        case: &Case<'_>,
        (info, process): (&ProcessInfo, &Instance),
        failure: &Failure,
        rest: Duration,
        report: &mut Report<'_>,
        ctx: &mut Ctx<'_>,
    ) {
        report.write_about(
            info,
            format!(
                "{} is left alone for {}: enough was done about it (--max-restarts)",
                info.short_name(),
                duration_text(rest)
            ),
        );
        self.actor.left_alone(process, failure, ctx);
        let health = self.memory.of(&case.target.key());
        if health.left_alone.insert(info.namespec()) && !self.actor.dry_run {
            let done = self.actor.done(info.state);
            let (spent, why) = ((done, self.rules.budget, rest), report.text());
            ctx.raise(self.writer.left_alone(info, failure, spent, &why, ctx.now()));
        }
    }
}
