//! Python's memmon as the program under test.

use superlance_testing::{
    Answer, Ballast, FakeProcess, FakeSupervisor, Feed, ListenerState, Subject,
};

#[test]
fn a_word_on_stdout_is_seen_as_supervisord_sees_it() {
    let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(5).spawn());
    fake.add(FakeProcess::running("foo", ballast.pid()));
    let mut memmon = Subject::theirs("memmon")
        .server_url(&fake.server_url())
        .args(["-a1", "-m", "x@y", "-s", "cat > /dev/null; echo hello"])
        .spawn();
    memmon.event("TICK_60", "when:1");
    memmon.wait_state(ListenerState::Unknown);
    assert!(memmon.surprise().unwrap().starts_with("hello\n"));
    assert!(memmon.is_running());
}

#[test]
fn what_a_listener_that_was_killed_has_not_acknowledged_is_sent_again() {
    let fake = FakeSupervisor::unix();
    fake.once("getAllProcessInfo", Answer::Hold);
    let memmon = Subject::theirs("memmon").server_url(&fake.server_url()).args(["-a", "1"]);
    let mut feed = Feed::new(memmon);
    let killed = feed.listener().pid();
    feed.event_and_kill("TICK_60", "when:1", |_| fake.wait_for_call("getAllProcessInfo"));
    assert_ne!(feed.listener().pid(), killed);
    assert_eq!(feed.listener().results(), ["OK"]);
    feed.event("TICK_60", "when:2");
    assert_eq!(feed.listener().results(), ["OK", "OK"]);
    assert_eq!(feed.logs().matches("Checking any=1").count(), fake.calls().len());
}
