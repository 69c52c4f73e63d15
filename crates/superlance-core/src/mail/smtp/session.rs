//! One conversation with an SMTP server.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lettre::transport::smtp::extension::{ClientId, Extension};
use rustls::ClientConfig;

use super::answer::Error;
use super::connection::Connection;
use super::message::envelope_address;
use super::{Gate, Job, Message, Tls, tls};
use crate::mail::mime::Encoding;
use crate::mail::outcome::DeliveryOutcome;
use crate::system::host_name;

/// Delivers `message`. Returns an outcome for each recipient, and the connection to close.
pub(super) fn deliver(
    job: &Job,
    message: &Message,
    gate: &Gate,
) -> (Vec<DeliveryOutcome>, Option<Connection>) {
    let mut own = vec![None; message.recipients.len()];
    let (rest, connection) = match connect(job) {
        Err(reason) => (DeliveryOutcome::Retry(reason), None),
        Ok(mut connection) => {
            let prepared = prepare(job, &mut connection).map_err(DeliveryOutcome::Retry);
            let sent =
                prepared.and_then(|()| converse(job, message, gate, &mut connection, &mut own));
            (sent.err().unwrap_or(DeliveryOutcome::Delivered), Some(connection))
        }
    };
    (own.into_iter().map(|outcome| outcome.unwrap_or_else(|| rest.clone())).collect(), connection)
}

/// Records in `own` the outcomes of single recipients; the result is that of all others.
fn converse(
    job: &Job,
    message: &Message,
    gate: &Gate,
    connection: &mut Connection,
    own: &mut [Option<DeliveryOutcome>],
) -> Result<(), DeliveryOutcome> {
    let encoding = message.encoding(connection.can(Extension::EightBitMime));
    let recipients = envelope(message, encoding, connection)?;
    let mut accepted = false;
    for (address, outcome) in recipients.iter().zip(own.iter_mut()) {
        match connection.command(format_args!("RCPT TO:<{address}>\r\n")) {
            Ok(_) => accepted = true,
            // Nothing else can be tried.
            Err(error) if !error.leaves_in_order() => {
                return Err(DeliveryOutcome::Retry(error.to_string()));
            }
            Err(error) => *outcome = Some(not_taken(&error)),
        }
    }
    if !accepted {
        return Ok(());
    }
    connection.announce().map_err(|error| not_taken(&error))?;
    if !gate.pass() {
        return Err(DeliveryOutcome::Retry("given up before the mail was sent".to_owned()));
    }
    let _ = connection.set_limit(job.limits.mail);
    connection.mail(&message.render(encoding)).map_err(|error| match error.code() {
        Some(_) => not_taken(&error),
        None => DeliveryOutcome::Unknown(error.to_string()),
    })
}

/// Sends the sender, and returns the recipients that the server accepts.
fn envelope(
    message: &Message,
    encoding: Encoding,
    connection: &mut Connection,
) -> Result<Vec<String>, DeliveryOutcome> {
    let sender = envelope_address(&message.from);
    let recipients: Vec<_> = message.recipients.iter().map(|to| envelope_address(to)).collect();
    let wide = !sender.is_ascii() || !recipients.iter().all(|address| address.is_ascii());
    let wide = wide && connection.can(Extension::SmtpUtfEight);
    let body = if encoding == Encoding::EightBit { " BODY=8BITMIME" } else { "" };
    let utf8 = if wide { " SMTPUTF8" } else { "" };
    connection.command(format_args!("MAIL FROM:<{sender}>{body}{utf8}\r\n")).map_err(|error| {
        // Not the recipients' fault, and not permanent: a server's configuration allows senders.
        DeliveryOutcome::Retry(format!("sender {sender:?}: {error}"))
    })?;
    Ok(recipients)
}

/// The refusal of a mail or a recipient.
fn not_taken(error: &Error) -> DeliveryOutcome {
    let reason = error.to_string();
    if error.is_permanent() {
        DeliveryOutcome::Rejected(reason)
    } else {
        DeliveryOutcome::Retry(reason)
    }
}

/// Connects, encrypted from the beginning where that is wanted.
fn connect(job: &Job) -> Result<Connection, String> {
    let Job { settings, limits, .. } = job;
    let at_once = match settings.tls {
        Tls::Implicit => Some(config(true)?),
        Tls::Off | Tls::Required | Tls::Verified => None,
    };
    let connection = Connection::connect(&settings.server, limits.talk, &hello_name(), at_once);
    connection.map_err(|error| error.to_string())
}

/// Encrypts and logs in, as configured.
fn prepare(job: &Job, connection: &mut Connection) -> Result<(), String> {
    let settings = &job.settings;
    if let Tls::Required | Tls::Verified = settings.tls {
        if !connection.can(Extension::StartTls) {
            return Err("the server does not offer STARTTLS, which is insisted on".to_owned());
        }
        let config = config(settings.tls == Tls::Verified)?;
        let started = connection.start_tls(&settings.server.host, config, &hello_name());
        started.map_err(|error| format!("STARTTLS: {error}"))?;
        judge_once(job, connection);
    }
    if let Some((user, password)) = &settings.credentials {
        let logged_in = connection.log_in(user, password.expose());
        logged_in.map_err(|error| format!("authentication as {user:?}: {error}"))?;
    }
    Ok(())
}

fn config(verify: bool) -> Result<Arc<ClientConfig>, String> {
    tls::config(verify).map_err(|error| format!("TLS: {error}"))
}

/// Logs, the first time, that a certificate would not pass verification.
fn judge_once(job: &Job, connection: &Connection) {
    let settings = &job.settings;
    if settings.tls != Tls::Required || job.judged.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Err(error) = tls::judge(&settings.server.host, connection.certificates()) {
        job.log.line(format_args!(
            "the certificate of {} would not pass ({error}); mail is sent all the same, since \
             --tls-verify is not given",
            settings.server
        ));
    }
}

/// The name for EHLO: the host's name if it has a domain, else an address, as in Python's smtplib.
fn hello_name() -> ClientId {
    let name = Some(host_name()).filter(|name| name.contains('.'));
    name.map_or(ClientId::Ipv4(Ipv4Addr::LOCALHOST), ClientId::Domain)
}
