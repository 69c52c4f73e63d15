//! A batch tool against a mail server that does as it is told.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::FromArgMatches;

use super::*;
use crate::batch::{options, plain_text};
use crate::trigger::Trigger;
use superlance_core::spool::dir::StateDir;
use superlance_core::supervisor::Channel;
use superlance_core::testing::{FakeSupervisor, World, frame};

static TOOL: Tool = Tool {
    name: "tool",
    trigger: Trigger::Exited,
    on: true,
    tail: true,
    about: "x",
    subject: Some("Alert"),
    line: |change, _| format!("{} died", change.process),
    text: plain_text,
};

/// Remembers what it is given. Delivers everything, unless told otherwise.
#[derive(Clone, Default)]
struct FakePost(Arc<Mutex<Posted>>);

#[derive(Default)]
struct Posted {
    messages: Vec<Message>,
    next: VecDeque<Vec<DeliveryOutcome>>,
}

impl FakePost {
    fn next(&self, outcomes: &[DeliveryOutcome]) {
        self.0.lock().unwrap().next.push_back(outcomes.to_vec());
    }

    fn sent(&self) -> Vec<Message> {
        self.0.lock().unwrap().messages.clone()
    }

    fn texts(&self) -> Vec<String> {
        self.sent().into_iter().map(|message| message.text).collect()
    }
}

impl Post for FakePost {
    fn send(&self, message: &Message) -> Vec<DeliveryOutcome> {
        let mut state = self.0.lock().unwrap();
        state.messages.push(message.clone());
        let outcomes = state.next.pop_front();
        outcomes.unwrap_or_else(|| vec![DeliveryOutcome::Delivered; message.recipients.len()])
    }
}

struct Scene {
    listener: BatchListener,
    post: FakePost,
    world: World,
}

impl Scene {
    fn new(arguments: &[&str]) -> Self {
        let all = ["tool", "-t", "a@b,c@d", "-f", "x@y"].iter().chain(arguments);
        let matches = options::command(&TOOL).try_get_matches_from(all).unwrap();
        let options = Options::from_arg_matches(&matches).unwrap();
        let choice = Choice::from_matches(&matches, &TOOL).unwrap();
        let post = FakePost::default();
        let listener =
            BatchListener::new(&TOOL, options, choice, Box::new(post.clone()), "1.2.3".into());
        Self { listener, post, world: World::default() }
    }

    fn crash(&mut self, name: &str) {
        let payload = format!("processname:{name} groupname:g from_state:RUNNING expected:0 pid:5");
        self.world.event(&mut self.listener, "PROCESS_STATE_EXITED", &payload).unwrap();
    }

    /// Another listener, with the same server and the same spool.
    fn keeping(self, folder: &Path, arguments: &[&str]) -> Self {
        let post = self.post.clone();
        drop(self);
        let mut scene = Self::new(arguments);
        scene.listener.post = Box::new(post.clone());
        scene.listener.id_prefix = "4.5.6".to_owned();
        let directory = Arc::new(StateDir::open(folder, "tool").unwrap());
        let log = scene.world.shared_log();
        let journal = Journal::open(&directory, "batch", "lines that wait", &log);
        scene.world.with_ctx(|ctx| scene.listener.keep(journal, ctx.log));
        Self { post, ..scene }
    }

    fn tick(&mut self, name: &str) {
        self.world.event(&mut self.listener, name, "when:1").unwrap();
    }

    fn finish(&mut self) {
        let Self { listener, world, .. } = self;
        world.with_ctx(|ctx| listener.finish(ctx));
        assert_eq!(listener.deadline(), None, "something still owed");
        assert_eq!(world.unfinished.texts(), Vec::<String>::new());
    }
}

fn later() -> DeliveryOutcome {
    DeliveryOutcome::Retry("down".to_owned())
}

#[test]
fn lines_are_mailed_together_in_the_words_of_the_original() {
    let mut scene = Scene::new(&["-i", "2"]);
    scene.crash("foo");
    scene.tick("TICK_60");
    scene.crash("bar");
    scene.tick("TICK_5");
    assert!(scene.post.sent().is_empty());
    scene.tick("TICK_60");
    let mail = scene.post.sent().remove(0);
    assert_eq!(
        (mail.text.as_str(), mail.subject.as_deref()),
        ("foo died\nbar died", Some("Alert"))
    );
    assert_eq!((mail.from.as_str(), mail.to), ("x@y", vec!["a@b".to_owned(), "c@d".to_owned()]));
    assert!(mail.id.starts_with("<1.2.3.0-2@"), "{}", mail.id);
    let log = "foo died\nbar died\nSending notification email:\nTo: a@b, c@d\nFrom: x@y\n\
               Subject: Alert\nBody:\nfoo died\nbar died\n";
    assert_eq!(scene.world.log(), log);
    scene.tick("TICK_60");
    scene.tick("TICK_60");
    assert_eq!(scene.post.sent().len(), 1, "nothing is not mailed");
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
    assert_eq!(scene.post.texts(), ["foo died\nbar died"]);
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
    assert_eq!(scene.post.texts(), ["bar died"]);
}

