//! When a process counts as recovered.

use super::*;
use superlance_core::supervisor::{Fault, RpcError};
use superlance_core::testing::{Recorder, ScriptedSupervisor};

const INTERVAL: Duration = Duration::from_secs(60);

/// A listener's view of the world, with one clock for all of it.
struct Scene {
    recovery: Recovery,
    supervisor: ScriptedSupervisor,
    now: Moment,
    recorder: Recorder,
}

impl Scene {
    /// `g:p` runs since ten seconds ago, `g:down` does not.
    fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let supervisor = ScriptedSupervisor::at(1_000_000_000).with("g:p", 5).with("g:down", 0);
        let now = Moment { wall, instant: Instant::now() };
        let (recovery, recorder) = (Recovery::new(INTERVAL), Recorder::default());
        Self { recovery, supervisor, now, recorder }
    }

    fn report(&mut self, process: &str) {
        let (subject, text) = (format!("{process} is sick"), String::new());
        let alert = Alert::new("test", "sick", self.now.wall, subject, text);
        let alert = alert.about("g", process, None).recovers(Recovers::WhenRunning);
        let alert = Alert { id: "x".to_owned(), ..alert };
        let _ = self.recovery.note(&alert, self.now);
    }

    fn pass(&mut self, seconds: u32) {
        let time = Duration::from_secs(u64::from(seconds));
        (self.now.wall, self.now.instant) = (self.now.wall + time, self.now.instant + time);
        self.supervisor.now += i64::from(seconds);
        let now = self.supervisor.now;
        self.supervisor.processes.iter_mut().for_each(|info| info.now = now);
    }

    fn look(&mut self) -> Vec<Alert> {
        self.look_at_all().recovered
    }

    fn look_at_all(&mut self) -> Looked {
        let log = Log::new(self.recorder.clone());
        self.recovery.look(&mut self.supervisor, self.now, &log)
    }

    /// Seconds until the next look.
    fn wait(&self) -> Option<u64> {
        let deadline = self.recovery.deadline()?;
        Some(deadline.saturating_duration_since(self.now.instant).as_secs())
    }
}

#[test]
fn an_alert_of_no_trouble_has_no_recovery() {
    let mut scene = Scene::new();
    let alert = Alert::new("test", "started", scene.now.wall, String::new(), String::new());
    assert_eq!(scene.recovery.note(&alert.about("g", "p", None), scene.now), None);
    assert_eq!(scene.wait(), None);
}

/// Where the listener sees the cause, it decides, and supervisord is not asked: a process that runs
/// and is still over its limit has not recovered.
#[test]
fn what_the_listener_resolves_recovers_when_it_says_so() {
    for (at_once, passed, recovered) in [(true, 0, true), (false, 59, false), (false, 60, true)] {
        let mut scene = Scene::new();
        let recovers = Recovers::WhenResolved { key: "http://h/".to_owned(), at_once };
        let (at, subject) = (scene.now.wall, "httpok: bad status".to_owned());
        let alert = Alert::new("httpok", "bad-status", at, subject, String::new());
        let alert = Alert { id: "x".to_owned(), ..alert.recovers(recovers) };
        scene.recovery.note(&alert, scene.now).unwrap();
        assert_eq!(scene.wait(), None, "the listener looks");
        assert!(scene.recovery.is_unresolved("http://h/"));
        assert_eq!(scene.recovery.resolve("http://other/", "", scene.now), None);
        scene.pass(passed);
        let told = scene.recovery.resolve("http://h/", "It answers.", scene.now);
        assert_eq!(told.is_some(), recovered, "{at_once} {passed}");
        assert_eq!(scene.recovery.is_unresolved("http://h/"), !recovered);
        if let Some(alert) = told {
            assert_eq!(alert.subject, "httpok: http://h/ recovered");
            assert!(
                alert.text.starts_with("It answers. It was reported last at "),
                "{}",
                alert.text
            );
            assert!(alert.text.ends_with(":\n\nhttpok: bad status"), "{}", alert.text);
        }
    }
}

#[test]
fn what_the_listener_resolves_is_forgotten_when_supervisord_no_longer_has_the_process() {
    let mut scene = Scene::new();
    for process in ["p", "gone"] {
        let (at, key) = (scene.now.wall, process_key("g", process));
        let recovers = Recovers::WhenResolved { key, at_once: true };
        let alert = Alert::new("memmon", "left-alone", at, String::new(), String::new());
        scene.recovery.note(&alert.about("g", process, None).recovers(recovers), scene.now);
    }
    scene.pass(60);
    let looked = Looked { gone: vec!["process g:gone".to_owned()], ..Looked::default() };
    assert_eq!((scene.look_at_all(), scene.wait()), (looked, Some(60)));
    assert!(scene.recovery.is_unresolved("process g:p"));
}

