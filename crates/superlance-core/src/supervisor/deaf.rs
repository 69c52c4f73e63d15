//! Event listeners that supervisord sends no more events, read out of its own log. Pure.
//!
//! A listener that writes anything but the protocol to its standard output is UNKNOWN to supervisord,
//! which is no state of the process: `getAllProcessInfo` goes on calling it RUNNING, and there is no
//! event. The log has a line about it, and one about each start:
//!
//! ```text
//! 2026-11-24 13:59:28,959 INFO spawned: 'guard' with pid 21935
//! 2026-11-24 13:59:30,469 WARN guard: has entered the UNKNOWN state and will no longer receive events, …
//! ```

/// How many bytes of the log are looked at.
pub const OWN_LOG: u32 = 64 << 10;

/// Whether the last start of this listener was followed by such a line.
#[must_use]
pub fn is_deaf(log: &str, listener: &str) -> bool {
    let unknown = format!(" {listener}: has entered the UNKNOWN state and will no longer receive");
    let spawned = format!(" spawned: '{listener}' with pid ");
    let is_about = |line: &&str| line.contains(&unknown) || line.contains(&spawned);
    log.lines().rfind(is_about).is_some_and(|line| line.contains(&unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_about_it_counts() {
        let spawned = "2026-11-24 13:59:28,959 INFO spawned: 'guard' with pid 21935\n";
        let unknown = "2026-11-24 13:59:30,469 WARN guard: has entered the UNKNOWN state and will no \
                       longer receive events, this usually indicates the process violated …\n";
        for (log, expected) in [
            (String::new(), false),
            (spawned.to_owned(), false),
            (unknown.to_owned(), true),
            (format!("{spawned}{unknown}"), true),
            (format!("{spawned}{unknown}{spawned}"), false),
            (unknown.replace("guard", "bodyguard"), false),
        ] {
            assert_eq!(is_deaf(&log, "guard"), expected, "{log}");
        }
    }
}
