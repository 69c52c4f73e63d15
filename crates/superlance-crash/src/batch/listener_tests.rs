//! Which alerts a batch tool raises, and when.

use std::path::Path;
use std::sync::Arc;

use clap::FromArgMatches;

use super::*;
use crate::batch::{options, plain_text};
use crate::trigger::Trigger;
use superlance_core::spool::dir::StateDir;
use superlance_core::supervisor::Channel;
use superlance_core::testing::{ScriptedSupervisor, World, frame};

static TOOL: Tool = Tool {
    name: "tool",
    trigger: Trigger::Exited,
    on: true,
    tail: true,
    about: "x",
    subject: Some("Alert"),
    line: |change, _| format!("{} died", change.process),
    text: plain_text,
    remarks: true,
};

struct Scene {
    listener: BatchListener,
    world: World,
    /// The alerts that earlier listeners of the same spool have raised.
    earlier: Vec<Alert>,
}

impl Scene {
    fn new(arguments: &[&str]) -> Self {
        let all = ["tool", "-t", "a@b,c@d", "-f", "x@y"].iter().chain(arguments);
        let matches = options::command(&TOOL).try_get_matches_from(all).unwrap();
        let options = Options::from_arg_matches(&matches).unwrap();
        let choice = Choice::from_matches(&matches, &TOOL).unwrap();
        let (subject, prefix) = ("Alert".to_owned(), "1.2.3".to_owned());
        let listener = BatchListener::new(&TOOL, &options, choice, subject, prefix);
        Self { listener, world: World::default(), earlier: Vec::new() }
    }

    fn alerts(&self) -> Vec<Alert> {
        self.earlier.iter().chain(&self.world.alerts).cloned().collect()
    }

    fn texts(&self) -> Vec<String> {
        self.alerts().into_iter().map(|alert| alert.text).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.alerts().into_iter().map(|alert| alert.id).collect()
    }

    fn on_time(&mut self) {
        let Self { listener, world, .. } = self;
        world.with_ctx(|ctx| listener.on_time(ctx));
    }

    fn crash(&mut self, name: &str) {
        let payload = format!("processname:{name} groupname:g from_state:RUNNING expected:0 pid:5");
        self.world.event(&mut self.listener, "PROCESS_STATE_EXITED", &payload).unwrap();
    }

    /// Another listener with the same spool.
    fn keeping(self, folder: &Path) -> Self {
        let earlier = self.alerts();
        drop(self);
        let mut scene = Self { earlier, ..Self::new(&[]) };
        scene.listener.id_prefix = "4.5.6".to_owned();
        let directory = Arc::new(StateDir::open(folder, "tool").unwrap());
        let log = scene.world.shared_log();
        let journal = Journal::open(&directory, "batch", "lines that wait", &log);
        scene.world.with_ctx(|ctx| scene.listener.keep(journal, ctx.log));
        scene
    }

    fn tick(&mut self, name: &str) {
        self.world.event(&mut self.listener, name, "when:1").unwrap();
    }

    fn finish(&mut self) {
        let Self { listener, world, .. } = self;
        world.with_ctx(|ctx| listener.finish(ctx));
        assert_eq!(listener.deadline(), None, "something still owed");
        assert_eq!(world.in_flight.texts(), Vec::<String>::new());
    }
}

#[test]
fn lines_are_mailed_together() {
    let mut scene = Scene::new(&["-i", "2"]);
    scene.crash("foo");
    scene.tick("TICK_60");
    scene.crash("bar");
    scene.tick("TICK_5");
    assert!(scene.alerts().is_empty());
    scene.tick("TICK_60");
    let alert = scene.alerts().remove(0);
    assert_eq!((alert.text.as_str(), alert.subject.as_str()), ("foo died\nbar died", "Alert"));
    assert_eq!((alert.kind.as_str(), alert.id.as_str()), ("digest", "1.2.3.0-2"));
    assert_eq!(alert.measured, [("lines".to_owned(), "2".to_owned())]);
    assert_eq!(scene.world.log(), "foo died\nbar died\n");
    scene.tick("TICK_60");
    scene.tick("TICK_60");
    assert_eq!(scene.alerts().len(), 1, "nothing is not mailed");
}

