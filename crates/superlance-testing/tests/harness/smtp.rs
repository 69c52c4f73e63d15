//! The SMTP server, used by Python's own client.

use std::path::Path;
use std::time::{Duration, Instant};

use superlance_testing::{SOON, SmtpAnswer, SmtpServer, wait_until};

use crate::python;

/// Connects as `s`, unless told otherwise, and attempts things; prints what came of them.
const PRELUDE: &str = r#"
import smtplib, ssl, sys
host, port = sys.argv[1].rsplit(":", 1)
MESSAGE = "Subject: hello\nX-Long: one\n two\n\ntext\n.dot\n"
TO = ["bob@example.com", "eve@example.com"]
def connect(timeout=10):
    return smtplib.SMTP(host.strip("[]"), int(port), timeout=timeout)
def attempt(f, *args, **kwargs):
    try: print(f(*args, **kwargs))
    except smtplib.SMTPRecipientsRefused as e: print({a: r[0] for a, r in e.recipients.items()})
    except smtplib.SMTPResponseException as e: print(e.smtp_code)
    except ssl.SSLCertVerificationError as e: print("not trusted:", e.verify_message)
    except Exception as e: print(type(e).__name__)
def send(s, to=TO, message=MESSAGE):
    return {a: r[0] for a, r in s.sendmail("me@example.com", to, message).items()}
def once(): return send(connect())
"#;

#[track_caller]
pub(crate) fn client(smtp: &SmtpServer, code: &str) -> String {
    client_with(smtp, code, None)
}

#[track_caller]
pub(crate) fn client_with(smtp: &SmtpServer, code: &str, authority: Option<&Path>) -> String {
    python(&format!("{PRELUDE}{code}"), &[&smtp.address()], authority)
}

#[test]
fn keeps_envelope_and_message_in_order() {
    for smtp in [SmtpServer::new(), SmtpServer::builder().ipv6().start()] {
        let code = "s = connect()\nprint(send(s), send(s, 'root', b'8-bit: caf\\xc3\\xa9\\n\\nx'))";
        assert_eq!(client(&smtp, code), "{} {}\n");
        let mails = smtp.wait_for(2);
        let [first, second] = &mails[..] else { panic!("{mails:#?}") };
        assert_eq!(first.from, "me@example.com");
        assert_eq!(first.to, ["bob@example.com", "eve@example.com"]);
        assert_eq!((first.tls, &first.user), (false, &None));
        let message = "Subject: hello\r\nX-Long: one\r\n two\r\n\r\ntext\r\n.dot\r\n";
        assert_eq!(first.message, message);
        assert_eq!(first.subject.as_deref(), Some("hello"));
        assert_eq!(first.body, "text\r\n.dot\r\n");
        assert_eq!(first.header("x-long").as_deref(), Some("one two"));
        assert_eq!(first.header("text"), None);
        assert_eq!(second.to, ["root"]);
        assert_eq!(second.subject, None);
        assert!(second.message.contains("café"));
        assert!(first.to_text().starts_with("MAIL FROM: me@example.com\nRCPT TO: bob@"));
        wait_until("the client to have gone", SOON, || smtp.is_idle());
    }
}

#[test]
fn what_is_encoded_is_read() {
    let smtp = SmtpServer::new();
    client(
        &smtp,
        "from email.mime.text import MIMEText\nm = MIMEText('né\\n'); m['Subject'] = 'café'\n\
         send(connect(), TO, m.as_string())",
    );
    let mail = smtp.wait_for(1).remove(0);
    assert!(!mail.message.contains("café"), "{}", mail.message);
    assert_eq!((mail.subject.as_deref(), mail.body.as_str()), (Some("café"), "né\n"));
}

