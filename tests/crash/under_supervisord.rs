//! The crash mailers as event listeners of a real supervisord.

use std::time::Duration;

use superlance_testing::{
    Ballast, Builder, Certificate, Channel, Mailbox, Scratch, SmtpServer, Supervisord,
};

use crate::links;

/// A program that crashes as soon as it runs, and is not started again.
const CRASHING: &str = "/bin/sh -c 'exit 1'";
const ONCE: [(&str, &str); 2] = [("startsecs", "0"), ("autorestart", "false")];

/// Every tick is a batch.
const BATCH: &str = "-t bob@example.com -f supervisord@example.com -e TICK_5 -i 0.01";

/// A supervisord to be that finds our programs under the names of the originals.
fn builder() -> (Builder, Scratch) {
    let (links, path) = links();
    (Supervisord::builder().first_in_path(&path), links)
}

trait Listeners: Sized {
    fn crashing(self, name: &str) -> Self;
    fn crashmail(self, arguments: &str, mailbox: &Mailbox) -> Self;
    fn batch(self, tool: &str, smtp: &SmtpServer, arguments: &str) -> Self;
}

impl Listeners for Builder {
    fn crashing(self, name: &str) -> Builder {
        self.program(name, CRASHING, &ONCE)
    }

    fn crashmail(self, arguments: &str, mailbox: &Mailbox) -> Builder {
        let command =
            format!("crashmail -m bob@example.com -s \"{}\" {arguments}", mailbox.command());
        self.listener("crashmail", &command, "PROCESS_STATE_EXITED", &[])
    }

    fn batch(self, tool: &str, smtp: &SmtpServer, arguments: &str) -> Builder {
        let command = format!("{tool} {BATCH} -H {} {arguments}", smtp.address());
        self.listener(tool, &command, "PROCESS_STATE,TICK_5", &[])
    }
}

fn log(supervisord: &Supervisord, tool: &str) -> String {
    supervisord.process_log(tool, Channel::Stderr)
}

#[track_caller]
fn wait_log(supervisord: &Supervisord, tool: &str, text: &str) {
    supervisord.wait_for_process_log(tool, Channel::Stderr, text);
}

#[test]
fn crashes_are_mailed_about_and_other_exits_are_not() {
    let ((builder, _links), mailbox, folder) = (builder(), Mailbox::new(), Scratch::new());
    let ballast = Ballast::new(0).exiting(Duration::from_millis(100), 1).command(&folder);
    let mut supervisord = builder
        .program("crashing", &ballast, &ONCE)
        .program("ending", "/bin/sh -c 'exit 0'", &[&ONCE[..], &[("exitcodes", "0")]].concat())
        .crashmail("-o host", &mailbox)
        .start();
    let mails = mailbox.wait_for(1);
    supervisord.wait_state("ending", "EXITED");
    supervisord.stop();
    let head = "To: bob@example.com\nSubject: host: crashing crashed at 2";
    assert!(mails[0].starts_with(head), "{}", mails[0]);
    let text = "Process crashing in group crashing exited unexpectedly (pid ";
    assert!(mails[0].contains(text) && mails[0].ends_with(") from state RUNNING"));
    assert_eq!(mailbox.mails().len(), 1);
    assert!(!log(&supervisord, "crashmail").contains("ending"));
}

#[test]
fn only_those_are_mailed_about_that_p_names() {
    let ((builder, _links), mailbox) = (builder(), Mailbox::new());
    let mut supervisord = builder
        .crashing("foo")
        .crashing("bar")
        .crashing("café")
        .crashmail("-p foo -p café:café", &mailbox)
        .start();
    mailbox.wait_for(2);
    let unselected = "not mailed, since no -p selects it: Process bar in group bar exited";
    wait_log(&supervisord, "crashmail", unselected);
    supervisord.stop();
    let mut mails = mailbox.mails();
    mails.sort_by_key(|mail| mail.contains("=?utf-8?"));
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains("Subject:  foo crashed at "), "{}", mails[0]);
    let encoded = mails[1].contains("Content-Type: text/plain; charset=utf-8\n");
    assert!(encoded && mails[1].contains("Subject: =?utf-8?"), "{}", mails[1]);
    // People read the log.
    let read = "Subject:  café crashed at ";
    assert!(log(&supervisord, "crashmail").contains(read), "{}", log(&supervisord, "crashmail"));
}

