//! The rule: a table of events and looks, and that what operators do never ends supervisord.

use proptest::prelude::*;

use super::*;

const AFTER: Duration = Duration::from_secs(2);

fn rules() -> Rules {
    let on = "fatal,exited".parse().unwrap();
    Rules { on, when: When::Any, max_exits: None, after: AFTER }
}

fn change(name: &str, state: State, expected: bool) -> ProcessState {
    ProcessState {
        state,
        process: name.to_owned(),
        group: name.to_owned(),
        from_state: "RUNNING".to_owned(),
        pid: Some(7),
        expected: (state == State::Exited).then_some(expected),
        tries: None,
    }
}

fn seen(name: &str, state: State, failed: bool) -> Seen {
    Seen {
        group: name.to_owned(),
        name: name.to_owned(),
        role: Role::Program,
        state,
        has_run: true,
        ended: 100,
        lasts: None,
        failed,
    }
}

/// What comes of an event about `web`, and of a look that shows this state when the time is over.
fn outcome(rules: &Rules, event: &ProcessState, later: &Seen) -> Judgement {
    let (mut watch, now) = (Watch::default(), Instant::now());
    watch.hear(rules, event, later.role, now);
    if !rules.after.is_zero() && rules.when == When::Any {
        let early = watch.judge(rules, std::slice::from_ref(later), now + Duration::from_secs(1));
        assert_eq!(early.end, None, "{event:?}");
    }
    watch.judge(rules, std::slice::from_ref(later), now + AFTER)
}

#[test]
fn an_end_counts_when_it_lasts() {
    use State::{Backoff, Exited, Fatal, Running, Starting, Stopped, Unknown};
    let on = |states: &str| Rules { on: states.parse().unwrap(), ..rules() };
    let at_once = Rules { after: Duration::ZERO, ..rules() };
    for (rules, (state, expected), later, ends) in [
        (rules(), (Exited, false), seen("web", Exited, true), true),
        (rules(), (Exited, false), seen("web", Starting, false), false),
        (rules(), (Exited, false), seen("web", Backoff, false), false),
        (rules(), (Exited, false), seen("web", Stopped, false), false),
        (at_once, (Exited, false), seen("web", Running, false), true),
        (rules(), (Exited, true), seen("web", Exited, false), false),
        (rules(), (Fatal, false), seen("web", Fatal, false), true),
        (rules(), (Fatal, false), seen("web", Running, false), false),
        (rules(), (Stopped, false), seen("web", Stopped, false), false),
        (rules(), (Unknown, false), seen("web", Unknown, false), false),
        (on("expected"), (Exited, true), seen("web", Exited, false), true),
        (on("expected"), (Exited, false), seen("web", Exited, true), false),
        (on("stopped"), (Stopped, false), seen("web", Stopped, false), true),
        (on("stopped"), (Stopped, false), seen("web", Running, false), false),
        (on("unknown"), (Unknown, false), seen("web", Unknown, false), true),
    ] {
        let event = change("web", state, expected);
        let end = outcome(&rules, &event, &later).end;
        let cause =
            Cause::One { trigger: Trigger::of(&event).unwrap(), change: event, role: later.role };
        assert_eq!(end, ends.then_some(cause), "{later:?}");
    }
}

#[test]
fn of_listeners_only_what_makes_them_useless_counts() {
    let listener = |state| Seen { role: Role::Listener, ..seen("guard", state, true) };
    for (state, ends) in [(State::Fatal, true), (State::Unknown, true), (State::Exited, false)] {
        let end = outcome(&rules(), &change("guard", state, false), &listener(state)).end;
        assert_eq!(end.is_some(), ends, "{state:?}");
    }
}

/// Before the start, or when its event was lost.
#[test]
fn what_is_seen_counts_as_what_is_heard_but_for_stopped() {
    let on = "fatal,exited,stopped".parse().unwrap();
    let (rules, now) = (Rules { on, ..rules() }, Instant::now());
    for (later, ends) in [
        (seen("web", State::Fatal, false), true),
        (seen("web", State::Exited, true), true),
        (seen("web", State::Exited, false), false),
        (seen("web", State::Stopped, false), false),
    ] {
        let mut watch = Watch::default();
        assert_eq!(watch.judge(&rules, std::slice::from_ref(&later), now).end, None);
        assert_eq!(watch.deadline(&rules), ends.then_some(now + AFTER));
        let judgement = watch.judge(&rules, std::slice::from_ref(&later), now + AFTER);
        assert_eq!(judgement.end.is_some(), ends, "{later:?}");
        // A dry run goes on, and tells each end once.
        let again = watch.judge(&rules, std::slice::from_ref(&later), now + 9 * AFTER);
        let again =
            (again.end, watch.judge(&rules, std::slice::from_ref(&later), now + 99 * AFTER).end);
        assert_eq!(again, (None, None));
    }
}