#[test]
fn only_its_tick_and_what_it_writes_about_are_of_interest() {
    let filter = Scene::new(&["-e", "TICK_5"]).listener.filter();
    let exit = "processname:foo groupname:g from_state:RUNNING expected:0 pid:5";
    for (name, payload, expected) in [
        ("PROCESS_STATE_EXITED", exit, Interest::Every),
        ("PROCESS_STATE_EXITED", "unreadable", Interest::Every),
        ("PROCESS_STATE_FATAL", exit, Interest::Nothing),
        ("PROCESS_STATE_STOPPED", exit, Interest::Nothing),
        ("TICK_5", "when:1", Interest::Every),
        ("TICK_60", "when:1", Interest::Nothing),
    ] {
        assert_eq!(filter(&frame(name, payload)), expected, "{name} {payload}");
    }
}

#[test]
fn programs_select_what_is_mailed_about() {
    let mut scene = Scene::new(&["--program", "bar", "--program", "g:f*"]);
    for name in ["foo", "bar", "other"] {
        scene.crash(name);
    }
    scene.tick("TICK_60");
    assert_eq!(scene.texts(), ["foo died\nbar died"]);
    let unselected = "not mailed, since no --program selects it: other died\n";
    assert!(scene.world.log().contains(unselected), "{}", scene.world.log());
}

#[test]
fn other_states_are_mailed_about_if_wanted() {
    let mut scene = Scene::new(&["--on", "fatal,stopped"]);
    scene.crash("foo");
    let payload = "processname:bar groupname:g from_state:BACKOFF";
    scene.world.event(&mut scene.listener, "PROCESS_STATE_FATAL", payload).unwrap();
    scene.tick("TICK_60");
    assert_eq!(scene.texts(), ["bar died"]);
}

#[test]
fn a_tail_stands_below_its_line_and_not_in_the_log() {
    let mut scene = Scene::new(&["--tail", "2", "--tail-by-rpc"]);
    let mut supervisor = ScriptedSupervisor::at(1).with("g:foo", 0).with("g:bar", 0);
    supervisor.own_log =
        Some("spawned: 'foo' with pid 5\nexited: foo (exit status 7; not expected)\n".to_owned());
    let log = "one\ntwo\nthree\n".to_owned();
    supervisor.logs.insert(("g:foo".to_owned(), Channel::Stderr), log);
    supervisor.process("g:foo").unwrap().state = superlance_core::supervisor::State::Exited;
    scene.world.supervisor = supervisor;
    scene.crash("foo");
    scene.crash("bar");
    assert_eq!(scene.world.log(), "foo died\nbar died\n");
    scene.tick("TICK_60");
    let none = "(supervisord keeps none: see stdout_logfile and stderr_logfile)";
    let text = format!(
        "foo died\n    Cause: exit status 7\n    stderr, last 2 lines:\n    | two\n    | three\n\n\
         bar died\n    Logs:\n    | {none}\n"
    );
    assert_eq!(scene.texts(), [text]);
}

#[test]
fn logs_are_left_out_of_a_mail_that_has_many() {
    let mut scene = Scene::new(&["--tail", "1", "--tail-by-rpc"]);
    scene.world.supervisor = ScriptedSupervisor::at(1).with("g:foo", 0);
    let log = ("g:foo".to_owned(), Channel::Stdout);
    scene.world.supervisor.logs.insert(log, "x".repeat(1 << 20));
    for _ in 0..300 {
        scene.crash("foo");
    }
    scene.tick("TICK_60");
    scene.crash("foo");
    scene.tick("TICK_60");
    let texts = scene.texts();
    assert!(texts[0].len() < MOST_LOGS + 300 * 300, "{}", texts[0].len());
    assert!(texts[0].ends_with("    | (left out: this mail has many already)\n"));
    assert!(texts[1].ends_with("xxx\n"), "the next mail has room again");
}

#[test]
fn the_end_sends_what_waits() {
    let mut scene = Scene::new(&["-i", "60"]);
    scene.crash("foo");
    scene.finish();
    assert_eq!(scene.texts(), ["foo died"]);
}

