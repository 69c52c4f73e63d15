//! The deviations of the batch tools about mail servers, shown with ours and the original. The numbers
//! are the headings of docs/compatibility.md.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, TcpListener};
use std::thread;

use superlance_testing::{
    Certificate, ListenerState, Outcome, SmtpAnswer, SmtpServer, Subject, Transcript, Until, Who,
    record, record_both,
};

use super::{ADDRESSES, BATCHES, END, Events, batch, exit};
use crate::ours;
use crate::verdict::{assert_well, deviates};

/// Runs both, ours until it has mailed so often, for `judge` to look at.
#[track_caller]
fn deviates_in_mails(
    number: &str,
    tool: &str,
    title: &str,
    transcript: Transcript,
    mails: usize,
    judge: impl FnOnce(&Outcome, &Outcome),
) {
    let theirs = transcript.run(&Who::Theirs);
    let ours = transcript.until(Until::Mails(mails)).run(&Who::Ours(ours().to_owned()));
    judge(&theirs, &ours);
    assert_well(&ours);
    record_both(number, tool, title, &theirs, &ours);
}

#[test]
fn d16_what_cannot_be_mailed_is_kept() {
    for tool in BATCHES {
        let title = "a server that is down for two intervals";
        let transcript = batch(tool, title, &[])
            .act_on_smtp(SmtpServer::stop)
            .trouble("foo")
            .tick()
            .trouble("bar")
            .tick()
            .act_on_smtp(SmtpServer::start)
            .tick();
        deviates_in_mails("D16", tool, title, transcript, 2, |theirs, ours| {
            assert!(theirs.received.is_empty());
            assert_eq!(theirs.log.matches("Sending notification email").count(), 2);
            let [foo, bar] = &ours.received[..] else { panic!("{ours:#?}") };
            assert!(foo.message.contains("foo:foo") && bar.message.contains("bar:bar"));
            let trouble = "Error sending email: [SMTP]: Connection refused (os error 111); kept, \
                           and tried again later for bob@example.com\n";
            assert_eq!(ours.log.matches(trouble).count(), 1, "{}", ours.log);
            assert_eq!(ours.log.matches("Sending notification email").count(), 2);
            assert!(ours.log.contains("mail server [SMTP] works again\n"), "{}", ours.log);
        });
    }
}

/// The texts that this one got, whichever was first.
fn got<'a>(outcome: &'a Outcome, who: &str) -> BTreeSet<&'a str> {
    let mails = outcome.received.iter().filter(|mail| mail.to.iter().any(|to| to == who));
    mails.filter_map(|mail| mail.message.split("\r\n\r\n").nth(1)).map(str::trim_end).collect()
}

#[test]
fn d16_of_several_recipients_each_gets_each_line_once() {
    let title = "one of three recipients refused for good, one for now";
    let arguments = ["-t", "good@example.com,gone@example.com,full@example.com"];
    let server = SmtpServer::builder().on("RCPT gone@example.com", SmtpAnswer::Code(550)).times(
        1,
        "RCPT full@example.com",
        SmtpAnswer::Code(450),
    );
    let transcript = batch("crashmailbatch", title, &arguments)
        .smtp(server)
        .crash("foo")
        .tick()
        .until(Until::Mails(1))
        .crash("bar")
        .tick();
    deviates_in_mails("D16", "crashmailbatch", title, transcript, 3, |theirs, ours| {
        assert_eq!(theirs.received[1].to, ["good@example.com", "full@example.com"]);
        let foo = "[TIME] -- Process foo:foo (pid [PID]) died unexpectedly";
        let bar = foo.replace("foo", "bar");
        assert_eq!(got(theirs, "full@example.com"), BTreeSet::from([&*bar]), "foo was lost");
        assert_eq!(got(ours, "good@example.com"), BTreeSet::from([foo, &bar]));
        assert_eq!(got(ours, "full@example.com"), BTreeSet::from([foo, &bar]));
        for trouble in [
            "450 as the test wants it (for full@example.com); kept, and tried again later for \
             full@example.com\n",
            "550 as the test wants it (for gone@example.com); not mailed to gone@example.com:\n",
        ] {
            assert!(ours.log.contains(trouble), "{}", ours.log);
        }
        assert!(!theirs.log.contains("50 as the test"), "{}", theirs.log);
    });
}

