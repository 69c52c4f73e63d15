//! The pipeline: what it holds back, stores on disk, and delivers after a restart.

use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::SystemTime;

use tempfile::TempDir;

use super::*;
use superlance_core::listener::alert::Recovers;
use superlance_core::listener::identity::Identity;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::supervisor::State;
use superlance_core::testing::{Recorder, ScriptedSupervisor};

const INTERVAL: Duration = Duration::from_secs(30);

/// A transport to two people, who take alerts or are away.
#[derive(Clone, Default)]
struct Home(Arc<Mutex<People>>);

#[derive(Default)]
struct People {
    away: Vec<&'static str>,
    got: Vec<(String, String)>,
}

impl Transport for Home {
    fn name(&self) -> String {
        "home".to_owned()
    }

    fn key(&self) -> String {
        self.name()
    }

    fn targets(&self) -> Vec<String> {
        vec!["ann".to_owned(), "bob".to_owned()]
    }

    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome> {
        let mut people = self.0.lock().unwrap();
        let mut outcome = |who: &String| {
            if people.away.contains(&who.as_str()) {
                return DeliveryOutcome::Retry("away".to_owned());
            }
            people.got.push((who.clone(), alert.subject.clone()));
            DeliveryOutcome::Delivered
        };
        targets.iter().map(&mut outcome).collect()
    }
}

/// A listener's pipeline.
struct Scene {
    identity: Identity,
    folder: TempDir,
    home: Home,
    recorder: Recorder,
    in_flight: InFlight,
    pipeline: Pipeline,
}

impl Scene {
    fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap(), false, &[])
    }

    /// One with --alert-interval and --recovery.
    fn calm() -> Self {
        Self::start(tempfile::tempdir().unwrap(), true, &[])
    }

    fn start(folder: TempDir, calm: bool, away: &[&'static str]) -> Self {
        let (home, recorder) = (Home::default(), Recorder::default());
        let in_flight = InFlight::default();
        home.0.lock().unwrap().away = away.to_vec();
        let log = Arc::new(Log::new(recorder.clone()));
        let parent = folder.path().join("spool");
        let mut pipeline = Pipeline::new(Parts {
            host: "host".to_owned(),
            prefix: None,
            transports: vec![Box::new(home.clone())],
            spool: Some(Spool::new(parent, "test", Arc::clone(&log))),
            throttle: calm.then(|| Throttle::new(INTERVAL)),
            recovery: Recovery::new(INTERVAL),
            tells_recovery: calm,
            fire_interval: INTERVAL,
            log,
            in_flight: in_flight.clone(),
        });
        pipeline.start();
        Self { folder, home, recorder, identity: Identity::default(), in_flight, pipeline }
    }

    /// Another listener that finds what this one would leave if it were killed now.
    fn killed(&self, calm: bool, away: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("spool/test");
        fs::create_dir_all(&to).unwrap();
        for name in self.files() {
            fs::copy(self.folder.path().join("spool/test").join(&name), to.join(name)).unwrap();
        }
        Self::start(folder, calm, away)
    }

    fn raise(&mut self, subject: &str) {
        let (at, subject) = (SystemTime::now(), subject.to_owned());
        let alert = Alert::new("test", "exited", at, subject, "text".to_owned());
        let mut alert = alert.about("g", "p", None).recovers(Recovers::WhenRunning);
        self.identity.complete(&mut alert);
        self.pipeline.raise(alert);
    }

    /// The targets that are away.
    fn away(&self, who: &[&'static str]) {
        self.home.0.lock().unwrap().away = who.to_vec();
    }

    fn on_time(&mut self, supervisor: &mut ScriptedSupervisor, later: Duration) {
        let Moment { wall, instant } = Moment::now();
        let now = Moment { wall: wall + later, instant: instant + later };
        self.pipeline.on_time(supervisor, now);
    }

    /// The files that hold anything.
    fn kept(&self) -> Vec<String> {
        let folder = self.folder.path().join("spool/test");
        let mut kept = self.files();
        // A file may be replaced meanwhile.
        kept.retain(|name| fs::metadata(folder.join(name)).is_ok_and(|data| data.len() > 0));
        kept
    }

    /// Which target got what, after so many deliveries.
    #[track_caller]
    fn got(&self, count: usize) -> Vec<String> {
        let got = || self.home.0.lock().unwrap().got.clone();
        let deadline = Instant::now() + Duration::from_secs(20);
        while got().len() < count {
            assert!(Instant::now() < deadline, "{:?} {}", got(), self.recorder.text());
            thread::sleep(Duration::from_millis(3));
        }
        got().into_iter().map(|(who, subject)| format!("{who}: {subject}")).collect()
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path().join("spool/test")).unwrap();
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }
}

#[track_caller]
fn wait_until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain");
        thread::sleep(Duration::from_millis(3));
    }
}

