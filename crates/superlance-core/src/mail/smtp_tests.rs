//! Mails to servers that refuse, fall silent, or leave in the middle.

use std::net::TcpListener;
use std::time::{Instant, SystemTime};

use super::scripted::Answer::{Close, Drip, Flood, Say, Silence};
use super::scripted::{Script, converse, server};
use super::*;
use crate::testing::Recorder;

fn message(text: &str) -> Message {
    let recipients: Vec<_> = ["a@b", "c@d", "root"].map(str::to_owned).to_vec();
    Message {
        from: "Super <x@y>".to_owned(),
        to: recipients.clone(),
        recipients,
        subject: Some("s".to_owned()),
        text: text.to_owned(),
        id: "<1@localhost>".to_owned(),
        date: SystemTime::UNIX_EPOCH,
        as_mime_text: false,
    }
}

fn smtp(port: u16, change: impl FnOnce(&mut Settings)) -> Smtp {
    let server = Server { host: "127.0.0.1".to_owned(), port };
    let mut settings = Settings { server, credentials: None, tls: Tls::Off };
    change(&mut settings);
    let mut smtp = Smtp::new(settings, Arc::new(Log::new(Recorder::default())));
    let limit = Duration::from_secs(1);
    smtp.job.limits = Limits { talk: limit, mail: limit };
    smtp
}

/// Sends a mail with this text. Returns the outcomes, and what the server heard.
fn send(script: Script, text: &str) -> (Vec<DeliveryOutcome>, Vec<String>) {
    send_with(script, text, |_| ())
}

fn send_with(
    script: Script,
    text: &str,
    change: impl FnOnce(&mut Settings),
) -> (Vec<DeliveryOutcome>, Vec<String>) {
    let (port, thread) = server(script);
    let started = Instant::now();
    let smtp = smtp(port, change);
    let outcomes = smtp.send(&message(text));
    assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
    (outcomes, thread.join().unwrap())
}

fn all(outcome: fn(String) -> DeliveryOutcome, reason: &str) -> Vec<DeliveryOutcome> {
    vec![outcome(reason.to_owned()); 3]
}

#[test]
fn a_mail_goes_to_everybody_with_its_dots_and_without_an_extra_line() {
    let (outcomes, heard) = send(&[], "one\n.two\n\n...");
    assert_eq!(outcomes, vec![DeliveryOutcome::Delivered; 3]);
    assert!(heard[0].starts_with("EHLO "), "{heard:?}");
    let envelope = ["MAIL FROM:<x@y>", "RCPT TO:<a@b>", "RCPT TO:<c@d>", "RCPT TO:<root>", "DATA"];
    assert_eq!(heard[1..6], envelope);
    assert_eq!(heard[heard.len() - 7..], ["", "one", "..two", "", "....", ".", "QUIT"]);
}

#[test]
fn each_recipient_stands_alone() {
    let script: Script = &[
        ("RCPT TO:<a@b>", Say("550 5.1.1 no such user")),
        ("RCPT TO:<c@d>", Say("450-4.2.0 greylisted\r\n450 4.2.0 come back")),
    ];
    let (outcomes, heard) = send(script, "x");
    let refused = DeliveryOutcome::Rejected("550 5.1.1 no such user".to_owned());
    let later = DeliveryOutcome::Retry("450 4.2.0 greylisted come back".to_owned());
    assert_eq!(outcomes, [refused, later, DeliveryOutcome::Delivered]);
    assert!(heard.contains(&"DATA".to_owned()));
}

#[test]
fn when_all_are_refused_no_mail_is_sent() {
    let (outcomes, heard) = send(&[("RCPT", Say("554 no"))], "x");
    assert_eq!(outcomes, all(DeliveryOutcome::Rejected, "554 no"));
    assert!(!heard.contains(&"DATA".to_owned()));
}

#[test]
fn trouble_before_the_mail_leaves_it_for_later() {
    for (script, reason) in [
        (&[("", Say("421 too busy"))][..], "421 too busy"),
        (&[("", Close)], "the server closed the connection"),
        (&[("", Silence)], "no answer"),
        (&[("", Drip)], "not ready for a mail within 1 seconds"),
        (&[("EHLO", Drip)], "not ready for a mail within 1 seconds"),
        (&[("MAIL", Say("530 log in first"))], "sender \"x@y\": 530 log in first"),
        (&[("RCPT TO:<c@d>", Say("421 shutting down"))], "421 shutting down"),
        (&[("RCPT TO:<c@d>", Close)], "the server closed the connection"),
        (&[("DATA", Say("451 disk full"))], "451 disk full"),
        (&[("DATA", Close)], "the server closed the connection"),
        (&[(".", Say("452 disk full"))], "452 disk full"),
    ] {
        let (outcomes, _) = send(script, "x");
        match outcomes.first() {
            // Silence is noticed by the reading thread or by the waiting one, whichever comes
            // first.
            Some(DeliveryOutcome::Retry(said)) if reason == "no answer" => {
                assert!(said == reason || said.starts_with("not ready"), "{said}");
            }
            _ => assert_eq!(outcomes, all(DeliveryOutcome::Retry, reason), "{script:?}"),
        }
    }
}

