//! `--heartbeat` and `--heartbeat-fail`: which ticks are told, and that nothing waits for that.

use std::fs;

use superlance_testing::{
    FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, Listener, SOON, Scratch, Subject,
    wait_until,
};

use super::{complaint, end};
use crate::ours;

fn paths(server: &HttpServer) -> Vec<String> {
    let requests = server.requests().into_iter();
    requests.map(|request| format!("{} {}", request.method, request.path)).collect()
}

/// A memmon beside a supervisord that knows one process, and that asks this server.
fn memmon(server: &HttpServer, fake: &FakeSupervisor) -> Listener {
    fake.add(FakeProcess::running("web", std::process::id()));
    let heartbeat = [
        format!("--heartbeat={}/T0K3N?status=up", server.url_of("user:pa55@localhost")),
        format!("--heartbeat-fail={}/T0K3N?status=down", server.url()),
    ];
    let memmon = Subject::ours(ours(), "memmon").args(["-a", "900GB"]).args(heartbeat);
    memmon.server_url(&fake.server_url()).spawn()
}

fn tick(listener: &mut Listener) {
    listener.event("TICK_60", "when:1201063880");
    assert_eq!(listener.wait_result(), "OK");
    listener.wait_idle();
}

#[test]
fn a_tick_that_was_worked_through_is_told_and_so_is_the_first_that_could_not_be() {
    let (server, mut fake) = (HttpServer::new(), FakeSupervisor::unix());
    let mut memmon = memmon(&server, &fake);
    tick(&mut memmon);
    let request = server.wait_for(1).remove(0);
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYTU1"));
    tick(&mut memmon);
    fake.stop();
    tick(&mut memmon);
    server.wait_for(2);
    tick(&mut memmon);
    fake.start();
    tick(&mut memmon);
    let log = end(memmon);
    assert_eq!(paths(&server), ["GET /T0K3N?status=up", "GET /T0K3N?status=down"], "{log}");
    assert!(!log.contains("heartbeat"), "{log}");
}

#[test]
fn a_service_that_does_not_answer_delays_no_tick() {
    let server = HttpServer::builder().usually(HttpAnswer::never()).start();
    let fake = FakeSupervisor::unix();
    let mut memmon = memmon(&server, &fake);
    tick(&mut memmon);
    server.wait_for(1);
    tick(&mut memmon);
    let log = end(memmon);
    let checks = log.lines().filter(|line| line.starts_with("Checking any=")).count();
    assert_eq!((checks, paths(&server).len()), (2, 1), "{log}");
}

#[test]
fn what_is_wrong_is_logged_without_the_url() {
    let server = HttpServer::builder().usually(HttpAnswer::status(404)).start();
    let fake = FakeSupervisor::unix();
    let mut memmon = memmon(&server, &fake);
    tick(&mut memmon);
    let line = format!("heartbeat http://localhost:{}: HTTP status 404\n", server.port());
    wait_until("the reason", SOON, || memmon.stderr().contains(&line));
    assert!(!end(memmon).contains("T0K3N"));
}

#[test]
fn a_failed_check_of_httpok_is_work_and_one_that_cannot_be_made_is_not() {
    let (server, fake) = (HttpServer::new(), FakeSupervisor::unix());
    fake.add(FakeProcess::running("web", std::process::id()));
    let heartbeat = [
        format!("--heartbeat={}/up", server.url()),
        format!("--heartbeat-fail={}/down", server.url()),
    ];
    for (check, told) in [
        (&["--action=alert", "--exec=exit 1"][..], "GET /up"),
        (&["--ca-file=/nonexistent", "https://127.0.0.1:1/"], "GET /down"),
    ] {
        let httpok = Subject::ours(ours(), "httpok").args(["-p", "web"]).args(heartbeat.clone());
        let httpok = httpok.args(check.iter().copied());
        let mut httpok = httpok.server_url(&fake.server_url()).spawn();
        tick(&mut httpok);
        server.wait_for(1);
        let log = end(httpok);
        assert_eq!(paths(&server), [told], "{log}");
        server.forget_requests();
    }
}

#[test]
fn exitmon_tells_that_it_has_seen_all_processes_and_that_it_could_not() {
    let (server, mut fake) = (HttpServer::new(), FakeSupervisor::unix());
    fake.add(FakeProcess::running("web", std::process::id()));
    let heartbeat = [
        format!("--heartbeat={}/up", server.url()),
        format!("--heartbeat-fail={}/down", server.url()),
    ];
    let exitmon = Subject::ours(ours(), "exitmon").args(heartbeat);
    let mut exitmon = exitmon.server_url(&fake.server_url()).spawn();
    // It looks at its start, and a tick that comes meanwhile is left out.
    let mut tick_until_told = |what: &str| {
        wait_until(what, SOON, || {
            tick(&mut exitmon);
            paths(&server).last().is_some_and(|path| path == what)
        });
    };
    tick_until_told("GET /up");
    fake.stop();
    tick_until_told("GET /down");
    let log = end(exitmon);
    assert_eq!(paths(&server)[..2], ["GET /up", "GET /down"], "{log}");
}

#[test]
fn batch_tools_have_it_too_and_the_url_may_be_in_a_file() {
    let (server, folder) = (HttpServer::new(), Scratch::new());
    fs::write(folder.join("url"), format!("{}/T0K3N\n", server.url())).unwrap();
    let file = format!("--heartbeat=file:{}", folder.join("url").display());
    let mut batch = Subject::ours(ours(), "crashmailbatch").args(["--notify=cat", &file]).spawn();
    tick(&mut batch);
    server.wait_for(1);
    end(batch);
    assert_eq!(paths(&server), ["GET /T0K3N"]);
}

#[test]
fn a_wrong_url_is_an_error_that_does_not_repeat_it() {
    let subject = |url: &str| {
        Subject::ours(ours(), "memmon")
            .args(["-a", "1GB", "--heartbeat-fail", url])
            .server_url("unix:///nonexistent")
    };
    let said = complaint(&subject("ftp://T0K3N/"), 2);
    assert!(said.contains("the URL of --heartbeat-fail has a scheme other than"), "{said}");
    assert!(!said.contains("T0K3N"), "{said}");
    let said = complaint(&subject("env:NOT_SET"), 1);
    assert!(said.contains("--heartbeat-fail env:NOT_SET: no such environment variable"), "{said}");
}