#[test]
fn a_process_that_runs_again_is_named() {
    let (mut watch, rules, now) = (Watch::default(), rules(), Instant::now());
    let exit = change("web", State::Exited, false);
    assert!(!watch.hear(&rules, &exit, Role::Program, now));
    assert!(watch.hear(&rules, &change("web", State::Starting, false), Role::Program, now));
    assert_eq!(watch.deadline(&rules), None);
    watch.hear(&rules, &exit, Role::Program, now);
    let judgement = watch.judge(&rules, &[seen("web", State::Running, false)], now + AFTER);
    assert_eq!(judgement.going_on, [(exit.clone(), Some(State::Running))]);
    watch.hear(&rules, &exit, Role::Program, now);
    assert_eq!(watch.judge(&rules, &[], now + AFTER).going_on, [(exit, None)]);
}

/// It is EXITED again, or still: the event does not tell.
#[test]
fn an_exit_that_is_younger_than_its_event_must_last_as_well() {
    let (mut watch, rules, now) = (Watch::default(), rules(), Instant::now());
    watch.hear(&rules, &change("web", State::Exited, false), Role::Program, now);
    let at = |lasts| {
        [Seen { lasts: Some(Duration::from_secs(lasts)), ..seen("web", State::Exited, true) }]
    };
    assert_eq!(watch.judge(&rules, &at(1), now + AFTER), Judgement::default());
    assert_eq!(watch.deadline(&rules), Some(now + AFTER + Duration::from_secs(1)));
    assert!(watch.judge(&rules, &at(2), now + 2 * AFTER).end.is_some());
}

#[test]
fn too_many_exits_count_although_supervisord_mends_them() {
    let budget: Budget = "2/1m".parse().unwrap();
    let rules = Rules { max_exits: Some(budget), ..rules() };
    let (mut watch, start) = (Watch::default(), Instant::now());
    let mut exit = |name: &str, seconds: u64| {
        let now = start + Duration::from_secs(seconds);
        watch.hear(&rules, &change(name, State::Exited, false), Role::Program, now);
        watch.hear(&rules, &change(name, State::Starting, false), Role::Program, now);
        watch.judge(&rules, &[seen(name, State::Running, false)], now).end
    };
    let ends = [exit("web", 0), exit("web", 10), exit("db", 11), exit("web", 61), exit("web", 62)];
    let change = change("web", State::Exited, false);
    let third = Cause::TooOften { change, count: 3, budget };
    assert_eq!(ends, [None, None, None, None, Some(third)]);
}

#[test]
fn all_have_ended_when_all_that_ran_did() {
    use State::{Exited, Fatal, Running, Stopped};
    let rules = Rules { when: When::All, ..rules() };
    let never = Seen { has_run: false, ..seen("never", Stopped, false) };
    let at = |seen: Seen, ended| Seen { ended, ..seen };
    for (look, expected) in [
        (vec![], None),
        (vec![never.clone()], None),
        (vec![seen("a", Exited, false), seen("b", Running, false)], None),
        (vec![seen("a", Exited, false), never], Some(None)),
        (vec![seen("a", Exited, false), seen("b", Stopped, false)], Some(None)),
        (vec![at(seen("a", Exited, true), 9), at(seen("b", Fatal, false), 8)], Some(Some("b"))),
        (vec![seen("a", Exited, false), at(seen("b", Exited, true), 9)], Some(Some("b"))),
    ] {
        let (mut watch, now) = (Watch::default(), Instant::now());
        assert_eq!(watch.judge(&rules, &look, now).end, None);
        let end = watch.judge(&rules, &look, now + AFTER).end;
        let failed = end.map(|end| match end {
            Cause::All { failed, .. } => failed.map(|seen| seen.name),
            other => panic!("{other:?}"),
        });
        assert_eq!(failed, expected.map(|name| name.map(str::to_owned)), "{look:?}");
    }
}

