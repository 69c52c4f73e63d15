//! The names of events in `events=`. Pure.

/// The names that supervisord 4.3.0 knows.
const EVENTS: &[&str] = &[
    "EVENT",
    "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDERR",
    "PROCESS_COMMUNICATION_STDOUT",
    "PROCESS_GROUP",
    "PROCESS_GROUP_ADDED",
    "PROCESS_GROUP_REMOVED",
    "PROCESS_LOG",
    "PROCESS_LOG_STDERR",
    "PROCESS_LOG_STDOUT",
    "PROCESS_STATE",
    "PROCESS_STATE_BACKOFF",
    "PROCESS_STATE_EXITED",
    "PROCESS_STATE_FATAL",
    "PROCESS_STATE_RUNNING",
    "PROCESS_STATE_STARTING",
    "PROCESS_STATE_STOPPED",
    "PROCESS_STATE_STOPPING",
    "PROCESS_STATE_UNKNOWN",
    "REMOTE_COMMUNICATION",
    "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_RUNNING",
    "SUPERVISOR_STATE_CHANGE_STOPPING",
    "TICK",
    "TICK_3600",
    "TICK_5",
    "TICK_60",
];

/// Whether supervisord itself has events of this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    EVENTS.contains(&name)
}

/// Whether a listener that asks for `asked` gets `event`.
#[must_use]
pub fn covers(asked: &str, event: &str) -> bool {
    let rest = || event.strip_prefix(asked).is_some_and(|rest| rest.starts_with('_'));
    asked == "EVENT" || asked == event || rest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_all_its_members() {
        for (asked, event, expected) in [
            ("TICK", "TICK_5", true),
            ("TICK_5", "TICK_5", true),
            ("TICK_5", "TICK", false),
            ("TICK_5", "TICK_60", false),
            ("EVENT", "TICK_60", true),
            ("PROCESS_STATE", "PROCESS_STATE_EXITED", true),
            ("PROCESS_STATE_EXITED", "PROCESS_STATE_FATAL", false),
        ] {
            assert_eq!(covers(asked, event), expected, "{asked} {event}");
        }
        assert!(is_known("TICK_5") && !is_known("PROCESS_STATE_STARTED"));
    }
}
