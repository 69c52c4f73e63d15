//! Signals that are sent to a listener under a real supervisord, ours and the original's.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use superlance_testing::{Channel, Supervisord, record, theirs_is_under_test, venv};

use crate::links;

/// As the examples have it: restarted unless the exit is expected, which 0 is.
const LISTENERS: [(&str, &str, &str); 3] = [
    ("memmon", "memmon -a 1GB", "TICK_60"),
    ("crashmail", "crashmail -m bob@example.com", "PROCESS_STATE_EXITED"),
    ("crashmailbatch", "crashmailbatch -t a@b -f c@d", "PROCESS_STATE,TICK_60"),
];

#[test]
fn d36_a_listener_dies_of_the_signal_and_supervisord_starts_it_again() {
    let (_links, ours) = links();
    for (who, programs) in [("theirs", venv::bin()), ("ours", ours)] {
        let mut builder = Supervisord::builder().first_in_path(&programs);
        for (name, command, events) in LISTENERS {
            builder = builder.listener(name, command, events, &[]);
        }
        let supervisord = builder.start();
        for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
            let pids = LISTENERS.map(|(name, ..)| {
                supervisord.wait_state(name, "RUNNING");
                supervisord.pid_of(name)
            });
            for pid in pids {
                kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
            }
            for ((name, ..), pid) in LISTENERS.into_iter().zip(pids) {
                supervisord.wait_restart(name, pid);
                if who == "ours" {
                    let end = format!("{name}: ended by {signal}\n");
                    supervisord.wait_for_process_log(name, Channel::Stderr, &end);
                    let end = format!("exited: {name} (terminated by {signal}; not expected)");
                    supervisord.wait_for_log(&end);
                }
            }
        }
        // An operator has the last word.
        supervisord.ctl(&["stop", "memmon"]);
        assert_eq!(supervisord.state_of("memmon"), "STOPPED", "{who}");
    }
    if !theirs_is_under_test() {
        let title = "a signal ends it, and supervisord starts it again";
        record("D36", "every listener", title);
    }
}