#[test]
fn refuses_what_it_shall() {
    let smtp = SmtpServer::builder().on("RCPT eve@example.com", SmtpAnswer::Code(550)).start();
    assert_eq!(client(&smtp, "attempt(once)"), "{'eve@example.com': 550}\n");
    assert_eq!(smtp.mails()[0].to, ["bob@example.com"]);
    smtp.once("RCPT", SmtpAnswer::Code(450));
    let both = "{'bob@example.com': 450, 'eve@example.com': 550}\n{'eve@example.com': 550}\n";
    assert_eq!(client(&smtp, "attempt(once); attempt(once)"), both);
    smtp.behave();
    for (moment, code) in [("DATA", 451), ("MESSAGE", 554), ("MAIL me@example.com", 452)] {
        smtp.times(2, moment, SmtpAnswer::Code(code));
        let said = client(&smtp, "attempt(once); attempt(once); attempt(once)");
        assert_eq!(said, format!("{code}\n{code}\n{{}}\n"), "{moment}");
    }
    smtp.on("CONNECT", SmtpAnswer::Code(421));
    assert_eq!(client(&smtp, "attempt(connect)"), "421\n");
    assert_eq!(smtp.mails().len(), 5);
}

#[test]
fn closes_when_it_shall() {
    let smtp = SmtpServer::new();
    for moment in ["CONNECT", "RCPT", "DATA", "CONTENT", "MESSAGE"] {
        smtp.once(moment, SmtpAnswer::Close);
        assert_eq!(client(&smtp, "attempt(once)"), "SMTPServerDisconnected\n", "{moment}");
        assert_eq!(smtp.mails().len(), 0, "{moment}");
    }
    // Large enough for the client to notice before the end.
    smtp.once("CONTENT", SmtpAnswer::Close);
    let large = "attempt(send, connect(), TO, MESSAGE + 1_000_000 * 'more text\\n')";
    let said = client(&smtp, large);
    assert!(
        ["ConnectionResetError\n", "SMTPServerDisconnected\n", "BrokenPipeError\n"]
            .contains(&&*said),
        "{said}"
    );
    smtp.once("MESSAGE", SmtpAnswer::CloseAfter);
    assert_eq!(client(&smtp, "attempt(once)"), "SMTPServerDisconnected\n");
    assert_eq!(smtp.mails().len(), 1);
    wait_until("all clients to have gone", SOON, || smtp.is_idle());
}

#[test]
fn takes_its_time() {
    let smtp = SmtpServer::new();
    for moment in ["CONNECT", "EHLO", "MESSAGE", "CONTENT"] {
        smtp.once(moment, SmtpAnswer::Never);
        let said = client(&smtp, "attempt(lambda: send(connect(timeout=0.3)))");
        assert!(
            ["TimeoutError\n", "SMTPServerDisconnected\n"].contains(&&*said),
            "{moment}: {said}"
        );
    }
    smtp.on("CONNECT", SmtpAnswer::Drip(Duration::from_millis(10)));
    smtp.once("RCPT", SmtpAnswer::Slow(Duration::from_millis(300)));
    let start = Instant::now();
    assert_eq!(client(&smtp, "attempt(once)"), "{}\n");
    let greeting = "220 localhost ready".len();
    assert!(start.elapsed() > Duration::from_millis(300 + 10 * greeting as u64));
    assert_eq!(smtp.mails().len(), 1);
}

#[test]
fn goes_down_and_comes_back() {
    let mut smtp = SmtpServer::new();
    let address = smtp.address();
    smtp.once("MAIL", SmtpAnswer::Code(451));
    for _ in 0..2 {
        smtp.stop();
        assert_eq!(client(&smtp, "attempt(connect)"), "ConnectionRefusedError\n");
        smtp.start();
    }
    assert_eq!(smtp.address(), address);
    assert_eq!(client(&smtp, "attempt(once); attempt(once)"), "451\n{}\n");
    smtp.stop();
    smtp.start();
    client(&smtp, "send(connect(), ['x'])");
    assert_eq!(smtp.mails().iter().map(|mail| mail.to.len()).collect::<Vec<_>>(), [2, 1]);
}