/// supervisord's times are whole seconds.
#[test]
fn of_failures_in_one_second_the_first_heard_of_is_the_first() {
    let (rules, now) = (Rules { when: When::All, ..rules() }, Instant::now());
    let mut watch = Watch::default();
    for name in ["b", "a"] {
        watch.hear(&rules, &change(name, State::Exited, false), Role::Program, now);
    }
    let look = ["a", "b"].map(|name| seen(name, State::Exited, true));
    watch.judge(&rules, &look, now);
    let Some(Cause::All { failed, .. }) = watch.judge(&rules, &look, now + AFTER).end else {
        panic!("no end")
    };
    assert_eq!(failed.unwrap().name, "b");
}

/// What operators do, what supervisord mends, and time.
#[derive(Debug, Clone, Copy)]
enum Act {
    Stop(usize),
    Start(usize),
    Restart(usize),
    /// An exit that supervisord expects.
    Exit(usize),
    /// A crash of a program that supervisord starts again.
    Crash(usize),
    /// supervisord tries to start it once more.
    Backoff(usize),
    /// A reload, which makes what is in BACKOFF FATAL.
    Reload,
    Tick,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let process = || 0usize..3;
    prop_oneof![
        process().prop_map(Act::Stop),
        process().prop_map(Act::Start),
        process().prop_map(Act::Restart),
        process().prop_map(Act::Exit),
        process().prop_map(Act::Crash),
        process().prop_map(Act::Backoff),
        Just(Act::Reload),
        Just(Act::Tick),
        (0u64..5_000).prop_map(Act::Wait),
    ]
}

/// A supervisord with three programs, and an exitmon that hears and sees it.
struct Model {
    states: [State; 3],
    /// Whether it exited unexpectedly.
    failed: [bool; 3],
    watch: Watch,
    rules: Rules,
    now: Instant,
    end: Option<Cause>,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Model {
    fn becomes(&mut self, process: usize, state: State) {
        (self.states[process], self.failed[process]) = (state, false);
        let event = change(NAMES[process], state, true);
        self.watch.hear(&self.rules, &event, Role::Program, self.now);
    }

    fn look(&mut self) {
        let look: Vec<_> = (0..3)
            .map(|process| seen(NAMES[process], self.states[process], self.failed[process]))
            .collect();
        let judgement = self.watch.judge(&self.rules, &look, self.now);
        self.end = self.end.take().or(judgement.end);
    }

    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        while let Some(due) = self.watch.deadline(&self.rules).filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.look();
        }
        self.now = until;
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Stop(process) if self.states[process] != State::Exited => {
                self.becomes(process, State::Stopped);
            }
            Act::Start(process) => self.becomes(process, State::Running),
            Act::Restart(process) => {
                self.becomes(process, State::Stopped);
                self.wait(1500);
                self.becomes(process, State::Starting);
            }
            Act::Exit(process) if self.states[process] == State::Running => {
                self.becomes(process, State::Exited);
            }
            Act::Crash(process) if self.states[process] == State::Running => {
                (self.states[process], self.failed[process]) = (State::Exited, true);
                let crash = change(NAMES[process], State::Exited, false);
                self.watch.hear(&self.rules, &crash, Role::Program, self.now);
                // Within its next loop; the event that it starts may not be in events=.
                self.wait(999);
                (self.states[process], self.failed[process]) = (State::Starting, false);
            }
            Act::Backoff(process) if self.states[process] == State::Starting => {
                self.becomes(process, State::Backoff);
            }
            Act::Reload => {
                for process in 0..3 {
                    if self.states[process] == State::Backoff {
                        self.becomes(process, State::Fatal);
                    }
                }
                // Every call is answered by the fault SHUTDOWN_STATE, and then all is new.
                self.watch.forget();
                (self.states, self.failed) = ([State::Starting; 3], [false; 3]);
            }
            Act::Tick => self.look(),
            Act::Wait(milliseconds) => self.wait(milliseconds),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_operators_do_and_nothing_that_supervisord_mends_ends_it(
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let (watch, now) = (Watch::default(), Instant::now());
        let (states, failed) = ([State::Running; 3], [false; 3]);
        let mut model = Model { states, failed, watch, rules: rules(), now, end: None };
        for act in acts {
            model.act(act);
            prop_assert_eq!(&model.end, &None, "{:?}", act);
        }
        model.wait(60_000);
        prop_assert_eq!(model.end, None);
    }
}
