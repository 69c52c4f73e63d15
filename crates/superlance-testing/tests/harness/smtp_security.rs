//! TLS and login at the SMTP server, used by Python's own client.

use superlance_testing::{Certificate, SmtpServer};

use crate::smtp::{client, client_with};

#[test]
fn starttls_is_offered_or_required() {
    let certificate = Certificate::self_signed();
    let code = "s = connect(); attempt(send, s)\ns = connect(); s.starttls(); attempt(send, s)";
    let offered = SmtpServer::builder().starttls(&certificate).start();
    assert_eq!(client(&offered, code), "{}\n{}\n");
    assert_eq!(offered.mails().iter().map(|mail| mail.tls).collect::<Vec<_>>(), [false, true]);

    let required = SmtpServer::builder().starttls_required(&certificate).start();
    assert_eq!(client(&required, code), "530\n{}\n");
    assert_eq!(required.mails().len(), 1);

    assert_eq!(
        client(&SmtpServer::new(), "attempt(connect().starttls)"),
        "SMTPNotSupportedError\n"
    );
}

#[test]
fn only_a_good_certificate_is_trusted() {
    let code = "host = 'localhost'; s = connect()\n\
                attempt(lambda: s.starttls(context=ssl.create_default_context())[0])";
    for (certificate, verdict) in [
        (Certificate::signed(), "220\n"),
        (Certificate::expired(), "not trusted: certificate has expired\n"),
        (Certificate::for_elsewhere(), "not trusted: Hostname mismatch, certificate"),
    ] {
        let smtp = SmtpServer::builder().starttls(&certificate).start();
        let said = client_with(&smtp, code, Some(&certificate.authority()));
        assert!(said.starts_with(verdict), "{said}");
    }
    for (certificate, verdict) in [
        (Certificate::signed(), "not trusted: unable to get local issuer certificate\n"),
        (Certificate::self_signed(), "not trusted: self-signed certificate\n"),
    ] {
        let smtp = SmtpServer::builder().starttls(&certificate).start();
        assert_eq!(client(&smtp, code), verdict);
    }
}

#[test]
fn login_is_required() {
    let login = "def login(user, password):\n    s = connect(); s.login(user, password)\n    \
                 print(s.esmtp_features['auth'].split()); return send(s)\n\
                 attempt(once); attempt(login, 'bob', 'wrong'); attempt(login, 'bob', 'secret')";
    for (builder, ways) in [
        (SmtpServer::builder(), "['LOGIN', 'PLAIN']"),
        (SmtpServer::builder().without("PLAIN"), "['LOGIN']"),
        (SmtpServer::builder().without("LOGIN"), "['PLAIN']"),
    ] {
        let smtp = builder.login("bob", "secret").start();
        assert_eq!(client(&smtp, login), format!("530\n535\n{ways}\n{{}}\n"));
        let mails = smtp.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].user.as_deref(), Some("bob"));
    }
    let certificate = Certificate::self_signed();
    let smtp = SmtpServer::builder().starttls_required(&certificate).login("bob", "secret").start();
    let said = client(
        &smtp,
        "s = connect(); attempt(s.login, 'bob', 'secret'); s.starttls()\n\
         s.login('bob', 'secret'); attempt(send, s)",
    );
    assert_eq!(said, "SMTPNotSupportedError\n{}\n");
    assert!(smtp.mails()[0].tls);
}
