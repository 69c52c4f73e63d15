//! Alerts of listeners that a real supervisord runs.

use std::time::{Duration, Instant};

use superlance_testing::{
    Ballast, Builder, Certificate, Channel, HttpAnswer, HttpServer, SOON, Scratch, SmtpAnswer,
    SmtpServer, Supervisord, wait_until,
};

use super::json;
use crate::links;

const CRASHING: &str = "/bin/sh -c 'exit 1'";
const ONCE: [(&str, &str); 2] = [("startsecs", "0"), ("autorestart", "false")];

fn builder() -> (Builder, Scratch) {
    let (links, path) = links();
    (Supervisord::builder().first_in_path(&path), links)
}

#[test]
fn memmon_tells_a_chat_and_mails_over_tls_with_secrets_from_its_environment() {
    let certificate = Certificate::signed();
    let smtp = SmtpServer::builder().implicit_tls(&certificate).login("bob", "s3cr3t").start();
    let (chat, folder) = (HttpServer::new(), Scratch::new());
    let (builder, _links) = builder();
    let command = format!(
        "memmon -a 20MB -m bob@example.com --smtp-url smtps://bob@localhost:{} --webhook env:CHAT",
        smtp.port()
    );
    let environment = format!(
        "SUPERLANCE_SMTP_PASSWORD=\"s3cr3t\",CHAT=\"{}/hooks/T0K3N\",SSL_CERT_FILE=\"{}\"",
        chat.url(),
        certificate.authority().display()
    );
    let mut supervisord = builder
        .program("foo", &Ballast::new(60).command(&folder), &[])
        .listener("memmon", &command, "TICK_5", &[("environment", &environment)])
        .start();
    let mail = smtp.wait_for(1).remove(0);
    assert_eq!(mail.subject.as_deref(), Some("memmon: process foo:foo restarted"));
    assert!(mail.tls && mail.from.starts_with("memmon@"), "{mail:#?}");
    let request = chat.wait_for(1).remove(0);
    assert_eq!(request.path, "/hooks/T0K3N");
    let body = json(&chat, 0);
    assert_eq!((&body["kind"], &body["action"]), (&"restarted".into(), &"restart".into()));
    assert!(body["measured"]["rss"].as_u64().unwrap() > 60 << 20, "{body}");
    supervisord.stop();
    let log = supervisord.process_log("memmon", Channel::Stderr);
    assert!(log.contains("Sent to webhook http://127.0.0.1:"), "{log}");
    assert!(!log.contains("s3cr3t") && !log.contains("T0K3N"), "{log}");
}

#[test]
fn a_slow_relay_and_a_slow_chat_do_not_delay_the_next_check() {
    let smtp = SmtpServer::builder().on("EHLO", SmtpAnswer::Never).start();
    let chat = HttpServer::builder().usually(HttpAnswer::never()).start();
    let ((builder, _links), folder) = (builder(), Scratch::new());
    let command = format!(
        "memmon -p foo=20MB -m bob@example.com --smtp-url smtp://{} --webhook {}",
        smtp.address(),
        chat.url()
    );
    let supervisord = builder
        .program("foo", &Ballast::new(60).command(&folder), &[])
        .listener("memmon", &command, "TICK_5", &[])
        .start();
    chat.wait_for(1);
    let started = Instant::now();
    let checks = || {
        let log = supervisord.process_log("memmon", Channel::Stderr);
        log.matches("Restarting foo:foo").count()
    };
    // Three more ticks; the time limits of relay and chat are longer than that.
    wait_until("the next checks", SOON, || checks() >= 3);
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn crashmail_runs_a_command() {
    let ((builder, _links), folder) = (builder(), Scratch::new());
    let file = folder.join("out");
    let command = format!(
        "crashmail --notify \"echo $SUPERLANCE_GROUP:$SUPERLANCE_PROCESS $SUPERLANCE_SUBJECT >> {}\"",
        file.display()
    );
    let _supervisord = builder
        .program("foo", CRASHING, &ONCE)
        .listener("crashmail", &command, "PROCESS_STATE_EXITED", &[])
        .start();
    let written = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_until("the command", SOON, || written().ends_with('\n'));
    assert!(written().starts_with("foo:foo foo crashed at 2"), "{}", written());
}

#[test]
fn crashmailbatch_tells_a_chat() {
    let chat = HttpServer::new();
    let (builder, _links) = builder();
    let command = format!("crashmailbatch -e TICK_5 -i 0.15 --hostname --webhook {}", chat.url());
    let _supervisord = builder
        .program("foo", CRASHING, &ONCE)
        .program("bar", CRASHING, &ONCE)
        .listener("crashmailbatch", &command, "PROCESS_STATE_EXITED,TICK_5", &[])
        .start();
    chat.wait_for(1);
    let body = json(&chat, 0);
    assert!(body["subject"].as_str().unwrap().ends_with(": Crash alert from supervisord"));
    let text = body["text"].as_str().unwrap();
    assert!(
        text.contains("Process foo:foo (pid ") && text.contains("Process bar:bar (pid "),
        "{text}"
    );
}
