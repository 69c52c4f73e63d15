//! Ids of events and alerts: the same when supervisord sends an event again, and different for
//! every other event.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::unistd::{Pid, getppid};

use super::alert::Alert;
use crate::protocol::frame::Frame;
use crate::system::hash::fnv1a;
use crate::system::process::Stat;

/// An instance of supervisord. Another one numbers its events anew: after a restart of it or of the
/// machine.
#[derive(Debug, Clone, Copy)]
pub struct Instance(u64);

impl Instance {
    /// Our parent.
    #[must_use]
    pub fn of_parent() -> Self {
        Self(hash(&[&parent()]))
    }

    /// The id of an event: the same when supervisord sends it again, and different for every other
    /// event.
    #[must_use]
    pub fn event_id(self, frame: &Frame) -> Option<u64> {
        let serial = frame.serial?.to_string();
        Some(hash(&[&self.0.to_string(), &serial, &frame.name, &frame.payload]))
    }
}

/// The event that is being handled, and the source of its alerts' ids.
#[derive(Debug)]
pub struct Identity {
    /// The id of this process, for alerts without an event.
    own: u64,
    /// Alerts since the event came.
    count: u64,
    /// Alerts without an event.
    others: u64,
    /// The id of the event.
    event: Option<u64>,
    /// Its name; empty for none.
    name: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            own: hash(&[&this_process()]),
            count: 0,
            others: 0,
            event: None,
            name: String::new(),
        }
    }
}

impl Identity {
    /// From now on, the event of this name and id is being handled; without a name, none.
    pub fn begin(&mut self, name: &str, id: Option<u64>) {
        (self.event, self.count) = (id, 0);
        name.clone_into(&mut self.name);
    }

    /// The id of the event that is being handled.
    pub(crate) fn event(&self) -> Option<String> {
        self.event.map(|event| format!("{event:016x}"))
    }

    /// Adds to `alert` the event that caused it, and an id unless it has one.
    pub fn complete(&mut self, alert: &mut Alert) {
        alert.event.clone_from(&self.name);
        if alert.id.is_empty() {
            alert.id = self.of(alert);
        }
    }

    /// An id for `alert`. Measurements and times are not part of it, since they differ when the
    /// event is handled again.
    fn of(&mut self, alert: &Alert) -> String {
        let count = if self.event.is_some() { &mut self.count } else { &mut self.others };
        *count += 1;
        let count = count.to_string();
        let process = alert.process.as_ref();
        let name = process.map(|process| format!("{}:{}", process.group, process.name));
        let pid = process.and_then(|process| process.pid).unwrap_or_default();
        let event = self.event.unwrap_or(self.own);
        let parts = [
            &event.to_string(),
            alert.listener.as_str(),
            &count,
            alert.kind.as_str(),
            name.as_deref().unwrap_or_default(),
            &pid.to_string(),
        ];
        format!("{:016x}", hash(&parts))
    }
}

/// The identity of our parent, different for every other process of any time.
///
/// Where its start is hidden (`hidepid`) or the system has no boot id, a pid alone is not enough: in a
/// container supervisord is 1 each time. Then each listener is on its own: an event that comes again
/// after a kill is told again, rather than another event taken for it and never told.
fn parent() -> String {
    let pid = getppid();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    process(&boot, pid, &stat).unwrap_or_else(this_process)
}

/// The identity of a process, if what the system says of it is enough.
fn process(boot: &str, pid: Pid, stat: &str) -> Option<String> {
    let start = Stat::parse(stat)?.start?;
    (!boot.is_empty()).then(|| format!("{boot} {pid} {start}"))
}

/// The identity of this process, different for every other one.
fn this_process() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{} {}", std::process::id(), now.as_nanos())
}

/// A hash of the parts and of where each ends.
fn hash(parts: &[&str]) -> u64 {
    fnv1a(parts.iter().flat_map(|part| part.bytes().chain([0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(serial: u64) -> Frame {
        Frame {
            name: "TICK_60".to_owned(),
            serial: Some(serial),
            pool_serial: None,
            payload: "when:1".to_owned(),
        }
    }

    fn alert(kind: &str, pid: u32) -> Alert {
        let at = UNIX_EPOCH;
        Alert::new("memmon", kind, at, String::new(), String::new()).about("g", "p", Some(pid))
    }

    #[test]
    fn an_event_that_is_sent_again_gives_the_same_ids_and_another_one_does_not() {
        let ids = |serial| {
            let mut identity = Identity::default();
            identity.begin("TICK_60", Instance::of_parent().event_id(&frame(serial)));
            [identity.of(&alert("restarted", 1)), identity.of(&alert("restarted", 1))]
        };
        let first = ids(1);
        assert_eq!(first, ids(1));
        assert_ne!(first[0], first[1]);
        assert!(!ids(2).contains(&first[0]));
    }

    #[test]
    fn another_supervisord_numbers_other_events() {
        let ids = [Instance(1), Instance(2), Instance(1)].map(|of| of.event_id(&frame(0)));
        assert!(ids[0] != ids[1] && ids[0] == ids[2], "{ids:?}");
        assert_eq!(Instance(1).event_id(&Frame { serial: None, ..frame(0) }), None);
        assert_ne!(Instance::of_parent().0, Instance(hash(&[&this_process()])).0);
    }

    #[test]
    fn a_process_is_known_by_its_boot_and_its_start_and_not_by_its_pid_alone() {
        let stat = |start| format!("1 (a) b) S 0 1 1 0 -1 4 1 1 1 1 1 1 1 1 20 0 1 0 {start} 9 9");
        let is = |boot, start| process(boot, Pid::from_raw(1), &stat(start));
        assert_eq!(is("boot", 77).as_deref(), Some("boot 1 77"));
        assert!(is("boot", 77) != is("boot", 78) && is("boot", 77) != is("other", 77));
        assert_eq!(process("boot", Pid::from_raw(1), ""), None, "hidepid");
        assert_eq!(is("", 77), None);
        assert_eq!(Instance::of_parent().0, Instance::of_parent().0, "of one listener");
    }

    #[test]
    fn another_process_is_another_alert() {
        let id = |kind, pid| {
            let mut identity = Identity::default();
            identity.begin("TICK_60", Some(1));
            identity.of(&alert(kind, pid))
        };
        assert_ne!(id("restarted", 1), id("restarted", 2));
        assert_ne!(id("restarted", 1), id("failed-to-stop", 1));
    }

    #[test]
    fn without_an_event_no_two_are_the_same() {
        let ids = || {
            let mut identity = Identity::default();
            identity.begin("", None);
            [identity.of(&alert("x", 1)), identity.of(&alert("x", 1))]
        };
        let mut identity = Identity::default();
        let mut between = || {
            identity.begin("TICK_60", Some(1));
            identity.begin("", None);
            identity.of(&alert("x", 1))
        };
        assert_ne!(between(), between(), "an event came between them");
        let (first, second) = (ids(), ids());
        assert!(first[0] != first[1] && !second.contains(&first[0]), "{first:?} {second:?}");
    }
}