#[test]
fn several_crashes_come_as_one_mail_by_starttls_and_with_a_login() {
    let certificate = Certificate::signed();
    let smtp = SmtpServer::builder().starttls_required(&certificate).login("bob", "secret").start();
    let (builder, _links) = builder();
    let trusted = certificate.authority().display().to_string();
    // At the second tick, since the first may come between two of the crashes.
    let supervisord = builder
        .env("SSL_CERT_FILE", &trusted)
        .env("SUPERLANCE_SMTP_PASSWORD", "secret")
        .crashing("foo")
        .crashing("bar")
        .crashing("café")
        .batch("crashmailbatch", &smtp, "-i 0.15 --tls-verify -u bob -s \"Panne im Café\"")
        .start();
    let mail = &smtp.wait_for(1)[0];
    assert_eq!((mail.tls, mail.user.as_deref()), (true, Some("bob")));
    assert_eq!(mail.subject.as_deref(), Some("Panne im Café"));
    assert_eq!(mail.body.trim_end().lines().count(), 3, "{}", mail.body);
    for name in ["foo", "bar", "café"] {
        assert!(mail.body.contains(&format!(" -- Process {name}:{name} (pid ")), "{}", mail.body);
    }
    wait_log(&supervisord, "crashmailbatch", "Sending notification email:");
}

#[test]
fn a_certificate_that_is_refused_loses_nothing() {
    let certificate = Certificate::self_signed();
    let smtp = SmtpServer::builder().starttls(&certificate).start();
    let (builder, _links) = builder();
    let mut supervisord = builder
        .env("SSL_CERT_FILE", &Certificate::self_signed().authority().display().to_string())
        .crashing("foo")
        .batch("crashmailbatch", &smtp, "--tls-verify")
        .start();
    let kept = "; kept, and tried again later for bob@example.com\n";
    wait_log(&supervisord, "crashmailbatch", kept);
    supervisord.stop();
    let log = log(&supervisord, "crashmailbatch");
    assert!(
        log.contains("Error sending email: 127.0.0.1:") && log.contains("certificate"),
        "{log}"
    );
    let lost = "; not mailed to bob@example.com:\n2";
    assert!(log.contains(lost), "{log}");
    assert!(smtp.mails().is_empty());
}

#[test]
fn a_program_that_cannot_start_reaches_fatalmailbatch() {
    let ((builder, _links), smtp) = (builder(), SmtpServer::new());
    let _supervisord = builder
        .program("never", CRASHING, &[("startsecs", "5"), ("startretries", "0")])
        .batch("fatalmailbatch", &smtp, "")
        .start();
    let mail = &smtp.wait_for(1)[0];
    assert_eq!(mail.subject.as_deref(), Some("Fatal start alert from supervisord"));
    let text = " -- Process never:never failed to start too many times";
    assert!(mail.body.trim_end().ends_with(text), "{}", mail.body);
}

#[test]
fn what_waits_is_mailed_when_supervisord_stops() {
    let ((builder, _links), smtp) = (builder(), SmtpServer::new());
    let mut supervisord = builder
        .crashing("foo")
        .batch("crashmailbatch", &smtp, "-i 60")
        .batch("crashsms", &smtp, "-i 60")
        .start();
    for tool in ["crashmailbatch", "crashsms"] {
        wait_log(&supervisord, tool, "foo:foo");
    }
    assert!(smtp.mails().is_empty());
    supervisord.stop();
    let mails = smtp.mails();
    assert_eq!(mails.len(), 2, "{}", log(&supervisord, "crashmailbatch"));
    assert!(mails.iter().all(|mail| mail.body.contains("foo:foo")), "{mails:#?}");
}

/// Sixty programs that crash over three seconds. Mails leave one after the other while there is
/// time, and faster when supervisord stops.
#[test]
fn sixty_crashes_in_three_seconds_are_sixty_mails() {
    const COUNT: usize = 60;
    let ((builder, _links), mailbox) = (builder(), Mailbox::new());
    let pause = "ms=$((1000 + %(process_num)d * 50)); \
                 sleep $((ms / 1000)).$(printf %%03d $((ms %% 1000))); exit 1";
    let lines = [
        ("numprocs", "60"),
        ("process_name", "%(program_name)s_%(process_num)02d"),
        ("startsecs", "0"),
        ("autorestart", "false"),
    ];
    let slow = format!("-s \"sleep 0.5; {}\"", mailbox.command());
    let mut supervisord = builder
        .program("many", &format!("/bin/sh -c '{pause}'"), &lines)
        .listener(
            "crashmail",
            &format!("crashmail -m bob@example.com {slow}"),
            "PROCESS_STATE_EXITED",
            &[],
        )
        .start();
    superlance_testing::wait_until("sixty crashes", Duration::from_secs(30), || {
        log(&supervisord, "crashmail").matches("unexpected exit, mailing").count() == COUNT
    });
    mailbox.wait_for(5);
    supervisord.stop();
    let mails = mailbox.mails();
    for number in 0..COUNT {
        let subject = format!("Subject:  many_{number:02} crashed at ");
        let count = mails.iter().filter(|mail| mail.contains(&subject)).count();
        assert_eq!(count, 1, "many_{number:02}\n{}", log(&supervisord, "crashmail"));
    }
    assert!(!supervisord.log().contains("overflow"), "{}", supervisord.log());
}
