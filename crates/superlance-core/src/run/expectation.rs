//! The check that events come which the listener can use. A wrong section or `events=` shows in no
//! other way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::listener::introduction::Introduction;
use crate::system::log::Log;
use crate::system::order;

/// Events of no use after which that is said.
const SEVERAL: usize = 3;

/// How long a listener that needs ticks waits for the first before it asks. Most are of a minute.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3 * 60);

/// The expected events. The reader reports arrivals, the worker the end of the time.
pub(crate) struct Expectation {
    name: &'static str,
    introduction: Introduction,
    log: Arc<Log>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The names of the events so far.
    others: Vec<String>,
    /// When it is remarked that nothing came; `None` when nothing is to be remarked any more.
    patience_ends: Option<Instant>,
    /// The expected events came, or their absence was logged.
    settled: bool,
}

impl Expectation {
    /// Expects an event that this listener can use, and if it needs ticks, within this time.
    pub(crate) fn new(
        name: &'static str,
        introduction: Introduction,
        patience: Duration,
        log: Arc<Log>,
    ) -> Self {
        let patience_ends = introduction.needs_only_ticks().then(|| Instant::now() + patience);
        let state = Mutex::new(State { patience_ends, ..State::default() });
        Self { name, introduction, log, state }
    }

    /// An event came.
    pub(crate) fn note(&self, event: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.settled {
            return;
        }
        if self.introduction.is_met_by(event) {
            *state = State { settled: true, ..State::default() };
            return;
        }
        state.others.push(event.to_owned());
        if state.others.len() >= SEVERAL {
            let State { mut others, .. } =
                std::mem::replace(&mut *state, State { settled: true, ..State::default() });
            order::sort(&mut others);
            others.dedup();
            let is = if self.introduction.events.len() > 1 { "are" } else { "is" };
            self.log.line(format_args!(
                "{}: three events have come ({}), and none that it can use: {is} {} in its events=? \
                 (SL201)",
                self.name,
                others.join(", "),
                self.introduction.events.join(" and "),
            ));
        }
    }

    /// When [`on_time`](Self::on_time) is due, if it is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).patience_ends
    }

    /// Asks about ticks if it is time.
    pub(crate) fn on_time(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.patience_ends.take_if(|ends| *ends <= now).is_some() {
            self.log.line(format_args!(
                "{name}: no tick has come for three minutes: is this an [eventlistener:{name}] \
                 section with a TICK in its events=? (SL201, SL210)",
                name = self.name
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    fn expecting(events: &[&str]) -> (Expectation, Recorder) {
        let (events, recorder) =
            (events.iter().map(ToString::to_string).collect(), Recorder::default());
        let introduction = Introduction { task: String::new(), events };
        let log = Arc::new(Log::new(recorder.clone()));
        (Expectation::new("memmon", introduction, PATIENCE, log), recorder)
    }

    #[test]
    fn events_of_no_use_are_named_once() {
        let (expectation, log) = expecting(&["TICK"]);
        for event in ["PROCESS_STATE_STARTING", "REMOTE_COMMUNICATION", "PROCESS_STATE_STARTING"] {
            assert_eq!(log.text(), "");
            expectation.note(event);
        }
        let said = "memmon: three events have come (PROCESS_STATE_STARTING, REMOTE_COMMUNICATION), \
                    and none that it can use: is TICK in its events=? (SL201)\n";
        assert_eq!(log.text(), said);
        (0..9).for_each(|_| expectation.note("REMOTE_COMMUNICATION"));
        assert_eq!((log.text().as_str(), expectation.deadline()), (said, None));
    }

    #[test]
    fn one_of_use_is_enough() {
        let (expectation, log) = expecting(&["PROCESS_STATE_FATAL", "TICK_60"]);
        for event in
            ["PROCESS_STATE_EXITED", "TICK_60", "PROCESS_STATE_EXITED", "PROCESS_STATE_EXITED"]
        {
            expectation.note(event);
        }
        assert_eq!((log.text().as_str(), expectation.deadline()), ("", None));
    }

    #[test]
    fn ticks_that_do_not_come_are_asked_about_once() {
        let (expectation, log) = expecting(&["TICK"]);
        let due = expectation.deadline().unwrap();
        expectation.on_time(due - Duration::from_millis(1));
        assert_eq!(log.text(), "");
        expectation.on_time(due);
        let said = "memmon: no tick has come for three minutes: is this an [eventlistener:memmon] \
                    section with a TICK in its events=? (SL201, SL210)\n";
        assert_eq!((log.text().as_str(), expectation.deadline()), (said, None));
        let (expectation, log) = expecting(&["TICK"]);
        expectation.note("TICK_3600");
        assert_eq!((log.text().as_str(), expectation.deadline()), ("", None));
    }
}
