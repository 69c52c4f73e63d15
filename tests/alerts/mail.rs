//! `--smtp-url` with real mail servers: with TLS and without, answering and failing.

use superlance_testing::{Certificate, Scratch, SmtpAnswer, SmtpServer, Subject};

use super::{complaint, crash, crashmail, end, text};

const TO: [&str; 2] = ["-m", "bob@example.com, Eve <eve@example.com>"];

fn mailing(smtp: &SmtpServer, url: &str) -> Subject {
    let url = url.replace("SERVER", &format!("localhost:{}", smtp.port()));
    crashmail(TO).args(["--from", "sv@example.com", "--smtp-url", &url])
}

#[test]
fn a_mail_is_the_same_as_by_a_command() {
    let smtp = SmtpServer::new();
    let mut listener = mailing(&smtp, "smtp://SERVER").spawn();
    crash(&mut listener, "foo");
    let mail = smtp.wait_for(1).remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.tls, mail.user.as_deref()),
        ("sv@example.com", false, None)
    );
    assert_eq!(mail.to, ["bob@example.com", "eve@example.com"]);
    assert_eq!(mail.header("To").as_deref(), Some("bob@example.com, Eve <eve@example.com>"));
    assert!(mail.subject.unwrap().trim().starts_with("foo crashed at "));
    assert_eq!(mail.body.trim_end(), text("foo"));
    let log = end(listener);
    let said = "unexpected exit, mailing\nMailed:\n\nTo: bob@example.com, Eve <eve@example.com>\n\
                Subject:  foo crashed at ";
    assert!(log.starts_with(said) && log.ends_with(&format!("\n\n{}\n", text("foo"))), "{log}");
}

#[test]
fn mails_go_out_encrypted_to_servers_that_can_be_trusted_with_a_login() {
    let certificate = Certificate::signed();
    let trusted = certificate.authority().display().to_string();
    let folder = Scratch::new();
    std::fs::write(folder.join("password"), "s3cr3t\n").unwrap();
    let file = folder.join("password").display().to_string();
    let builders = [
        (SmtpServer::builder().implicit_tls(&certificate), "smtps://bob%40x@SERVER"),
        (
            SmtpServer::builder().starttls_required(&certificate),
            "smtp://bob%40x@SERVER?tls=required",
        ),
    ];
    for (builder, url) in builders {
        let smtp = builder.login("bob@x", "s3cr3t").start();
        let subject = mailing(&smtp, url).env("SSL_CERT_FILE", &trusted);
        for subject in [
            subject.clone().env("SUPERLANCE_SMTP_PASSWORD", "s3cr3t"),
            subject.args(["--smtp-password-file", &file]),
        ] {
            let before = smtp.mails().len();
            let mut listener = subject.spawn();
            crash(&mut listener, "foo");
            let mail = smtp.wait_for(before + 1).remove(before);
            assert_eq!((mail.tls, mail.user.as_deref()), (true, Some("bob@x")), "{url}");
            assert!(!end(listener).contains("s3cr3t"));
        }
    }
}

#[test]
fn a_server_that_cannot_be_trusted_gets_no_mail_and_no_password() {
    for (certificate, trusted) in [
        (Certificate::self_signed(), false),
        (Certificate::for_elsewhere(), true),
        (Certificate::expired(), true),
    ] {
        let smtp = SmtpServer::builder().implicit_tls(&certificate).login("bob", "s3cr3t").start();
        let authority = certificate.authority().display().to_string();
        let subject =
            mailing(&smtp, "smtps://bob@SERVER").env("SUPERLANCE_SMTP_PASSWORD", "s3cr3t");
        let subject = if trusted { subject.env("SSL_CERT_FILE", &authority) } else { subject };
        let mut listener = subject.spawn();
        crash(&mut listener, "foo");
        listener.wait_for_log("; alerts are kept, and tried again\n");
        let log = end(listener);
        assert!(log.contains("ertificate") && !log.contains("s3cr3t"), "{log}");
        // The alert is in the log, since no transport delivered it.
        assert!(log.contains(". The alert was:\n\nfoo crashed at ") && log.contains(&text("foo")));
        assert!(smtp.mails().is_empty());
    }
}

#[test]
fn a_server_that_is_away_gets_the_mails_when_it_is_back() {
    let mut smtp = SmtpServer::new();
    smtp.stop();
    let mut listener = mailing(&smtp, "smtp://SERVER").spawn();
    for name in ["one", "two", "three"] {
        crash(&mut listener, name);
    }
    let kept = "; alerts are kept, and tried again\n";
    listener.wait_for_log(kept);
    smtp.start();
    let mails = smtp.wait_for(3);
    let texts: Vec<_> = mails.iter().map(|mail| mail.body.trim_end()).collect();
    assert_eq!(texts, [text("one"), text("two"), text("three")]);
    listener.wait_for_log(" works again\n");
    let log = end(listener);
    // It is said once, however many mails there are and however often they are tried.
    assert_eq!((log.matches(kept).count(), log.matches("Mailed:").count()), (1, 3), "{log}");
    assert_eq!(smtp.mails().len(), 3);
}