#[test]
fn a_process_that_runs_for_the_interval_has_recovered() {
    let mut scene = Scene::new();
    assert_eq!(scene.wait(), None);
    scene.report("p");
    assert_eq!(scene.wait(), Some(60));
    scene.pass(59);
    assert_eq!((scene.look(), scene.supervisor.calls.len()), (vec![], 0));
    // It was restarted 39 seconds ago.
    scene.supervisor.processes[0].start += 30;
    scene.pass(1);
    assert_eq!((scene.look(), scene.wait()), (vec![], Some(20)));
    scene.pass(20);
    let told = scene.look();
    let [alert] = &told[..] else { panic!("{told:?}") };
    assert_eq!(alert.subject, "test: process g:p recovered");
    let expected = format!(
        "Process g:p (pid 5) is RUNNING, and has been for 60 seconds. It was reported last at \
         {}:\n\np is sick",
        log_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
    );
    assert_eq!(alert.text, expected);
    assert_eq!((alert.kind.as_str(), alert.id.as_str()), (RECOVERED, "x.recovered"));
    assert_eq!(scene.recovery.note(alert, scene.now), None);
    assert_eq!(scene.wait(), None, "a recovery needs none");
}

#[test]
fn a_process_that_is_reported_again_starts_over_and_long_uptime_does_not_count() {
    let mut scene = Scene::new();
    scene.supervisor.processes[0].start -= 100_000;
    scene.report("p");
    scene.pass(50);
    scene.report("p");
    scene.pass(50);
    assert_eq!((scene.look(), scene.wait()), (vec![], Some(10)));
    scene.pass(10);
    assert_eq!(scene.look().len(), 1);
}

#[test]
fn a_process_that_is_down_is_waited_for_and_one_that_is_gone_is_forgotten() {
    let mut scene = Scene::new();
    for process in ["gone", "down", "also-gone"] {
        scene.report(process);
    }
    scene.pass(60);
    let gone = ["also-gone", "gone"].map(|process| process_key("g", process));
    let looked = Looked { gone: gone.into(), ..Looked::default() };
    assert_eq!((scene.look_at_all(), scene.wait()), (looked, Some(60)));
    assert_eq!(scene.recovery.reports().count(), 1);
    scene.pass(3600);
    assert_eq!(scene.look(), []);
    scene.supervisor.process("g:down").unwrap().state = State::Running;
    scene.supervisor.process("g:down").unwrap().start = scene.supervisor.now;
    scene.pass(60);
    assert_eq!(scene.look().len(), 1);
    assert_eq!(scene.wait(), None);
}

#[test]
fn a_supervisord_that_cannot_be_asked_is_asked_again_and_that_is_said_once() {
    let mut scene = Scene::new();
    scene.report("p");
    scene.pass(60);
    for _ in 0..3 {
        scene.supervisor.fail("all", RpcError::Unreachable("down".to_owned()));
        assert_eq!((scene.look(), scene.wait()), (vec![], Some(60)));
        scene.pass(60);
    }
    assert_eq!(scene.look().len(), 1);
    let expected = "cannot see whether processes have recovered: down\n";
    assert_eq!(scene.recorder.text(), expected);
}

/// The next listener, perhaps under the next supervisord, goes on watching.
#[test]
fn a_shutdown_of_supervisord_forgets_nothing() {
    let mut scene = Scene::new();
    scene.report("p");
    scene.pass(60);
    scene.supervisor.refuse("all", Fault::SHUTDOWN_STATE, "SHUTDOWN_STATE");
    assert_eq!((scene.look(), scene.wait()), (vec![], Some(60)));
    assert_eq!((scene.recovery.reports().count(), scene.recorder.text().as_str()), (1, ""));
}

#[test]
fn a_clock_that_was_set_back_only_delays() {
    let mut scene = Scene::new();
    scene.report("p");
    scene.pass(60);
    scene.supervisor.processes[0].now = 5;
    assert_eq!((scene.look(), scene.wait()), (vec![], Some(60)));
    scene.pass(60);
    assert_eq!(scene.look().len(), 1);
}

#[test]
fn alerts_about_no_process_are_none_of_its_business_and_what_is_watched_is_bounded() {
    let mut scene = Scene::new();
    let alert = Alert::new("test", "sick", scene.now.wall, String::new(), String::new());
    assert_eq!(scene.recovery.note(&alert, scene.now), None);
    assert_eq!(scene.wait(), None);
    for number in 0..MAX_WATCHED + 5 {
        scene.report(&format!("p{number}"));
    }
    assert_eq!(scene.recovery.reports().count(), MAX_WATCHED);
}

#[test]
fn another_listener_goes_on_watching() {
    let mut scene = Scene::new();
    scene.report("p");
    let reports: Vec<_> = scene.recovery.reports().cloned().collect();
    let text = serde_json::to_string(&reports).unwrap();
    scene.recovery = Recovery::new(INTERVAL);
    for report in serde_json::from_str::<Vec<Report>>(&text).unwrap() {
        scene.recovery.restore(report, scene.now);
    }
    scene.pass(60);
    assert_eq!(scene.look().len(), 1);
}

#[test]
fn an_earlier_report_replaces_no_newer_one() {
    let mut earlier = Scene::new();
    earlier.report("p");
    let report = earlier.recovery.reports().next().unwrap().clone();
    let mut scene = Scene::new();
    scene.pass(100);
    scene.report("p");
    let newer = scene.recovery.reports().next().unwrap().clone();
    scene.recovery.restore(report, scene.now);
    assert_eq!(scene.recovery.reports().collect::<Vec<_>>(), [&newer]);
}