#[test]
fn d16_a_mail_that_broke_off_comes_again_as_the_same() {
    let title = "closed in the middle of the mail";
    let server = SmtpServer::builder().times(1, "CONTENT", SmtpAnswer::Close);
    let transcript = batch("crashmailbatch", title, &[]).smtp(server);
    let transcript = transcript.crash("foo").tick().tick();
    deviates_in_mails("D16", "crashmailbatch", title, transcript, 1, |theirs, ours| {
        assert!(theirs.received.is_empty());
        assert_eq!(ours.received.len(), 1);
        let unknown = "; it may have arrived; kept, and tried again later for bob@example.com\n";
        assert!(ours.log.contains(unknown), "{}", ours.log);
    });
}

#[test]
fn d17_tls_is_insisted_on() {
    let certificate = Certificate::self_signed();
    let server = || SmtpServer::builder().starttls(&certificate);
    let transcript = batch("crashmailbatch", "--tls without a login", &["--tls"]).smtp(server());
    let transcript = transcript.crash("foo").tick();
    deviates("D17", &transcript, |theirs, ours| {
        assert!(!theirs.received[0].tls && ours.received[0].tls);
        let remark = "the certificate of [SMTP] would not pass (";
        assert_eq!(ours.log.matches(remark).count(), 1, "{}", ours.log);
    });
    let transcript = batch("crashmailbatch", "--tls with a server that has none", &["--tls"]);
    deviates("D17", &transcript.crash("foo").tick(), |theirs, ours| {
        assert_eq!((theirs.received.len(), ours.received.len()), (1, 0));
        let trouble = "Error sending email: [SMTP]: the server does not offer STARTTLS, which \
                       is insisted on; kept";
        assert!(ours.log.contains(trouble), "{}", ours.log);
        assert!(ours.afterwards.log.contains("; not mailed to bob@example.com:\n"), "{ours:#?}");
    });
}

#[test]
fn d18_servers_may_be_named_in_every_way() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        println!("left out: this machine has no ::1");
        return;
    }
    let transcript = batch("crashmailbatch", "[v6]:port", &[]).smtp(SmtpServer::builder().ipv6());
    deviates("D18", &transcript.crash("foo").tick(), |theirs, ours| {
        assert!(theirs.log.contains("Error sending email: "), "{}", theirs.log);
        assert_eq!((theirs.received.len(), ours.received.len()), (0, 1), "{}", ours.log);
    });
}

#[test]
fn d18_a_server_that_never_answers_holds_up_nothing() {
    let smtp = SmtpServer::builder().on("CONNECT", SmtpAnswer::Never).start();
    let arguments = ADDRESSES.map(|argument| argument.replace("{smtp}", &smtp.address()));
    let hanging = |subject: Subject| {
        let subject = subject.args(arguments.clone()).server_url("unix:///nonexistent");
        let mut listener = subject.spawn();
        listener.event("PROCESS_STATE_EXITED", &exit("foo"));
        listener.event("TICK_60", "when:1");
        listener.wait_for_log("Process foo:foo");
        listener
    };
    let mut theirs = hanging(Subject::theirs("crashmailbatch"));
    let mut ours = hanging(Subject::ours(ours(), "crashmailbatch"));
    for _ in 0..20 {
        ours.event("PROCESS_STATE_EXITED", &exit("bar"));
        assert_eq!(ours.wait_result(), "OK");
    }
    theirs.wait_idle();
    assert_eq!(theirs.state(), ListenerState::Busy);
    record("D18", "crashmailbatch", "a server that never answers");
}

#[test]
fn d19_what_waits_is_mailed_at_the_end() {
    for tool in BATCHES {
        let transcript = batch(tool, "lines wait at the end", &[]).trouble("foo");
        deviates("D19", &transcript, |theirs, ours| {
            assert!(theirs.received.is_empty() && theirs.afterwards.received.is_empty());
            let mails = &ours.afterwards.received;
            assert!(mails.len() == 1 && mails[0].message.contains("foo:foo"), "{ours:#?}");
            assert!(ours.afterwards.log.starts_with("Sending notification email:\n"));
        });
    }
}

/// A server that can do nothing but CRAM-MD5; the result is what it was asked for first after EHLO.
fn only_cram_md5() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let say = |text: &str| (&stream).write_all(text.as_bytes()).unwrap();
        say("220 ready\r\n");
        lines.next().unwrap().unwrap();
        say("250-localhost\r\n250 AUTH CRAM-MD5\r\n");
        lines.next().and_then(Result::ok).unwrap_or_default()
    });
    (address, server)
}

