//! Alertmanager and PagerDuty: services that keep an alert until it is over.

use nix::sys::signal::Signal;
use serde_json::Value;
use superlance_testing::{
    FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, Listener, SOON, Scratch, Subject,
    wait_until,
};

use super::{END, complaint, crash, crashmail, end, json};
use crate::ours;

fn pagerduty(server: &HttpServer) -> [String; 4] {
    let url = server.url();
    ["--webhook", &url, "--webhook-format=pagerduty", "--webhook-key=env:KEY"].map(str::to_owned)
}

/// A memmon beside this supervisord.
fn memmon(fake: &FakeSupervisor, arguments: impl IntoIterator<Item = String>) -> Listener {
    let memmon = Subject::ours(ours(), "memmon").args(["-a", "900GB"]).args(arguments);
    memmon.env("KEY", "R0UT1NG").server_url(&fake.server_url()).spawn()
}

fn tick(listener: &mut Listener) {
    listener.event("TICK_60", "when:1201063880");
    assert_eq!(listener.wait_result(), "OK");
    listener.wait_idle();
}

#[test]
fn alertmanager_gets_a_crash_that_ends_by_itself() {
    let server = HttpServer::builder().then(HttpAnswer::status(503)).start();
    let url = server.url();
    let arguments =
        ["--webhook", &url, "--webhook-format=alertmanager", "--label=team=web", "--label", "a=b"];
    let mut listener = crashmail(arguments).spawn();
    crash(&mut listener, "foo");
    // It answers 503 first.
    let requests = server.wait_for(2);
    assert_eq!(
        (requests[1].method.as_str(), requests[1].path.as_str()),
        ("POST", "/api/v2/alerts")
    );
    let alert = json(&server, 1)[0].clone();
    let labels = [
        ("alertname", "SuperlanceExited"),
        ("severity", "warning"),
        ("group", "g"),
        ("process", "foo"),
        ("team", "web"),
        ("a", "b"),
    ];
    for (name, value) in labels {
        assert_eq!(alert["labels"][name], value, "{alert}");
    }
    // The start is past by now, the end is not.
    assert!(alert["endsAt"].as_str() > alert["startsAt"].as_str(), "{alert}");
    let log = end(listener);
    assert!(log.contains(&format!("Sent to webhook {url}: foo crashed at ")), "{log}");
    // An end before group_wait is over would hide the alert from all receivers.
    assert_eq!(server.requests().len(), 2, "{log}");
}

#[test]
fn pagerduty_is_told_that_a_crash_is_over_after_the_interval() {
    let server = HttpServer::builder().usually(HttpAnswer::status(202)).start();
    let crashmail = crashmail(pagerduty(&server)).args(["--alert-interval=2s"]);
    let mut listener = crashmail.env("KEY", "R0UT1NG").spawn();
    crash(&mut listener, "foo");
    // Held back from people only, and it lasts: PagerDuty need not know.
    crash(&mut listener, "foo");
    let requests = server.wait_for(2);
    assert_eq!(requests[0].path, "/v2/enqueue");
    let (first, last) = (json(&server, 0), json(&server, 1));
    assert_eq!(
        (&first["event_action"], &last["event_action"]),
        (&"trigger".into(), &"resolve".into())
    );
    assert!(first["dedup_key"].as_str().unwrap().ends_with("/crashmail/g:foo//exited"), "{first}");
    assert_eq!(
        (&first["dedup_key"], &first["routing_key"]),
        (&last["dedup_key"], &"R0UT1NG".into())
    );
    let log = end(listener);
    assert!(log.contains(" (over)\n") && !log.contains("R0UT1NG"), "{log}");
    assert_eq!(server.requests().len(), 2, "{log}");
}

