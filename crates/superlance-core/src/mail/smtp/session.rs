//! One conversation with an SMTP server.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lettre::transport::smtp::extension::{ClientId, Extension};

use super::answer::Error;
use super::connection::Connection;
use super::message::envelope_address;
use super::{Gate, Job, Message, Tls, tls};
use crate::mail::outcome::DeliveryOutcome;
use crate::system::host_name;

/// Time for the goodbye.
const QUIT: Duration = Duration::from_secs(2);

/// Delivers `message`: an outcome for each recipient, and the connection if it is still in order.
pub(super) fn deliver(
    job: &Job,
    message: &Message,
    gate: &Gate,
) -> (Vec<DeliveryOutcome>, Option<Connection>) {
    let mut own = vec![None; message.recipients.len()];
    let outcome = converse(job, message, gate, &mut own);
    let (rest, connection) = match outcome {
        Ok(connection) => (DeliveryOutcome::Delivered, Some(connection)),
        Err(outcome) => (outcome, None),
    };
    (own.into_iter().map(|outcome| outcome.unwrap_or_else(|| rest.clone())).collect(), connection)
}

/// What happens to a recipient alone is noted in `own`; the result is about all others.
fn converse(
    job: &Job,
    message: &Message,
    gate: &Gate,
    own: &mut [Option<DeliveryOutcome>],
) -> Result<Connection, DeliveryOutcome> {
    let server = &job.settings.server;
    let says = |error: &Error| format!("{server}: {error}");
    let mut connection =
        connect(job).map_err(|error| DeliveryOutcome::Retry(format!("{server}: {error}")))?;
    let sender = envelope_address(&message.from);
    let recipients: Vec<_> = message.recipients.iter().map(|to| envelope_address(to)).collect();
    let wide = !sender.is_ascii() || !recipients.iter().all(|address| address.is_ascii());
    let wide = wide && connection.can(Extension::SmtpUtfEight);
    let parameter = if wide { " SMTPUTF8" } else { "" };
    connection.command(format_args!("MAIL FROM:<{sender}>{parameter}\r\n")).map_err(|error| {
        // Not the recipients' fault, and not for ever: a sender is allowed by configuration.
        DeliveryOutcome::Retry(format!("{server}: sender {sender:?}: {error}"))
    })?;
    let mut accepted = false;
    for (address, outcome) in recipients.iter().zip(own.iter_mut()) {
        match connection.command(format_args!("RCPT TO:<{address}>\r\n")) {
            Ok(_) => accepted = true,
            Err(error) if is_end(&error) => return Err(DeliveryOutcome::Retry(says(&error))),
            Err(error) if error.is_permanent() => {
                *outcome = Some(DeliveryOutcome::Rejected(says(&error)))
            }
            Err(error) => *outcome = Some(DeliveryOutcome::Retry(says(&error))),
        }
    }
    if accepted {
        connection.announce().map_err(|error| not_taken(&error, says(&error)))?;
        if !gate.pass() {
            return Err(DeliveryOutcome::Retry(format!(
                "{server}: given up before the mail was sent"
            )));
        }
        let _ = connection.set_limit(job.limits.mail);
        connection.mail(&message.render()).map_err(|error| match error.code() {
            Some(_) => not_taken(&error, says(&error)),
            None => DeliveryOutcome::Unknown(says(&error)),
        })?;
    }
    let _ = connection.set_limit(QUIT);
    Ok(connection)
}

/// Whether the server has closed, or is about to (421), so that nothing else can be tried.
fn is_end(error: &Error) -> bool {
    error.code().is_none_or(|code| code == 421)
}

/// A mail that the server said no to.
fn not_taken(error: &Error, reason: String) -> DeliveryOutcome {
    if error.is_permanent() {
        DeliveryOutcome::Rejected(reason)
    } else {
        DeliveryOutcome::Retry(reason)
    }
}

/// Connects, encrypts, logs in: as far as is wanted.
fn connect(job: &Job) -> Result<Connection, String> {
    let settings = &job.settings;
    let (server, hello) = (&settings.server, hello_name());
    let config = |verify| tls::config(verify).map_err(|error| format!("TLS: {error}"));
    let at_once = match settings.tls {
        Tls::Implicit => Some(config(true)?),
        Tls::Off | Tls::Required | Tls::Verified => None,
    };
    let connection = Connection::connect(server, job.limits.talk, &hello, at_once);
    let mut connection = connection.map_err(|error| error.to_string())?;
    if let Tls::Required | Tls::Verified = settings.tls {
        if !connection.can(Extension::StartTls) {
            return Err("the server does not offer STARTTLS, which is insisted on".to_owned());
        }
        let config = config(settings.tls == Tls::Verified)?;
        let started = connection.start_tls(&server.host, config, &hello);
        started.map_err(|error| format!("STARTTLS: {error}"))?;
        judge_once(job, &connection);
    }
    if let Some((user, password)) = &settings.credentials {
        let outcome = connection.log_in(user, password);
        let outcome = outcome.ok_or("the server offers neither PLAIN nor LOGIN authentication")?;
        outcome.map_err(|error| format!("authentication as {user:?}: {error}"))?;
    }
    Ok(connection)
}

/// Says, the first time, if a certificate that is not insisted on would not pass.
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

/// What to introduce oneself as: the host's name if it has a domain, else an address, as Python's
/// smtplib does.
fn hello_name() -> ClientId {
    let name = Some(host_name()).filter(|name| name.contains('.'));
    name.map_or(ClientId::Ipv4(Ipv4Addr::LOCALHOST), ClientId::Domain)
}
