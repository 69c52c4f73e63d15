//! Listeners under a real supervisord that go blind, and that feed a real Alertmanager where
//! `make prometheus` has fetched it.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;
use superlance_testing::{
    Channel, HttpAnswer, HttpServer, SOON, Scratch, Supervisord, wait_for, wait_until,
};

use super::json;
use crate::docs::file;
use crate::links;

const ALERTMANAGER: &str = "target/prometheus/usr/bin/prometheus-alertmanager";

/// A route that passes each alert on by itself and soon, and that ends what is not told again.
const CONFIGURATION: &str = "\
global: {resolve_timeout: 2s}
route: {receiver: test, group_by: ['...'], group_wait: 1s, group_interval: 1s}
receivers: [{name: test, webhook_configs: [{url: 'RECEIVER/', send_resolved: true}]}]
";

const ONCE: [(&str, &str); 2] = [("startsecs", "0"), ("autorestart", "false")];

#[test]
fn refused_credentials_make_memmon_blind_and_right_ones_heal_it() {
    let ((links, path), server, folder) = (links(), HttpServer::new(), Scratch::new());
    let credentials = folder.write("credentials", "SUPERVISOR_PASSWORD=wrong\n");
    let script = format!(
        "set -a; KEY=R0UT1NG; SUPERVISOR_USERNAME=bob; . {}; exec memmon -a 900GB --webhook {} \
         --webhook-format pagerduty --webhook-key env:KEY \
         --spool {} --status-file {}",
        credentials.display(),
        server.url(),
        folder.join("spool").display(),
        folder.join("status").display()
    );
    let supervisord = Supervisord::builder()
        .first_in_path(&path)
        .login("bob", "s3cret")
        .program("foo", "sleep 1000", &[])
        .listener("memmon", &format!("/bin/sh -c \"{script}\""), "TICK_5", &[])
        .start();
    server.wait_for(1);
    let log = || supervisord.process_log("memmon", Channel::Stderr);
    assert_eq!(json(&server, 0)["payload"]["class"], "blind");
    let said = log();
    assert!(said.contains("Cannot check: ") && !said.contains("Checking "), "{said}");
    let status = fs::read_to_string(folder.join("status")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(status["trouble"].is_string(), "{status}");
    fs::write(&credentials, "SUPERVISOR_PASSWORD=s3cret\n").unwrap();
    supervisord.ctl(&["restart", "memmon"]);
    server.wait_for(2);
    assert_eq!(json(&server, 1)["event_action"], "resolve");
    wait_until("the next check", SOON, || log().contains("Checking "));
    drop(links);
}

#[test]
fn alertmanager_shows_what_happened_for_a_while_and_what_lasts_until_it_is_over() {
    let alertmanager = file(ALERTMANAGER);
    if !alertmanager.exists() {
        eprintln!("left out: alerts to the real Alertmanager, which is not there: make prometheus");
        return;
    }
    let ((links, path), receiver, folder) = (links(), HttpServer::new(), Scratch::new());
    let site = HttpServer::builder().usually(HttpAnswer::status(500)).start();
    let configuration =
        folder.write("alertmanager.yml", CONFIGURATION.replace("RECEIVER", &receiver.url()));
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    // Debian's reads its template at one place only, so it gets a /usr/share of its own.
    let command = format!(
        "unshare -rm sh -c 'mount --bind {} /usr/share && exec {} --config.file={} --storage.path={} \
         --web.listen-address=127.0.0.1:{port} --cluster.listen-address='",
        file("target/prometheus/usr/share").display(),
        alertmanager.display(),
        configuration.display(),
        folder.join("storage").display()
    );
    let to = format!("--webhook http://127.0.0.1:{port} --webhook-format alertmanager");
    let httpok = format!("httpok -p foo --action alert {to} {}/", site.url());
    let crashmail = format!("crashmail --alert-interval 6s {to}");
    let supervisord = Supervisord::builder()
        .first_in_path(&path)
        .program("alertmanager", &command, &[])
        .program("foo", "sleep 1000", &[])
        .program("crash", "/bin/sh -c 'sleep 1; exit 3'", &ONCE)
        .listener("crashmail", &crashmail, "PROCESS_STATE_EXITED", &[])
        .listener("httpok", &httpok, "TICK_5", &[])
        .start();
    let told = |name: &str, status: &str| {
        let bodies = receiver.requests().into_iter().map(|request| request.body);
        let mut alerts = bodies.flat_map(|body| {
            let body: Value = serde_json::from_str(&body).unwrap();
            body["alerts"].as_array().unwrap().clone()
        });
        alerts.find(|alert| alert["labels"]["alertname"] == name && alert["status"] == status)
    };
    let wait = |name: &str, status: &str| wait_for(name, SOON, || told(name, status));
    let exited = wait("SuperlanceExited", "firing");
    assert_eq!(exited["labels"]["process"], "crash");
    let failing = wait("SuperlanceBadStatus", "firing");
    assert_eq!(failing["labels"]["severity"], "warning");
    // It ends by itself, which takes three times as long as the resolve_timeout; what lasts does not.
    wait("SuperlanceExited", "resolved");
    assert_eq!(told("SuperlanceBadStatus", "resolved"), None);
    site.usually(HttpAnswer::status(200));
    wait("SuperlanceBadStatus", "resolved");
    drop((supervisord, links));
}