#[test]
fn where_no_tick_comes_mails_go_out_by_the_clock() {
    let mut scene = Scene::new(&["-i", "2", "-e", "TICK_5"]);
    assert_eq!(scene.listener.deadline(), None);
    scene.crash("foo");
    let wait = |scene: &Scene| {
        let time = scene.listener.deadline().unwrap().saturating_duration_since(Instant::now());
        time.as_secs_f64().round()
    };
    assert_eq!(wait(&scene), 360.0);
    scene.on_time();
    let remark = "tool: lines wait to be mailed, and no TICK_5 event comes: does the events= line of \
                  the configuration lack TICK_5?";
    assert!(scene.world.log().ends_with(&format!("{remark}\n")), "{}", scene.world.log());
    assert_eq!(scene.texts(), [format!("foo died\n\n({remark})")]);
    assert_eq!(scene.listener.deadline(), None);
    scene.crash("bar");
    assert_eq!(wait(&scene), 120.0);
    scene.on_time();
    assert_eq!(scene.texts()[1], "bar died");
    // The first tick measures the time again.
    scene.crash("baz");
    scene.tick("TICK_5");
    assert_eq!(wait(&scene), 360.0);
    assert_eq!(scene.world.log().matches(remark).count(), 1);
    // Ticks that are rarer than the interval are waited for.
    let mut rare = Scene::new(&["-i", "0", "-e", "TICK_3600"]);
    rare.crash("foo");
    assert_eq!(wait(&rare), 10_800.0);
}

#[test]
fn what_waits_survives_the_listener() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path());
    scene.crash("foo");
    scene.crash("bar");
    let mut scene = scene.keeping(folder.path());
    let waits = "tool: lines wait that were not mailed before the last end\n";
    assert_eq!(scene.world.log(), waits);
    assert!(scene.listener.deadline().is_some(), "a tick that never comes is remarked upon");
    scene.crash("baz");
    scene.tick("TICK_60");
    // The pipeline has the mail; the ids of the next mails go on.
    let mut scene = scene.keeping(folder.path());
    assert_eq!(scene.world.log(), "");
    scene.crash("new");
    scene.tick("TICK_60");
    assert_eq!(scene.texts(), ["foo died\nbar died\nbaz died", "new died"]);
    assert_eq!(scene.ids(), ["4.5.6.0-3", "4.5.6.3-4"]);
}

#[test]
fn a_mail_that_was_being_raised_is_raised_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path());
    scene.crash("foo");
    // The listener is killed before the alert is in the spool, or before the lines are forgotten.
    scene.listener.journal.add(&Entry::Raised(1));
    let mut scene = scene.keeping(folder.path());
    scene.crash("bar");
    assert!(scene.listener.deadline().unwrap() <= Instant::now());
    scene.on_time();
    scene.tick("TICK_60");
    assert_eq!(scene.texts(), ["foo died", "bar died"]);
    assert_eq!(scene.ids(), ["4.5.6.0-1", "4.5.6.1-2"]);
}

#[test]
fn lines_that_cannot_be_kept_are_mailed_all_the_same_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path());
    // Records that are appended, and a journal that is rewritten.
    for name in ["batch.journal", "batch.journal.new"] {
        let path = folder.path().join("tool").join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir(path).unwrap();
    }
    for name in ["foo", "bar"] {
        scene.crash(name);
        scene.tick("TICK_60");
    }
    assert_eq!(scene.texts(), ["foo died", "bar died"]);
    let log = scene.world.log();
    assert_eq!(log.matches("lines that wait are not kept on disk: ").count(), 1, "{log}");
    std::fs::remove_dir(folder.path().join("tool/batch.journal.new")).unwrap();
    std::fs::remove_dir(folder.path().join("tool/batch.journal")).unwrap();
    scene.crash("baz");
    assert!(scene.world.log().ends_with("lines that wait are kept on disk again\n"));
    let mut scene = scene.keeping(folder.path());
    scene.tick("TICK_60");
    assert_eq!(scene.texts().last().unwrap(), "baz died");
}