#[test]
fn d30_cram_md5_is_not_spoken() {
    let asked = |who: &Who| {
        let (address, server) = only_cram_md5();
        let arguments = ["-H", &address, "-u", "bob", "-p", "secret"];
        let transcript = batch("crashmailbatch", "only CRAM-MD5", &arguments);
        let outcome = transcript.crash("foo").tick().run(who);
        (server.join().unwrap(), outcome.log)
    };
    assert_eq!(asked(&Who::Theirs).0, "AUTH CRAM-MD5");
    let (command, log) = asked(&Who::Ours(ours().to_owned()));
    assert!(command.is_empty() || command == "QUIT", "{command}");
    assert!(
        log.contains("the server offers neither PLAIN nor LOGIN authentication; kept"),
        "{log}"
    );
    record("D30", "crashmailbatch", "a server that offers CRAM-MD5 only");
}

#[test]
fn d34_a_server_that_knows_no_ehlo_is_too_old() {
    let server = SmtpServer::builder().on("EHLO", SmtpAnswer::Code(502));
    let transcript = batch("crashmailbatch", "a server without EHLO", &[]).smtp(server);
    deviates("D34", &transcript.crash("foo").tick(), |theirs, ours| {
        assert_eq!(theirs.received.len(), 1, "{theirs:#?}");
        assert!(ours.received.is_empty(), "{ours:#?}");
        assert!(ours.log.contains("Error sending email: [SMTP]: 502 "), "{}", ours.log);
    });
}

#[test]
fn d22_short_messages_are_short() {
    let names = ["one", "two", "three", "four", "five"];
    let crashes = names.iter().fold(batch("crashsms", "five crashes", &[]), |sms, name| {
        sms.crash(&format!("the-group-of:number-{name}"))
    });
    deviates("D22", &crashes.tick(), |theirs, ours| {
        let text = &ours.received[0].body;
        assert_eq!(theirs.received[0].body.lines().count(), 5);
        assert!(text.lines().count() == 2 && text.trim_end().ends_with("\n+4 more"), "{text}");
        for name in names {
            assert!(ours.log.contains(&format!("[the-group-of:number-{name}](")), "{}", ours.log);
        }
    });
    let name = "n".repeat(200);
    deviates("D22", &batch("crashsms", "a long name", &[]).crash(&name).tick(), |theirs, ours| {
        assert!(theirs.received[0].body.len() > 400);
        let text = ours.received[0].body.trim_end();
        assert!(text.len() == 160 && text.ends_with("nnn..."), "{text}");
    });
}

#[test]
fn d23_negative_intervals_are_errors() {
    let transcript = batch("crashmailbatch", "a negative interval", &["-i", "-1"]);
    let theirs = transcript.crash("foo").tick().tick().run(&Who::Theirs);
    assert_eq!(theirs.received.len(), 1);
    let arguments = ["-t", "a@b", "-f", "c@d", "-i", "-1"];
    let ours = Subject::ours(ours(), "crashmailbatch").args(arguments).output(END);
    assert_eq!(ours.status.code(), Some(2));
    record_both("D23", "crashmailbatch", "an interval of -1", &theirs, &ours);
}

#[test]
fn d23_intervals_that_never_end_are_a_minute() {
    for interval in ["nan", "inf"] {
        let title = format!("an interval of {interval}");
        let transcript = batch("crashmailbatch", &title, &["-i", interval]);
        deviates("D23", &transcript.crash("foo").tick().tick(), |theirs, ours| {
            assert_eq!((theirs.received.len(), ours.received.len()), (0, 1));
            let warning = "is ignored, since it never ends: mails go out every minute\n";
            assert!(ours.log.contains(warning), "{}", ours.log);
        });
    }
}

#[test]
fn d23_a_tick_that_supervisord_does_not_have_is_named() {
    let transcript = batch("crashmailbatch", "an unknown tick", &["-e", "TICK_60_x"]);
    deviates("D23", &transcript.crash("foo").tick(), |theirs, ours| {
        assert!(!theirs.log.contains("TICK_60_x"), "{}", theirs.log);
        let warning = "supervisord has no TICK_60_x event, only TICK_5, TICK_60, TICK_3600\n";
        assert!(ours.log.contains(warning), "{}", ours.log);
    });
}