#[test]
fn pagerduty_is_told_that_it_is_over_when_supervisord_no_longer_has_the_process() {
    let server = HttpServer::builder().usually(HttpAnswer::status(202)).start();
    let fake = FakeSupervisor::unix();
    let crashmail = crashmail(pagerduty(&server)).args(["--on=fatal", "--alert-interval=1s"]);
    let mut listener = crashmail.env("KEY", "R0UT1NG").server_url(&fake.server_url()).spawn();
    listener.event("PROCESS_STATE_FATAL", "processname:foo groupname:g from_state:BACKOFF");
    server.wait_for(2);
    let (first, last) = (json(&server, 0), json(&server, 1));
    assert_eq!(first["payload"]["class"], "fatal");
    assert_eq!(
        (&last["event_action"], &last["dedup_key"]),
        (&"resolve".into(), &first["dedup_key"])
    );
    end(listener);
}

/// Kills it as the system does that lacks memory.
fn kill(mut listener: Listener) {
    listener.signal(Signal::SIGKILL);
    listener.wait_exit(END);
}

#[test]
fn after_a_kill_alertmanager_is_told_again_what_lasts_and_that_it_is_over() {
    let (server, fake, spool) = (HttpServer::new(), FakeSupervisor::unix(), Scratch::new());
    let spool = format!("--spool={}", spool.path().display());
    let url = server.url();
    let arguments =
        ["--on=fatal", "--webhook", &url, "--webhook-format=alertmanager", spool.as_str()];
    let mut killed = crashmail(arguments).server_url(&fake.server_url()).spawn();
    killed.event("PROCESS_STATE_FATAL", "processname:foo groupname:g from_state:BACKOFF");
    server.wait_for(1);
    let first = json(&server, 0)[0].clone();
    kill(killed);
    server.forget_requests();
    let next = crashmail(arguments).args(["--alert-interval=1s"]);
    let next = next.server_url(&fake.server_url()).spawn();
    // The first again, if it was killed before the answer; that it lasts; that it is over.
    let told = || (0..server.requests().len()).map(|number| json(&server, number)[0].clone());
    let is_over = |alert: &Value| alert["endsAt"].as_str() < first["endsAt"].as_str();
    wait_until("the end", SOON, || told().any(|alert| is_over(&alert)));
    let log = end(next);
    let ends: Vec<_> = told().map(|alert| is_over(&alert)).collect();
    assert!(matches!(ends[..], [false, true] | [false, false, true]), "{ends:?} {log}");
    assert!(told().all(|alert| alert["labels"] == first["labels"]), "{first} {log}");
}

#[test]
fn a_url_that_a_later_httpok_does_not_check_is_resolved() {
    let server = HttpServer::builder().usually(HttpAnswer::status(202)).start();
    let (ill, well) =
        (HttpServer::builder().usually(HttpAnswer::status(500)).start(), HttpServer::new());
    let (fake, spool) = (FakeSupervisor::unix(), Scratch::new());
    let spool = format!("--spool={}", spool.path().display());
    let start = |url: String| {
        let httpok = Subject::ours(ours(), "httpok").args(pagerduty(&server)).args([&spool, &url]);
        httpok.env("KEY", "R0UT1NG").server_url(&fake.server_url()).spawn()
    };
    let mut first = start(ill.url());
    tick(&mut first);
    server.wait_for(1);
    kill(first);
    let mut next = start(well.url());
    tick(&mut next);
    // The trigger again, if it was killed before the answer.
    let told = || (0..server.requests().len()).map(|number| json(&server, number));
    let is_over = |event: &Value| event["event_action"] == "resolve";
    wait_until("the end", SOON, || told().any(|event| is_over(&event)));
    let log = end(next);
    assert!(log.contains(" is not watched any more: what was told of it is over\n"), "{log}");
    assert!(told().all(|event| event["dedup_key"] == json(&server, 0)["dedup_key"]), "{log}");
}