#[test]
fn each_recipient_is_on_his_own() {
    let smtp = SmtpServer::builder()
        .on("RCPT eve@example.com", SmtpAnswer::Code(550))
        .times(1, "RCPT bob@example.com", SmtpAnswer::Code(450))
        .start();
    let mut listener = mailing(&smtp, "smtp://SERVER").spawn();
    crash(&mut listener, "foo");
    let mails = smtp.wait_for(1);
    assert_eq!(mails[0].to, ["bob@example.com"]);
    let log = end(listener);
    assert!(
        log.contains("550 as the test wants it (for Eve <eve@example.com>). The alert was:\n"),
        "{log}"
    );
    assert_eq!(smtp.mails().len(), 1);
}

#[test]
fn a_mail_that_may_have_arrived_comes_again_under_its_id() {
    let smtp = SmtpServer::builder().times(1, "MESSAGE", SmtpAnswer::CloseAfter).start();
    let mut listener = mailing(&smtp, "smtp://SERVER").spawn();
    crash(&mut listener, "foo");
    let mails = smtp.wait_for(2);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    let log = end(listener);
    assert!(log.contains("it may have arrived; alerts are kept, and tried again"), "{log}");
}

#[test]
fn at_the_end_a_server_that_hangs_is_left_and_the_mail_is_in_the_log() {
    let smtp = SmtpServer::builder().on("EHLO", SmtpAnswer::Never).start();
    let mut listener = mailing(&smtp, "smtp://SERVER").spawn();
    crash(&mut listener, "foo");
    listener.wait_for_log("unexpected exit, mailing\n");
    let log = end(listener);
    assert!(log.contains("Not sent in time to mail server localhost:"), "{log}");
    assert!(log.ends_with(&format!("\n\n{}\n", text("foo"))), "{log}");
}

#[test]
fn the_batch_tools_mail_over_the_same_url() {
    let certificate = Certificate::signed();
    let smtp = SmtpServer::builder().implicit_tls(&certificate).login("bob", "pw").start();
    let url = format!("smtps://bob@localhost:{}", smtp.port());
    let arguments =
        ["-t", "bob@example.com", "--from=sv@example.com", "--smtp-url", &url, "--hostname"];
    let subject = Subject::ours(crate::ours(), "crashmailbatch").args(arguments);
    let authority = certificate.authority().display().to_string();
    let subject = subject.env("SSL_CERT_FILE", &authority).env("SUPERLANCE_SMTP_PASSWORD", "pw");
    let mut listener = subject.spawn();
    crash(&mut listener, "foo");
    listener.event("TICK_60", "when:1");
    let mail = smtp.wait_for(1).remove(0);
    assert_eq!(
        (mail.tls, mail.user.as_deref(), mail.from.as_str()),
        (true, Some("bob"), "sv@example.com")
    );
    assert!(mail.subject.unwrap().ends_with(": Crash alert from supervisord"));
    assert!(mail.body.contains("Process g:foo (pid 58597) died unexpectedly"), "{}", mail.body);
    end(listener);
}

#[test]
fn what_makes_no_sense_says_what_was_expected_and_no_secret() {
    let bob = ["-m", "bob"];
    for (arguments, expected) in [
        (&["--smtp-url", "smtp://localhost"][..], "-m is not: expected an address"),
        (&["-m", "bob", "-s", "cat", "--smtp-url", "smtp://h"], "expected one of them"),
        (&["-m", "bob", "--smtp-url", "smtp://u:s3cr3t@h"], "SUPERLANCE_SMTP_PASSWORD"),
        (&["-m", "bob", "--smtp-url", "smtps://u@h"], "there is no password"),
        (&["-m", "bob", "--smtp-url", "http://u:s3cr3t@h"], "expected"),
    ] {
        let complaint = complaint(&crashmail(arguments.iter().copied()), 2);
        assert!(complaint.contains(expected) && !complaint.contains("s3cr3t"), "{complaint}");
    }
    let subject = crashmail(bob).args(["--smtp-url", "smtp://u@mail.example.com"]);
    let message = complaint(&subject.env("SUPERLANCE_SMTP_PASSWORD", "s3cr3t"), 2);
    assert!(message.contains("?tls=required") && !message.contains("s3cr3t"), "{message}");
    let subject =
        crashmail(bob).args(["--smtp-url", "smtps://u@h", "--smtp-password-file", "/no/such"]);
    let message = complaint(&subject, 1);
    assert!(message.contains("--smtp-password-file /no/such: No such file"), "{message}");
    let batch = ["-t", "a@b", "-f", "c@d", "--smtp-url", "smtp://h", "-H", "h"];
    let message = complaint(&Subject::ours(crate::ours(), "crashsms").args(batch), 2);
    assert!(message.contains("cannot be used with"), "{message}");
}