#[test]
fn a_tail_stands_below_its_line_and_not_in_the_log() {
    let mut scene = Scene::new(&["--tail", "2", "--tail-by-rpc"]);
    let mut supervisor = FakeSupervisor::at(1).with("g:foo", 0).with("g:bar", 0);
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
    assert_eq!(scene.post.texts(), [text]);
}

#[test]
fn logs_are_left_out_of_a_mail_that_has_many() {
    let mut scene = Scene::new(&["--tail", "1", "--tail-by-rpc"]);
    scene.world.supervisor = FakeSupervisor::at(1).with("g:foo", 0);
    let log = ("g:foo".to_owned(), Channel::Stdout);
    scene.world.supervisor.logs.insert(log, "x".repeat(1 << 20));
    for _ in 0..300 {
        scene.crash("foo");
    }
    scene.tick("TICK_60");
    scene.crash("foo");
    scene.tick("TICK_60");
    let texts = scene.post.texts();
    assert!(texts[0].len() < MOST_LOGS + 300 * 300, "{}", texts[0].len());
    assert!(texts[0].ends_with("    | (left out: this mail has many already)\n"));
    assert!(texts[1].ends_with("xxx\n"), "the next mail has room again");
}

#[test]
fn the_log_has_the_beginning_of_a_long_text() {
    let mut scene = Scene::new(&["-s", ""]);
    scene.crash(&"é".repeat(100));
    scene.tick("TICK_60");
    let expected = format!("Subject: \nBody:\n{}...\n", "é".repeat(76));
    assert!(scene.world.log().ends_with(&expected), "{}", scene.world.log());
}

#[test]
fn a_batch_that_cannot_be_sent_is_kept_for_the_next_time() {
    let mut scene = Scene::new(&[]);
    scene.crash("foo");
    scene.post.next(&[later(), later()]);
    scene.tick("TICK_60");
    let error = "foo died\nError sending email: localhost:25: down; kept, and tried again later for \
                 a@b, c@d\n";
    assert_eq!(scene.world.log(), error);
    scene.crash("bar");
    scene.tick("TICK_60");
    assert_eq!(scene.post.texts(), ["foo died", "foo died\nbar died"]);
}

#[test]
fn only_those_who_lack_a_mail_get_it_again() {
    let mut scene = Scene::new(&[]);
    scene.crash("foo");
    scene.post.next(&[DeliveryOutcome::Delivered, later()]);
    scene.tick("TICK_60");
    scene.tick("TICK_60");
    let sent = scene.post.sent();
    assert_eq!((sent.len(), &sent[1].recipients), (2, &vec!["c@d".to_owned()]));
    assert_eq!((&sent[0].id, &sent[0].to), (&sent[1].id, &sent[1].to));
    assert!(scene.world.log().contains("To: a@b\n"), "{}", scene.world.log());
    assert!(scene.world.log().contains("To: c@d\n"), "{}", scene.world.log());
}

#[test]
fn what_everybody_refuses_is_logged_in_full() {
    let mut scene = Scene::new(&[]);
    scene.crash("foo");
    scene.post.next(&[
        DeliveryOutcome::Rejected("550 one".to_owned()),
        DeliveryOutcome::Rejected("550 two".to_owned()),
    ]);
    scene.tick("TICK_60");
    let log = "foo died\nError sending email: localhost:25: 550 one; not tried again for a@b\n\
               Error sending email: localhost:25: 550 two; not tried again for c@d\n\
               Not mailed to anyone (recipients: a@b, c@d):\nfoo died\n";
    assert_eq!(scene.world.log(), log);
    scene.tick("TICK_60");
    assert_eq!(scene.post.sent().len(), 1);
}

#[test]
fn the_end_sends_what_waits() {
    let mut scene = Scene::new(&["-i", "60"]);
    scene.crash("foo");
    scene.finish();
    assert_eq!(scene.post.texts(), ["foo died"]);
}

#[test]
fn what_the_end_cannot_send_is_logged_in_full() {
    let mut scene = Scene::new(&["-i", "60"]);
    scene.crash("foo");
    scene.post.next(&[DeliveryOutcome::Delivered, later()]);
    scene.post.next(&[later()]);
    scene.finish();
    let log = scene.world.log();
    assert!(log.ends_with("Not mailed before the end (recipients: c@d):\nfoo died\n"), "{log}");
}