#[test]
fn a_refused_mail_is_refused_for_good() {
    assert_eq!(send(&[(".", Say("554 spam"))], "x").0, all(DeliveryOutcome::Rejected, "554 spam"));
}

#[test]
fn a_mail_without_an_answer_may_have_arrived() {
    let closed = all(DeliveryOutcome::Unknown, "the server closed the connection");
    assert_eq!(send(&[(".", Close)], "x").0, closed);
    let drip = all(DeliveryOutcome::Unknown, "no answer to the mail within 1 seconds");
    assert_eq!(send(&[(".", Drip)], "x").0, drip);
    let (outcomes, _) = send(&[(".", Silence)], "x");
    assert!(matches!(outcomes[0], DeliveryOutcome::Unknown(_)), "{outcomes:?}");
    // In the middle of the mail.
    let (outcomes, _) = send(&[], "close here\nand no further");
    assert!(matches!(outcomes[0], DeliveryOutcome::Unknown(_)), "{outcomes:?}");
}

#[test]
fn a_server_writes_no_line_of_its_own_into_the_log() {
    let script: Script = &[("RCPT", Say("550-no\x0bfoo:foo\r\r\n550 was started again\x1b[2J"))];
    let (outcomes, _) = send(script, "x");
    assert_eq!(outcomes, all(DeliveryOutcome::Rejected, "550 no foo:foo was started again [2J"));
    // What stands behind a line end is an answer to nothing.
    let (outcomes, _) = send(&[("RCPT", Say("550 no\n250 ok"))], "x");
    let unasked = DeliveryOutcome::Retry("the server says what it was not asked".to_owned());
    assert_eq!(
        outcomes,
        [DeliveryOutcome::Rejected("550 no".to_owned()), unasked.clone(), unasked]
    );
}

#[test]
fn an_answer_has_an_end_and_a_form() {
    for (script, reason) in [
        (&[("", Flood("x"))][..], "the answer of the server is too long"),
        (&[("RCPT", Flood("550-no\r\n"))], "the answer of the server is too long"),
        (&[("", Say("SSH-2.0-OpenSSH"))], "what the server says is not SMTP"),
        (&[("MAIL", Say("999 what"))], "sender \"x@y\": what the server says is not SMTP"),
        (&[("MAIL", Say("25"))], "sender \"x@y\": what the server says is not SMTP"),
        (&[("MAIL", Say("250ok"))], "sender \"x@y\": what the server says is not SMTP"),
        (&[("DATA", Say("250 ok"))], "the server answered to DATA as if it had the mail already"),
    ] {
        assert_eq!(send(script, "x").0, all(DeliveryOutcome::Retry, reason), "{script:?}");
    }
}

#[test]
fn goodbyes_without_an_answer_change_nothing_and_do_not_pile_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || converse(&[("QUIT", Silence)], &stream, &mut Vec::new()));
        }
    });
    let smtp = smtp(port, |_| ());
    for _ in 0..100 {
        assert_eq!(smtp.send(&message("x")), vec![DeliveryOutcome::Delivered; 3]);
    }
    let count = Arc::strong_count(&smtp.job.threads);
    assert!(count <= MANY_THREADS + 2, "{count}");
}

#[test]
fn a_refused_connection_is_for_later() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let reason = "Connection refused (os error 111)";
    assert_eq!(smtp(port, |_| ()).send(&message("x")), all(DeliveryOutcome::Retry, reason));
}

#[test]
fn encryption_is_insisted_on() {
    for tls in [Tls::Required, Tls::Verified] {
        let (outcomes, heard) = send_with(&[], "x", |settings| settings.tls = tls);
        let reason = "the server does not offer STARTTLS, which is insisted on";
        assert_eq!(outcomes, all(DeliveryOutcome::Retry, reason));
        assert_eq!(heard[1..], ["QUIT"]);
        let script: Script =
            &[("EHLO", Say("250-me\r\n250 STARTTLS")), ("STARTTLS", Say("454 not now"))];
        let (outcomes, heard) = send_with(script, "x", |settings| settings.tls = tls);
        assert_eq!(outcomes, all(DeliveryOutcome::Retry, "STARTTLS: 454 not now"));
        assert!(!heard.iter().any(|line| line.starts_with("MAIL")), "{heard:?}");
    }
}

