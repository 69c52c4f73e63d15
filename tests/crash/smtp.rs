//! Mail servers that fail: a clear line in the log, nothing is lost, and no recipient gets a mail twice.
//! What is compared with the original is in `batch_deviations`.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Instant;

use nix::sys::signal::Signal;
use superlance_testing::{Certificate, Listener, SmtpAnswer, SmtpServer};

use super::{END, exit, our_batch};

/// A crashmailbatch that has lines about these, and has got a tick.
#[track_caller]
fn mailing(smtp: &SmtpServer, arguments: &[&str], names: &[&str]) -> Listener {
    let tool = our_batch("crashmailbatch", smtp).args(arguments.iter().copied());
    // No authorities but those that a test names.
    let mut listener = tool.env("SSL_CERT_FILE", "/nonexistent").spawn();
    for name in names {
        listener.event("PROCESS_STATE_EXITED", &exit(name));
    }
    tick(&mut listener);
    listener
}

fn tick(listener: &mut Listener) {
    listener.event("TICK_60", "when:1201063880");
}

#[track_caller]
fn end(mut listener: Listener) -> String {
    listener.close_stdin();
    assert_eq!(listener.wait_exit(END).code(), Some(0));
    listener.stderr()
}

fn text(smtp: &SmtpServer, number: usize) -> String {
    smtp.mails()[number].body.clone()
}

#[test]
fn a_server_that_never_answers_is_left_at_the_end_with_all_lines_in_the_log() {
    // Before the mail was sent, and when the server has it but does not say so.
    for moment in ["EHLO", "MESSAGE"] {
        let smtp = SmtpServer::builder().on(moment, SmtpAnswer::Never).start();
        let mut listener = mailing(&smtp, &[], &["foo", "g:bar"]);
        listener.wait_idle();
        // Behind the mail that hangs, and acknowledged all the same.
        listener.event("PROCESS_STATE_EXITED", &exit("late"));
        assert_eq!(listener.wait_result(), "OK");
        let started = Instant::now();
        listener.signal(Signal::SIGTERM);
        assert_eq!(listener.wait_exit(END).signal(), Some(Signal::SIGTERM as i32), "{moment}");
        assert!(started.elapsed() < END);
        let log = listener.stderr();
        let (before, unsent) =
            log.split_once("Not mailed in time (recipients: bob@example.com):\n").unwrap();
        assert!(
            unsent.contains("Process foo:foo (") && unsent.contains("Process g:bar ("),
            "{log}"
        );
        // It is logged at once, whatever hangs.
        let late = "Process late:late (";
        assert!(before.contains(late) && unsent.contains(late), "{log}");
    }
}

#[test]
fn at_the_end_a_server_that_is_down_costs_no_time() {
    let mut smtp = SmtpServer::new();
    smtp.stop();
    let started = Instant::now();
    let log = end(mailing(&smtp, &[], &["foo"]));
    assert!(started.elapsed().as_secs() < 5, "{log}");
    assert!(log.contains("Connection refused"), "{log}");
    let lines = "; not mailed to bob@example.com:\n2";
    assert!(log.contains(lines) && log.ends_with(" died unexpectedly\n"), "{log}");
}

#[test]
fn what_a_refused_sender_or_login_or_mail_means_is_said() {
    let certificate = Certificate::self_signed();
    let login = ["-u", "bob", "-p", "wrong"];
    for (builder, arguments, trouble) in [
        (
            SmtpServer::builder().on("MAIL", SmtpAnswer::Code(550)),
            &[][..],
            "sender \"supervisord@example.com\": 550 as the test wants it; kept",
        ),
        (SmtpServer::builder().on("CONNECT", SmtpAnswer::Close), &[], "; kept"),
        (SmtpServer::builder().on("EHLO", SmtpAnswer::Close), &[], "; kept"),
        (
            SmtpServer::builder().on("RCPT", SmtpAnswer::Code(421)),
            &[],
            "421 as the test wants it; kept",
        ),
        (
            SmtpServer::builder().on("DATA", SmtpAnswer::Code(451)),
            &[],
            "451 as the test wants it; kept",
        ),
        (
            SmtpServer::builder().on("MESSAGE", SmtpAnswer::Code(452)),
            &[],
            "452 as the test wants it; kept",
        ),
        (SmtpServer::builder().login("bob", "right"), &login, "authentication as \"bob\": 535 "),
        (
            SmtpServer::builder().starttls(&certificate).on("STARTTLS", SmtpAnswer::Close),
            &["--tls"],
            "STARTTLS: ",
        ),
    ] {
        let smtp = builder.start();
        let mut listener = mailing(&smtp, arguments, &["foo"]);
        let log = listener.wait_for_log("Error sending email: ");
        assert!(log.contains(trouble), "should say {trouble:?}, but says:\n{log}");
        assert!(log.contains("; kept, and tried again later for bob@example.com\n"), "{log}");
        // Whatever it was, once it is over the mail arrives.
        if !arguments.contains(&"wrong") {
            smtp.behave();
            tick(&mut listener);
            assert!(smtp.wait_for(1)[0].body.contains("Process foo:foo ("));
        }
        end(listener);
        assert!(smtp.mails().len() <= 1, "{:#?}", smtp.mails());
    }
}