#[test]
fn a_missing_tick_is_remarked_upon_once() {
    let mut scene = Scene::new(&["-i", "2", "-e", "TICK_5"]);
    assert_eq!(scene.listener.deadline(), None);
    scene.crash("foo");
    let patience = scene.listener.deadline().unwrap().duration_since(Instant::now());
    assert!((350..=360).contains(&patience.as_secs()), "{patience:?}");
    let Scene { listener, world, .. } = &mut scene;
    world.with_ctx(|ctx| listener.on_time(ctx));
    assert_eq!(listener.deadline(), None);
    assert!(world.log().ends_with("does the events= line of the configuration lack TICK_5?\n"));
    scene.crash("bar");
    assert_eq!(scene.listener.deadline(), None);
    // Ticks that are rarer than the interval are waited for.
    let mut rare = Scene::new(&["-i", "0", "-e", "TICK_3600"]);
    rare.crash("foo");
    assert!(rare.listener.deadline().unwrap() > Instant::now() + Duration::from_secs(10_000));
}

#[test]
fn what_waits_survives_the_listener() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path(), &[]);
    scene.crash("foo");
    scene.crash("bar");
    let mut scene = scene.keeping(folder.path(), &[]);
    let waits = "tool: lines wait that were not mailed before the last end\n";
    assert_eq!(scene.world.log(), waits);
    assert!(scene.listener.deadline().is_some(), "a tick that never comes is remarked upon");
    scene.crash("baz");
    scene.post.next(&[DeliveryOutcome::Delivered, later()]);
    scene.tick("TICK_60");
    // Its ids go on, too: the second mail is the first one's for those who lack it.
    let mut scene = scene.keeping(folder.path(), &[]);
    scene.tick("TICK_60");
    assert_eq!(scene.post.texts(), ["foo died\nbar died\nbaz died"; 2]);
    let sent = scene.post.sent();
    assert_eq!((&sent[0].id, &sent[1].recipients), (&sent[1].id, &vec!["c@d".to_owned()]));
    assert!(sent[0].id.starts_with("<4.5.6.0-3@"), "{}", sent[0].id);
    let mut scene = scene.keeping(folder.path(), &[]);
    assert_eq!(scene.world.log(), "");
    scene.crash("new");
    scene.tick("TICK_60");
    assert!(scene.post.sent()[2].id.starts_with("<4.5.6.3-4@"));
}

#[test]
fn a_mail_that_was_being_sent_is_sent_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path(), &[]);
    scene.crash("foo");
    let mail = scene.listener.batch.due().remove(0);
    // The listener is killed before the server's answer.
    for doubt in scene.listener.batch.in_doubt(&mail) {
        scene.listener.journal.add(&doubt);
    }
    let mut scene = scene.keeping(folder.path(), &[]);
    scene.crash("bar");
    scene.tick("TICK_60");
    scene.tick("TICK_60");
    assert_eq!(scene.post.texts(), ["foo died", "bar died"]);
}

#[test]
fn what_is_kept_at_the_end_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path(), &[]);
    scene.crash("foo");
    scene.post.next(&[later(), later()]);
    scene.finish();
    let log = scene.world.log();
    assert!(log.ends_with("Kept until the next start for a@b, c@d: 1 lines\n"), "{log}");
    let mut scene = scene.keeping(folder.path(), &[]);
    scene.tick("TICK_60");
    assert_eq!(scene.post.texts(), ["foo died"; 2]);
}

#[test]
fn lines_that_cannot_be_kept_are_mailed_all_the_same_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(&[]).keeping(folder.path(), &[]);
    // What is appended to and what is written anew.
    for name in ["batch.journal", "batch.journal.new"] {
        let path = folder.path().join("tool").join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir(path).unwrap();
    }
    for name in ["foo", "bar"] {
        scene.crash(name);
        scene.tick("TICK_60");
    }
    assert_eq!(scene.post.texts(), ["foo died", "bar died"]);
    let log = scene.world.log();
    assert_eq!(log.matches("lines that wait are not kept on disk: ").count(), 1, "{log}");
    std::fs::remove_dir(folder.path().join("tool/batch.journal.new")).unwrap();
    std::fs::remove_dir(folder.path().join("tool/batch.journal")).unwrap();
    scene.crash("baz");
    assert!(scene.world.log().ends_with("lines that wait are kept on disk again\n"));
    let mut scene = scene.keeping(folder.path(), &[]);
    scene.tick("TICK_60");
    assert_eq!(scene.post.texts().last().unwrap(), "baz died");
}