#[test]
fn an_alert_is_on_the_disk_until_everyone_has_it() {
    let mut scene = Scene::new();
    scene.away(&["bob"]);
    scene.raise("first");
    assert_eq!(scene.kept(), ["alerts.journal"]);
    assert_eq!(scene.got(1), ["ann: first"]);
    let journal = scene.folder.path().join("spool/test/alerts.journal");
    wait_until(|| fs::read_to_string(&journal).unwrap().contains("Accepted"));

    // Another listener delivers only to the targets that lack it.
    let next = scene.killed(false, &[]);
    assert_eq!(next.got(1), ["bob: first"]);
    wait_until(|| next.kept().is_empty());

    // So does this one.
    scene.away(&[]);
    assert_eq!(scene.got(2), ["ann: first", "bob: first"]);
    wait_until(|| scene.kept().is_empty());
}

#[test]
fn what_cannot_be_delivered_at_the_end_is_kept_and_told_in_order() {
    let mut scene = Scene::new();
    scene.away(&["ann", "bob"]);
    for subject in ["first", "second", "third"] {
        scene.raise(subject);
    }
    scene.pipeline.drain();
    scene.pipeline.finish();
    let log = scene.recorder.text();
    let kept = "Not sent to home: away; kept until the next start: second\n";
    assert!(log.contains(kept), "{log}");
    let got = scene.killed(false, &[]).got(6);
    let ann: Vec<_> = got.iter().filter(|told| told.starts_with("ann")).collect();
    assert_eq!(ann, ["ann: first", "ann: second", "ann: third"]);
}

#[test]
fn what_waits_survives_a_kill_although_its_file_was_deleted_meanwhile() {
    let mut scene = Scene::new();
    scene.away(&["ann", "bob"]);
    scene.raise("first");
    fs::remove_file(scene.folder.path().join("spool/test/alerts.journal")).unwrap();
    scene.raise("second");
    let log = scene.recorder.text();
    assert!(log.contains("/alerts.journal was deleted, and is written anew\n"), "{log}");
    let next = scene.killed(false, &[]);
    let got = next.got(4);
    assert!(got.contains(&"ann: first".to_owned()) && got.contains(&"bob: second".to_owned()));
}

#[test]
fn an_event_that_comes_again_raises_nothing_new() {
    let mut scene = Scene::new();
    scene.away(&["ann", "bob"]);
    scene.identity.begin("PROCESS_STATE_EXITED", Some(1));
    scene.raise("first");
    let mut next = scene.killed(false, &["ann", "bob"]);
    next.identity.begin("PROCESS_STATE_EXITED", Some(1));
    next.raise("first");
    next.identity.begin("PROCESS_STATE_EXITED", Some(2));
    next.raise("second");
    next.away(&[]);
    assert_eq!(next.got(4).len(), 4);
    // It comes when the alert that an earlier listener left is already delivered.
    let mut next = scene.killed(false, &[]);
    assert_eq!(next.got(2).len(), 2);
    wait_until(|| next.kept().is_empty());
    next.identity.begin("PROCESS_STATE_EXITED", Some(1));
    next.raise("first");
    next.pipeline.finish();
    assert_eq!(next.got(0).len(), 2);
}

#[test]
fn what_is_held_back_survives_and_is_told_at_the_end() {
    let mut scene = Scene::calm();
    for number in 0..5 {
        scene.raise(&format!("{number}"));
    }
    assert_eq!(scene.got(2), ["ann: 0", "bob: 0"]);
    wait_until(|| scene.kept() == ["held.journal", "watched.journal"]);
    assert!(scene.recorder.text().contains("Held back by --alert-interval: 4\n"));
    let mut next = scene.killed(true, &[]);
    let deadline = next.pipeline.deadline().unwrap();
    assert!(deadline <= Instant::now() + INTERVAL);
    next.raise("5");
    next.on_time(&mut ScriptedSupervisor::default(), INTERVAL);
    assert_eq!(next.got(2), ["ann: 5 (and 4 more)", "bob: 5 (and 4 more)"]);
    assert!(!next.kept().contains(&"held.journal".to_owned()), "{:?}", next.kept());
    // Without the option they go out at once, and at the end in any case.
    assert_eq!(scene.killed(false, &[]).got(2)[0], "ann: 4 (and 3 more)");
    scene.pipeline.drain();
    assert_eq!(scene.got(4)[2], "ann: 4 (and 3 more)");
    assert_eq!(scene.pipeline.deadline(), None, "nothing is waited for");
}

#[test]
fn what_is_held_back_when_time_is_up_is_in_the_log_or_kept() {
    let mut scene = Scene::calm();
    (0..3).for_each(|number| scene.raise(&format!("{number}")));
    wait_until(|| {
        scene.in_flight.texts() == ["Held back and kept until the next start: 2 (and 1 more)"]
    });
    scene.on_time(&mut ScriptedSupervisor::default(), INTERVAL);
    assert_eq!(scene.got(4)[2], "ann: 2 (and 1 more)");
    wait_until(|| scene.in_flight.texts().is_empty());

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool"), "in the way").unwrap();
    let mut scene = Scene::start(folder, true, &[]);
    (0..2).for_each(|number| scene.raise(&format!("{number}")));
    wait_until(|| scene.in_flight.texts().len() == 1);
    let text = scene.in_flight.texts().remove(0);
    assert!(
        text.starts_with("Held back and not sent in time:\n\n1\n\nThis was held back"),
        "{text}"
    );
    assert!(text.ends_with("\n\ntext"), "{text}");
}

