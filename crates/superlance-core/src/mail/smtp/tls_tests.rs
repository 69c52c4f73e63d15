//! STARTTLS with a server whose certificate no authority vouches for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::mail::smtp::{DeliveryOutcome, Message, Server, Settings, Smtp, Tls};
use crate::system::log::Log;
use crate::testing::Recorder;

/// For localhost and 127.0.0.1, signed by itself, for a hundred years.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBmTCCAT6gAwIBAgIUTDCKZkZGUZq9LDBuccGGSHMwmtEwCgYIKoZIzj0EAwIw\n\
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE4MzMwNVoYDzIxMjYxMDI5\n\
MTgzMzA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n\
PQMBBwNCAAQQk0MY0l76oFSenw/VsbN51VXgdULQNAAQEafiqkIdBBOW4Kl47BF/\n\
tNmi85PcS637zccNzDsV7UG2f3/9CSyCo2wwajAdBgNVHQ4EFgQU5Z1MMoQdtpRb\n\
N3V8f0qcTeCq3kUwHwYDVR0jBBgwFoAU5Z1MMoQdtpRbN3V8f0qcTeCq3kUwDAYD\n\
VR0TAQH/BAIwADAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0E\n\
AwIDSQAwRgIhAKvW1rbAdgq8ruCDOLEHU2IF9inEITTPUXqrmilOSfvpAiEAr1KA\n\
58HjIHVSQK+S0nVGOX55CD4+vt6EBntE7oAMA7M=\n\
-----END CERTIFICATE-----\n\
";

/// Its key, which is used nowhere else.
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8Ci8QKPVeqquBujy\n\
4Da5Iu+RYdwBWb/g3iQAGuFhSLihRANCAAQQk0MY0l76oFSenw/VsbN51VXgdULQ\n\
NAAQEafiqkIdBBOW4Kl47BF/tNmi85PcS637zccNzDsV7UG2f3/9CSyC\n\
-----END PRIVATE KEY-----\n\
";

/// Serves two connections; the result is what was said to it over encrypted ones. `go` is its answer
/// to STARTTLS.
fn server(go: &'static str) -> (u16, JoinHandle<Vec<String>>) {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let mut heard = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            stream.write_all(b"220 ready\r\n").unwrap();
            // The client waits for each answer, so nothing is read too far.
            let mut command = [0; 512];
            let _ = stream.read(&mut command).unwrap();
            stream.write_all(b"250-me\r\n250 STARTTLS\r\n").unwrap();
            let _ = stream.read(&mut command).unwrap();
            stream.write_all(go.as_bytes()).unwrap();
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = converse(StreamOwned::new(connection, stream), &mut heard);
        }
        heard
    });
    (port, thread)
}

fn converse(stream: impl Read + Write, heard: &mut Vec<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut in_mail = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        heard.push(command.clone());
        in_mail = (in_mail || command == "DATA") && command != ".";
        let answer = match command.as_str() {
            "DATA" => "354 go ahead\r\n",
            _ if in_mail => continue,
            _ => "250 ok\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

/// Sends two mails. Returns their outcomes, the log, and what the server heard.
fn send(tls: Tls) -> (Vec<DeliveryOutcome>, String, Vec<String>) {
    send_to(server("220 go ahead\r\n"), tls)
}

fn send_to(
    (port, thread): (u16, JoinHandle<Vec<String>>),
    tls: Tls,
) -> (Vec<DeliveryOutcome>, String, Vec<String>) {
    let recorder = Recorder::default();
    let server = Server { host: "127.0.0.1".to_owned(), port };
    let settings = Settings { server, credentials: None, tls };
    let smtp = Smtp::new(settings, Arc::new(Log::new(recorder.clone())));
    let message = Message {
        from: "x@y".to_owned(),
        to: vec!["a@b".to_owned()],
        recipients: vec!["a@b".to_owned()],
        subject: None,
        text: "x".to_owned(),
        id: "<1@localhost>".to_owned(),
        date: SystemTime::UNIX_EPOCH,
        as_mime_text: false,
    };
    let outcomes = (0..2).flat_map(|_| smtp.send(&message)).collect();
    (outcomes, recorder.text(), thread.join().unwrap())
}

#[test]
fn a_certificate_that_is_not_insisted_on_is_mentioned_once() {
    let (outcomes, log, heard) = send(Tls::Required);
    assert_eq!(outcomes, [DeliveryOutcome::Delivered, DeliveryOutcome::Delivered]);
    assert_eq!(heard.iter().filter(|line| *line == "MAIL FROM:<x@y>").count(), 2, "{heard:?}");
    assert_eq!(log.matches("the certificate of 127.0.0.1:").count(), 1, "{log}");
    assert!(log.contains(" would not pass (") && log.lines().count() == 1, "{log}");
}

#[test]
fn a_certificate_that_is_insisted_on_stops_the_mail() {
    let (outcomes, _, heard) = send(Tls::Verified);
    for outcome in &outcomes {
        let DeliveryOutcome::Retry(reason) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("STARTTLS: "), "{reason}");
    }
    assert_eq!((outcomes.len(), heard.len()), (2, 0), "{heard:?}");
}

/// An attacker on the network could answer in the server's place, before anything is encrypted.
#[test]
fn what_was_said_before_the_encryption_is_no_answer_to_what_comes_after() {
    let injected = "220 go ahead\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n";
    let (outcomes, _, heard) = send_to(server(injected), Tls::Required);
    for outcome in &outcomes {
        let DeliveryOutcome::Retry(reason) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("STARTTLS: "), "{reason}");
    }
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn no_certificate_at_all_does_not_pass() {
    assert_eq!(judge("localhost", &[]), Err("it sent none".to_owned()));
    assert!(judge("localhost", &[CertificateDer::from(vec![1, 2, 3])]).is_err());
    assert!(judge("not a name", &[]).is_err());
}
