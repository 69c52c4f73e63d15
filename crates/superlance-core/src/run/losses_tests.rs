//! Gaps in the numbers of events, and the messages about them.

use super::*;
use crate::listener::introduction::Introduction;
use crate::listener::{Filter, Interest};
use crate::protocol::event::Event;
use crate::testing::{ScriptedSupervisor, World};

struct Idle;

impl Listener for Idle {
    fn filter(&self) -> Filter {
        Box::new(|_| Interest::Nothing)
    }

    fn introduction(&self) -> Introduction {
        Introduction { task: String::new(), events: Vec::new() }
    }

    fn handle(&mut self, _: &Event, _: &mut Ctx<'_>) {}
}

/// Events of these numbers come; returns the messages about losses.
fn told(own: &str, numbers: &[u64], world: &mut World) -> Losses {
    let losses = Losses::new("crashmail", Some(own));
    for number in numbers {
        losses.note(Some(*number));
    }
    world.with_ctx(|ctx| losses.tell(&mut Idle, ctx));
    losses
}

fn world(namespecs: &[&str]) -> World {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let supervisor = ScriptedSupervisor::at(i64::try_from(now).unwrap());
    World::new(namespecs.iter().fold(supervisor, |all, namespec| all.with(namespec, 7)))
}

#[test]
fn numbers_that_are_missing_are_counted() {
    let at = UNIX_EPOCH;
    for (numbers, lost) in [
        (&[7, 8, 9][..], 0),
        (&[7, 9], 1),
        (&[0, 20, 21, 30], 19 + 8),
        // Sent again, and sent again after later ones came.
        (&[7, 7, 8], 0),
        (&[7, 8, 7, 9, 9, 12], 2),
    ] {
        let mut all = Numbers::default();
        let gaps = numbers.iter().filter_map(|number| all.gap(Some(*number), at));
        assert_eq!(gaps.map(|gap| gap.lost).sum::<u64>(), lost, "{numbers:?}");
    }
    assert_eq!(Numbers::default().gap(None, at), None);
}

#[test]
fn what_is_lost_is_said_with_the_cure_and_those_it_may_be_about() {
    let mut world = world(&["crashmail:crashmail", "web:web_0", "web:web_1", "db:db", "old:old"]);
    let now = world.supervisor.now;
    for info in &mut world.supervisor.processes {
        (info.start, info.stop) = match info.name.as_str() {
            "web_0" => (now - 100, now),
            "web_1" => (now, now),
            "db" => (now - 100, now - 50),
            _ => (now - 100, 0),
        };
    }
    world.supervisor.process("web:web_0").unwrap().state = State::Exited;
    world.supervisor.process("db:db").unwrap().state = State::Exited;
    let losses = told("crashmail:crashmail", &[1, 21], &mut world);
    let said = "crashmail: supervisord threw away 19 events for this listener: set \
                buffer_size=256 in [eventlistener:crashmail]; ended or started meanwhile: \
                web:web_0, web:web_1";
    assert_eq!(world.log(), format!("{said}\n"));
    let alert = &world.alerts[0];
    assert_eq!((alert.kind.as_str(), alert.text.as_str()), ("events-lost", said));
    // More of the same is collected for a while.
    assert!(losses.note(Some(31)) && losses.note(Some(41)));
    assert!(losses.deadline().unwrap() > Instant::now() + PAUSE / 2);
    world.with_ctx(|ctx| losses.tell(&mut Idle, ctx));
    assert!(world.alerts[1].subject.contains("threw away 18 events"), "{:?}", world.alerts[1]);
    assert_eq!(losses.deadline(), None);
}

#[test]
fn what_is_lost_at_one_moment_is_told_in_one() {
    let losses = Losses::new("crashmail", Some("crashmail:crashmail"));
    assert!(!losses.note(Some(1)) && losses.deadline().is_none());
    assert!(losses.note(Some(14)));
    let due = losses.deadline().unwrap();
    assert!(due > Instant::now() + MOMENT / 2);
    assert!(losses.note(Some(21)));
    assert_eq!(losses.deadline(), Some(due));
    let mut world = world(&[]);
    world.with_ctx(|ctx| losses.tell(&mut Idle, ctx));
    assert!(world.log().contains("threw away 18 events"), "{}", world.log());
}

#[test]
fn several_processes_share_the_events_of_a_pool() {
    let mut pool = world(&["crashmail:crashmail_0", "crashmail:crashmail_1"]);
    let losses = told("crashmail:crashmail_0", &[1, 3], &mut pool);
    assert_eq!((pool.log().as_str(), pool.alerts.len()), ("", 0));
    assert!(!losses.note(Some(9)), "it is known now");
    // Alone under a name of its own.
    let mut alone = world(&["mail:crashmail", "web:web"]);
    told("mail:crashmail", &[1, 3], &mut alone);
    assert!(alone.log().contains("threw away 1 event for this listener"), "{}", alone.log());
    // One that is called as its pool is alone, even if supervisord cannot be asked.
    let mut mute = world(&[]);
    mute.supervisor.refuse("all", 1, "UNKNOWN_METHOD");
    told("crashmail:crashmail", &[1, 3], &mut mute);
    assert_eq!(mute.alerts.len(), 1);
}

#[test]
fn what_cannot_be_asked_is_said_once_and_told_after_the_next_answer() {
    let mut alone = world(&["mail:crashmail", "web:web"]);
    (0..2).for_each(|_| alone.supervisor.refuse("all", 1, "UNKNOWN_METHOD"));
    let losses = told("mail:crashmail", &[1, 3], &mut alone);
    assert!(losses.note(Some(9)));
    // An answer that takes long must not hold up each event of a pool.
    assert!(losses.deadline().unwrap() > Instant::now() + PAUSE / 2);
    alone.with_ctx(|ctx| losses.tell(&mut Idle, ctx));
    let said = "crashmail: events are missing, and whether another process of this pool has them \
                cannot be asked: <Fault 1: 'UNKNOWN_METHOD'>; trying again\n";
    assert_eq!((alone.log().as_str(), alone.alerts.len()), (said, 0));
    assert!(losses.deadline().is_some());
    alone.with_ctx(|ctx| losses.tell(&mut Idle, ctx));
    assert!(alone.log().contains("threw away 6 events for this listener"), "{}", alone.log());
    assert_eq!((losses.deadline(), alone.alerts.len()), (None, 1));
}

#[test]
fn at_the_end_what_was_not_asked_is_said() {
    let mut world = world(&[]);
    world.ending = true.into();
    told("mail:crashmail", &[1, 3], &mut world);
    let said = "crashmail: 1 event did not come to this process: thrown away by supervisord, or \
                handled by another process of its pool\n";
    assert_eq!((world.log().as_str(), world.alerts.len()), (said, 0));
}

/// A question takes up to half a minute, and the listener has eight seconds to end.
#[test]
fn at_the_end_a_loss_is_told_without_asking() {
    let mut world = world(&["crashmail:crashmail", "web:web"]);
    world.ending = true.into();
    told("crashmail:crashmail", &[1, 3], &mut world);
    assert!(world.log().contains("threw away 1 event for this listener"), "{}", world.log());
    assert_eq!((world.alerts.len(), world.supervisor.calls.len()), (1, 0));
}

#[test]
fn the_size_recommended_would_have_been_enough() {
    for (lost, size) in [(1, 256), (128, 256), (129, 512), (u64::MAX, u64::MAX)] {
        assert_eq!(buffer_size(lost), size);
    }
}