#[test]
fn what_is_raised_at_the_end_is_watched_by_the_next_listener() {
    let mut scene = Scene::calm();
    scene.pipeline.drain();
    scene.raise("failed to start");
    assert_eq!(scene.got(2), ["ann: failed to start", "bob: failed to start"]);
    wait_until(|| scene.kept() == ["watched.journal"]);
    assert_eq!(scene.pipeline.deadline(), None, "nothing is waited for");
    assert!(scene.killed(true, &[]).pipeline.deadline().is_some());
}

#[test]
fn what_is_resolved_at_the_end_is_told() {
    let mut scene = Scene::calm();
    let alert =
        Alert::new("test", "bad-status", SystemTime::now(), "bad".to_owned(), String::new());
    let recovers = Recovers::WhenResolved { key: "http://h/".to_owned(), at_once: true };
    scene.pipeline.raise(alert.recovers(recovers));
    scene.pipeline.drain();
    assert!(scene.pipeline.is_unresolved("http://h/"));
    scene.pipeline.resolve("http://h/", "It answers.");
    assert_eq!(scene.got(4)[2], "ann: test: http://h/ recovered");
    wait_until(|| scene.kept().is_empty());
}

#[test]
fn what_is_not_watched_any_more_is_forgotten_and_people_are_not_told() {
    let mut scene = Scene::calm();
    let recovers = |key: &str| Recovers::WhenResolved { key: key.to_owned(), at_once: true };
    for url in ["http://new/", "http://old/"] {
        let alert =
            Alert::new("test", "bad-status", SystemTime::now(), url.to_owned(), url.to_owned());
        scene.pipeline.raise(alert.recovers(recovers(url)));
    }
    scene.raise("sick");
    scene.got(4);
    for mut scene in [scene.killed(true, &[]), scene] {
        scene.pipeline.retain(&|key| key != "http://old/");
        assert!(!scene.pipeline.is_unresolved("http://old/"));
        assert!(scene.pipeline.is_unresolved("http://new/"));
        assert!(scene.pipeline.deadline().is_some(), "a crash recovers without the listener");
        let log = scene.recorder.text();
        let said = "http://old/ is not watched any more: what was told of it is over\n";
        assert_eq!(log.matches(said).count(), 1, "{log}");
        assert!(!scene.killed(true, &[]).pipeline.is_unresolved("http://old/"));
        assert!(scene.got(0).iter().all(|got| !got.contains("recovered")));
    }
}

#[test]
fn a_recovery_is_told_by_this_listener_or_the_next() {
    let mut scene = Scene::calm();
    scene.raise("sick");
    wait_until(|| scene.kept() == ["watched.journal"]);
    let mut supervisor = ScriptedSupervisor::at(1000).with("g:p", 5);
    supervisor.processes[0].start = 0;
    for mut scene in [scene.killed(true, &[]), scene] {
        assert!(scene.pipeline.deadline().is_some());
        scene.on_time(&mut supervisor, INTERVAL);
        let told = "ann: test: process g:p recovered".to_owned();
        wait_until(|| scene.got(0).contains(&told));
        assert_eq!(scene.pipeline.deadline(), None);
        assert!(!scene.kept().contains(&"watched.journal".to_owned()));
    }
    assert_eq!(supervisor.process("g:p").unwrap().state, State::Running);
}

#[test]
fn without_a_spool_that_works_alerts_go_out_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool"), "in the way").unwrap();
    let mut scene = Scene::start(folder, false, &[]);
    for subject in ["first", "second", "third"] {
        scene.raise(subject);
    }
    assert_eq!(scene.got(6).len(), 6);
    let log = scene.recorder.text();
    assert_eq!(log.matches("alerts are not kept on disk: cannot ").count(), 1, "{log}");
    scene.pipeline.journal::<String>("events", "events");
    // The trouble is over.
    let path = scene.folder.path().join("spool");
    fs::remove_file(&path).unwrap();
    scene.away(&["bob"]);
    scene.raise("fourth");
    assert_eq!(scene.kept(), ["alerts.journal"]);
    let log = scene.recorder.text();
    let again = "alerts are kept on disk again\n\
                 events are kept on disk only from the next start of this listener on\n";
    assert!(log.contains(again), "{log}");
}

#[test]
fn two_listeners_of_one_name_do_not_share_a_spool() {
    let scene = Scene::new();
    let log = Arc::new(Log::new(scene.recorder.clone()));
    assert_eq!(Spool::new(scene.folder.path().join("spool"), "test", log).open(), None);
    let log = scene.recorder.text();
    assert!(log.ends_with("/test is in use by another process\n"), "{log}");
}