#[test]
fn after_a_kill_pagerduty_gets_what_it_had_not_taken_once_and_its_end() {
    let (server, spool) =
        (HttpServer::builder().usually(HttpAnswer::status(503)).start(), Scratch::new());
    let spool = format!("--spool={}", spool.path().display());
    let start = || {
        let crashmail = crashmail(pagerduty(&server)).args([&spool, "--alert-interval=2s"]);
        crashmail.env("KEY", "R0UT1NG").spawn()
    };
    let mut killed = start();
    crash(&mut killed, "foo");
    server.wait_for(1);
    kill(killed);
    server.forget_requests();
    server.usually(HttpAnswer::status(202));
    let next = start();
    server.wait_for(2);
    let log = end(next);
    let actions: Vec<_> =
        (0..2).map(|number| json(&server, number)["event_action"].clone()).collect();
    assert_eq!(actions, ["trigger", "resolve"], "{log}");
    assert_eq!(server.requests().len(), 2, "{log}");
}

#[test]
fn without_a_spool_what_is_over_at_once_is_resolved_at_the_end() {
    let server = HttpServer::builder().usually(HttpAnswer::status(202)).start();
    let mut listener = crashmail(pagerduty(&server)).env("KEY", "R0UT1NG").spawn();
    crash(&mut listener, "foo");
    server.wait_for(1);
    end(listener);
    assert_eq!(json(&server, 1)["event_action"], "resolve");
}

/// What the server is told by a blind memmon, and by the next one, which is not.
fn blind_and_healed(server: &HttpServer, webhook: &[String]) -> (Value, Value) {
    let (spool, mut fake) = (Scratch::new(), FakeSupervisor::unix());
    fake.add(FakeProcess::running("web", std::process::id()));
    let spool = format!("--spool={}", spool.path().display());
    let arguments = || webhook.iter().cloned().chain([spool.clone()]);
    fake.stop();
    let mut blind = memmon(&fake, arguments());
    (0..4).for_each(|_| tick(&mut blind));
    server.wait_for(1);
    end(blind);
    fake.start();
    let mut healed = memmon(&fake, arguments());
    tick(&mut healed);
    server.wait_for(2);
    tick(&mut healed);
    let log = end(healed);
    assert_eq!(server.requests().len(), 2, "{log}");
    (json(server, 0), json(server, 1))
}

#[test]
fn a_later_listener_resolves_that_the_one_before_it_was_blind() {
    let server = HttpServer::new();
    let (first, last) = blind_and_healed(&server, &pagerduty(&server));
    assert_eq!(first["payload"]["class"], "blind");
    assert_eq!(first["payload"]["severity"], "critical");
    assert_eq!(
        (&last["event_action"], &last["dedup_key"]),
        (&"resolve".into(), &first["dedup_key"])
    );
}

#[test]
fn a_later_listener_tells_people_that_it_is_not_blind_any_more() {
    let server = HttpServer::new();
    let (first, last) = blind_and_healed(&server, &["--webhook".to_owned(), server.url()]);
    assert_eq!((&first["kind"], &last["kind"]), (&"blind".into(), &"recovered".into()));
    assert_eq!(last["subject"], "memmon: can check again");
}

#[test]
fn what_does_not_belong_together_is_an_error() {
    let said = |arguments: &[&str]| {
        let memmon = Subject::ours(ours(), "memmon").args(["-a", "1GB"]).env("KEY", "K3Y");
        complaint(&memmon.args(arguments.iter().copied()).server_url("unix:///nonexistent"), 2)
    };
    let url = "--webhook=http://127.0.0.1:1/";
    for (arguments, expected) in [
        (&[url, "--webhook-format=pagerduty"][..], "the format pagerduty and --webhook-key belong"),
        (&[url, "--webhook-key=env:KEY"], "the format pagerduty and --webhook-key belong"),
        (
            &[url, "--webhook-format=pagerduty", "--webhook-key=K3Y"],
            "expected env:NAME or file:PATH",
        ),
        (&[url, "--label=team=web"], "expected a --webhook of the format alertmanager"),
        (&[url, "--label=alert-name=web"], "expected NAME=VALUE"),
    ] {
        let said = said(arguments);
        assert!(said.contains(expected) && !said.contains("K3Y"), "{said}");
    }
}
