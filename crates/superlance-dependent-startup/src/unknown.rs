//! Processes of the configuration that supervisord does not have.

use std::time::{Duration, Instant};

use superlance_core::listener::Ctx;

use crate::alerts;
use crate::level::Level;

/// Pause between looks for them. `supervisorctl update` adds a listener before the programs that it is
/// to start, and no event tells of a program that was added.
const PAUSE: Duration = Duration::from_secs(1);

/// Time after which they are told of. From then on this is the pause.
const LONG: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Unknown {
    since: Option<Instant>,
    due: Option<Instant>,
    said: Option<String>,
}

impl Unknown {
    /// When to look for them next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Says which there are, once until they are others.
    pub(crate) fn report(
        &mut self,
        processes: &[&str],
        file: &str,
        level: Level,
        now: Instant,
        ctx: &mut Ctx<'_>,
    ) {
        if processes.is_empty() {
            if self.said.is_some() {
                let text = "supervisord has all processes of the configuration.";
                ctx.alerts.resolve(alerts::UNKNOWN, text);
            }
            *self = Self::default();
            return;
        }
        let since = *self.since.get_or_insert(now);
        let is_long = now.saturating_duration_since(since) >= LONG;
        self.due = Some(now + if is_long { LONG } else { PAUSE });
        let text = format!("supervisord does not have {}, which {file} has", processes.join(", "));
        if is_long && self.said.as_ref() != Some(&text) {
            let what = "run supervisorctl update, or name the configuration of supervisord with -c";
            level.say(Level::Warning, ctx.log, &format!("{text}: {what}"));
            ctx.raise(alerts::unknown(&text, what, ctx.now()));
            self.said = Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use superlance_core::testing::{RESOLVED, ScriptedSupervisor, World};

    use super::*;

    #[test]
    fn they_are_told_of_once_when_they_stay_unknown() {
        let (mut unknown, start) = (Unknown::default(), Instant::now());
        let mut world = World::new(ScriptedSupervisor::at(1000));
        let mut report = |processes: &[&str], seconds: u64, world: &mut World| {
            let now = start + Duration::from_secs(seconds);
            world.with_ctx(|ctx| unknown.report(processes, "/s.conf", Level::Info, now, ctx));
            (unknown.deadline().map(|due| due - now), world.log().lines().count())
        };
        let both = ["a:a", "b:b"];
        assert_eq!(report(&both, 0, &mut world), (Some(PAUSE), 0));
        assert_eq!(report(&both, 9, &mut world), (Some(PAUSE), 0));
        assert_eq!(report(&both, 10, &mut world), (Some(LONG), 1));
        assert_eq!(report(&both, 20, &mut world), (Some(LONG), 1));
        assert_eq!(report(&["b:b"], 30, &mut world), (Some(LONG), 2));
        assert_eq!(report(&[], 40, &mut world), (None, 2));
        let said = "supervisord does not have a:a, b:b, which /s.conf has: run supervisorctl update, \
                    or name the configuration of supervisord with -c\n";
        assert!(world.log().starts_with(said), "{}", world.log());
        let kinds: Vec<_> = world.alerts.iter().map(|alert| alert.kind.as_str()).collect();
        assert_eq!(kinds, ["misconfigured", "misconfigured", RESOLVED]);
    }
}