/// 5xx is the server's last word on a mail, so it is written down and not tried for ever.
#[test]
fn a_mail_that_nobody_may_get_is_in_the_log() {
    let smtp = SmtpServer::builder().on("RCPT", SmtpAnswer::Code(550)).start();
    let mut listener = mailing(&smtp, &[], &["foo"]);
    listener.wait_for_log("550 as the test wants it; not mailed to bob@example.com:\n");
    smtp.behave();
    tick(&mut listener);
    let log = end(listener);
    assert_eq!(log.matches("Error sending email: ").count(), 1, "{log}");
    assert!(smtp.mails().is_empty());
}

#[test]
fn a_mail_that_was_taken_without_an_answer_comes_again_under_its_id() {
    let smtp = SmtpServer::builder().times(1, "MESSAGE", SmtpAnswer::CloseAfter).start();
    let mut listener = mailing(&smtp, &[], &["foo"]);
    listener.wait_for_log("it may have arrived; kept, and tried again later for bob@example.com\n");
    let mails = smtp.wait_for(2);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[0].body, mails[1].body);
    listener.wait_for_log("Sending notification email");
    listener.event("PROCESS_STATE_EXITED", &exit("bar"));
    tick(&mut listener);
    let mails = smtp.wait_for(3);
    assert_ne!(mails[2].header("Message-ID"), mails[1].header("Message-ID"));
    assert!(!text(&smtp, 2).contains("foo") && text(&smtp, 2).contains("bar"));
    end(listener);
    assert_eq!(smtp.mails().len(), 3);
}

#[test]
fn a_certificate_is_judged_if_asked_for() {
    let log_of = |certificate: &Certificate, trusted: bool| {
        let smtp = SmtpServer::builder().starttls(certificate).start();
        let authority = certificate.authority().display().to_string();
        let authority = if trusted { authority.as_str() } else { "/nonexistent" };
        let tool = our_batch("crashmailbatch", &smtp).args(["--tls-verify"]);
        let mut listener = tool.env("SSL_CERT_FILE", authority).spawn();
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        tick(&mut listener);
        listener.wait_for_log("ending ");
        (end(listener), smtp.mails())
    };
    for (certificate, trusted) in [
        (Certificate::signed(), false),
        (Certificate::expired(), true),
        (Certificate::for_elsewhere(), true),
    ] {
        let (log, mails) = log_of(&certificate, trusted);
        assert!(log.contains("certificate"), "{log}");
        assert!(log.contains("; kept, and tried again later for bob@example.com\n"), "{log}");
        assert!(log.contains("; not mailed to bob@example.com:\n"), "{log}");
        assert!(mails.is_empty());
    }
    let (log, mails) = log_of(&Certificate::signed(), true);
    assert!(mails.len() == 1 && mails[0].tls, "{log}");
    assert!(!log.contains("would not pass"), "{log}");
}

#[test]
fn a_password_may_come_from_the_environment() {
    let smtp = SmtpServer::builder().login("bob", "secret").start();
    for (argument, variable, user) in
        [(None, "secret", Some("bob")), (Some("-psecret"), "wrong", Some("bob"))]
    {
        let tool = our_batch("crashmailbatch", &smtp).args(["-u", "bob"]).args(argument);
        let mut listener = tool.env("SUPERLANCE_SMTP_PASSWORD", variable).spawn();
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        let log = end(listener);
        assert_eq!(smtp.mails().last().unwrap().user.as_deref(), user, "{log}");
    }
}