#[test]
fn a_user_logs_in() {
    let user = |settings: &mut Settings| {
        settings.credentials = Some(("me".to_owned(), "secret".into()));
    };
    let script: Script =
        &[("EHLO", Say("250-me\r\n250 AUTH CRAM-MD5 PLAIN")), ("AUTH", Say("235 ok"))];
    let (outcomes, heard) = send_with(script, "x", user);
    assert_eq!(
        (outcomes, heard[1].as_str()),
        (vec![DeliveryOutcome::Delivered; 3], "AUTH PLAIN AG1lAHNlY3JldA==")
    );
    let script: Script = &[
        ("EHLO", Say("250-me\r\n250 AUTH LOGIN")),
        ("AUTH LOGIN", Say("334 VXNlcm5hbWU6")),
        ("bWU=", Say("334 UGFzc3dvcmQ6")),
        ("c2VjcmV0", Say("535 5.7.8 wrong")),
    ];
    let (outcomes, _) = send_with(script, "x", user);
    assert_eq!(outcomes, all(DeliveryOutcome::Retry, "authentication as \"me\": 535 5.7.8 wrong"));
    let (outcomes, _) = send_with(&[], "x", user);
    let reason =
        "authentication as \"me\": the server offers neither PLAIN nor LOGIN authentication";
    assert_eq!(outcomes, all(DeliveryOutcome::Retry, reason));
}

#[test]
fn login_is_tried_where_plain_is_refused() {
    let user = |settings: &mut Settings| {
        settings.credentials = Some(("me".to_owned(), "secret".into()));
    };
    let script: Script = &[
        ("EHLO", Say("250-me\r\n250 AUTH PLAIN LOGIN")),
        ("AUTH PLAIN", Say("504 5.5.4 not here")),
        ("AUTH LOGIN", Say("334 VXNlcm5hbWU6")),
        ("bWU=", Say("334 UGFzc3dvcmQ6")),
        ("c2VjcmV0", Say("235 ok")),
    ];
    assert_eq!(send_with(script, "x", user).0, vec![DeliveryOutcome::Delivered; 3]);
    // A server that has had enough has said why.
    let script: Script = &[
        ("EHLO", Say("250-me\r\n250 AUTH PLAIN LOGIN")),
        ("AUTH PLAIN", Say("535 wrong")),
        ("AUTH LOGIN", Close),
    ];
    let (outcomes, _) = send_with(script, "x", user);
    assert_eq!(outcomes, all(DeliveryOutcome::Retry, "authentication as \"me\": 535 wrong"));
}

#[test]
fn whatever_is_refused_the_conversation_is_ended() {
    for script in [
        &[("MAIL", Say("550 not you"))][..],
        &[("RCPT", Say("550 not them"))],
        &[("DATA", Say("451 not now"))],
        &[(".", Say("554 not this"))],
    ] {
        let (_, heard) = send(script, "x");
        assert_eq!(heard.last().map(String::as_str), Some("QUIT"), "{script:?}: {heard:?}");
    }
    // The server is gone.
    let (_, heard) = send(&[("MAIL", Say("421 shutting down"))], "x");
    assert!(!heard.contains(&"QUIT".to_owned()), "{heard:?}");
}

#[test]
fn what_is_not_ascii_goes_out_readable_to_every_server() {
    let (_, heard) = send(&[("EHLO", Say("250-me\r\n250 8BITMIME"))], "é = ▁▂▃");
    assert!(heard.contains(&"MAIL FROM:<x@y> BODY=8BITMIME".to_owned()), "{heard:?}");
    assert!(heard.contains(&"é = ▁▂▃".to_owned()), "{heard:?}");
    let (_, heard) = send(&[], "é =");
    assert!(heard.contains(&"MAIL FROM:<x@y>".to_owned()), "{heard:?}");
    assert!(heard.contains(&"=C3=A9 =3D".to_owned()), "{heard:?}");
}

#[test]
fn attempts_that_hang_do_not_pile_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || converse(&[("", Drip)], &stream, &mut Vec::new()));
        }
    });
    let mut smtp = smtp(port, |_| ());
    smtp.job.limits.talk = Duration::from_millis(100);
    for _ in 0..HANGING {
        smtp.send(&message("x"));
    }
    let reason = "8 earlier attempts still hang";
    assert_eq!(smtp.send(&message("x")), all(DeliveryOutcome::Retry, reason));
}
