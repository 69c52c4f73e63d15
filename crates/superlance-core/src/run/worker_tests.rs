//! What the worker does with events, deadlines and the end, and that a panic in none of them ends it.

use super::*;
use crate::listener::Filter;
use crate::listener::alert::Alert;
use crate::listener::introduction::Introduction;
use crate::run::expectation::PATIENCE;
use crate::testing::{Recorder, ScriptedSupervisor, frame};

/// A listener that logs what is unfinished while it handles an event.
struct Witness;

impl Listener for Witness {
    fn filter(&self) -> Filter {
        Box::new(|_| Interest::Every)
    }

    fn introduction(&self) -> Introduction {
        Introduction { task: String::new(), events: Vec::new() }
    }

    fn handle(&mut self, event: &Event, ctx: &mut Ctx<'_>) {
        assert!(!matches!(event, Event::Tick { .. }), "as the test wants it");
        ctx.log.line(format_args!("in work: {:?}", ctx.in_flight.texts()));
    }
}

/// A pipeline that logs what it is asked for, and panics at this.
struct Fragile {
    at: &'static str,
    log: Arc<Log>,
}

impl Fragile {
    fn step(&self, name: &str) {
        assert_ne!(name, self.at, "as the test wants it");
        self.log.line(name);
    }
}

impl Alerts for Fragile {
    fn raise(&mut self, _: Alert) {}
}

impl Delivery for Fragile {
    fn events(&self) -> (Journal, Vec<backlog::Record>) {
        Default::default()
    }

    fn start(&mut self) {
        self.step("start");
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn on_time(&mut self, _: &mut dyn Supervisor, _: Moment) {}

    fn drain(&mut self) {
        self.step("drain");
    }

    fn finish(&mut self) {
        self.step("finish");
    }

    fn try_once(&mut self, _: Alert) -> Vec<Tried> {
        Vec::new()
    }
}

/// The log of a worker that gets these events, with a pipeline that panics `at` one of its steps.
fn log_of(events: &[(&str, Interest)], at: &'static str) -> String {
    let recorder = Recorder::default();
    let log = Arc::new(Log::new(recorder.clone()));
    let alerts = Fragile { at, log: Arc::clone(&log) };
    let service = Service {
        listener: Box::new(Witness),
        supervisor: Box::new(ScriptedSupervisor::default()),
        alerts: Box::new(alerts),
        log: Arc::clone(&log),
        in_flight: InFlight::default(),
    };
    let expectation =
        Expectation::new("x", service.listener.introduction(), PATIENCE, Arc::clone(&log));
    let backlog = Arc::new(Backlog::new(service.alerts.events(), &log));
    let queue = Queue::default();
    for (name, interest) in events {
        let (at, frame) = (Moment::now(), frame(name, "processname:p groupname:g from_state:X"));
        assert!(queue.push(Arrival { at, frame, id: None, interest: *interest, number: None }));
    }
    queue.close();
    Worker::new(service, Arc::new(expectation), None, Arc::default(), backlog).run(&queue);
    recorder.text()
}

const EVENT: &str = "PROCESS_STATE_FATAL";

#[test]
fn an_event_in_work_is_named_when_time_is_up_and_a_check_is_not() {
    let log = log_of(&[(EVENT, Interest::Every), (EVENT, Interest::WhenIdle)], "");
    let event =
        "Event not handled in time: PROCESS_STATE_FATAL processname:p groupname:g from_state:X";
    assert_eq!(log, format!("start\nin work: [\"{event}\"]\nin work: []\ndrain\nfinish\n"));
}

#[test]
fn a_panic_is_said_and_all_the_rest_is_done() {
    let said = "This is a fault of superlance, and the lines above say where: panic while handling";
    let rest = ["start\n", "in work: ", "drain\n", "finish\n"];
    for (at, during, missing) in [
        ("start", "the start of delivery", Some(0)),
        ("drain", "alerts that are held back", Some(2)),
        ("finish", "the end of delivery", Some(3)),
        ("", "TICK_60 processname:p", None),
    ] {
        let log = log_of(&[("TICK_60", Interest::Every), (EVENT, Interest::Every)], at);
        assert!(log.contains(&format!("{said} {during}")), "{log}");
        let done = rest.iter().enumerate().filter(|(index, _)| Some(*index) != missing);
        done.for_each(|(_, step)| assert!(log.contains(step), "{step} {log}"));
    }
}
