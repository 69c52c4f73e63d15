//! The log line of a listener at its start. Pure.

/// The task of a listener, and the events that it can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Its task, such as `watches -p foo=200MB`. It has no secrets.
    pub task: String,
    /// The events that it waits for, as `events=` names them: names, or common prefixes of names.
    pub events: Vec<String>,
}

impl Introduction {
    /// Of a listener that looks at how things are with each tick.
    #[must_use]
    pub fn at_ticks(task: String) -> Self {
        Self { task, events: vec!["TICK".to_owned()] }
    }

    /// Whether an event is one that the listener waits for.
    #[must_use]
    pub fn can_use(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| event.starts_with(wanted.as_str()))
    }

    /// Whether it waits for nothing but ticks, of which one comes within a minute, as a rule.
    #[must_use]
    pub fn needs_only_ticks(&self) -> bool {
        self.events.iter().all(|event| event.starts_with("TICK"))
    }

    /// Whether `events=` has what it needs, as far as the coming of this event shows.
    pub(crate) fn is_met_by(&self, event: &str) -> bool {
        // PROCESS_STATE has all states, and this one comes first of them.
        self.can_use(event) || event == "PROCESS_STATE_STARTING" && !self.needs_only_ticks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_shows_of_the_configuration() {
        let ticks = Introduction::at_ticks(String::new());
        assert!(ticks.is_met_by("TICK_5") && !ticks.is_met_by("PROCESS_STATE_STARTING"));
        let events = vec!["PROCESS_STATE_EXITED".to_owned(), "TICK_60".to_owned()];
        let states = Introduction { task: String::new(), events };
        for (event, met) in [
            ("PROCESS_STATE_EXITED", true),
            ("TICK_60", true),
            ("PROCESS_STATE_STARTING", true),
            ("PROCESS_STATE_RUNNING", false),
            ("TICK_5", false),
        ] {
            assert_eq!(states.is_met_by(event), met, "{event}");
        }
        assert!(ticks.needs_only_ticks() && !states.needs_only_ticks());
    }
}
