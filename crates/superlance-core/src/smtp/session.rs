//! One conversation with an SMTP server.

use std::error::Error as _;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::Data;
use lettre::transport::smtp::extension::{ClientId, Extension};
use nix::unistd::gethostname;

use super::message::envelope_address;
use super::{Gate, Job, Message, Tls, tls};
use crate::fate::Fate;
use crate::mime::one_line;

/// Time for the goodbye.
const QUIT: Duration = Duration::from_secs(2);

/// Delivers `message`: a fate for each recipient, and the connection if it is still in order.
pub(super) fn deliver(
    job: &Job,
    message: &Message,
    gate: &Gate,
) -> (Vec<Fate>, Option<SmtpConnection>) {
    let mut own = vec![None; message.recipients.len()];
    let outcome = converse(job, message, gate, &mut own);
    let (rest, connection) = match outcome {
        Ok(connection) => (Fate::Delivered, Some(connection)),
        Err(fate) => (fate, None),
    };
    (own.into_iter().map(|fate| fate.unwrap_or_else(|| rest.clone())).collect(), connection)
}

/// What happens to a recipient alone is noted in `own`; the result is about all others.
fn converse(
    job: &Job,
    message: &Message,
    gate: &Gate,
    own: &mut [Option<Fate>],
) -> Result<SmtpConnection, Fate> {
    let server = &job.settings.server;
    let says = |error: &Error| format!("{server}: {}", describe(error));
    let mut connection = connect(job).map_err(|error| Fate::Later(format!("{server}: {error}")))?;
    let sender = envelope_address(&message.from);
    let recipients: Vec<_> = message.recipients.iter().map(|to| envelope_address(to)).collect();
    let wide = !sender.is_ascii() || !recipients.iter().all(|address| address.is_ascii());
    let wide = wide && connection.server_info().supports_feature(Extension::SmtpUtfEight);
    let parameter = if wide { " SMTPUTF8" } else { "" };
    connection.command(format_args!("MAIL FROM:<{sender}>{parameter}\r\n")).map_err(|error| {
        // Not the recipients' fault, and not for ever: a sender is allowed by configuration.
        Fate::Later(format!("{server}: sender {sender:?}: {}", describe(&error)))
    })?;
    let mut accepted = false;
    for (address, fate) in recipients.iter().zip(own.iter_mut()) {
        match connection.command(format_args!("RCPT TO:<{address}>\r\n")) {
            Ok(_) => accepted = true,
            Err(error) if is_end(&error) => return Err(Fate::Later(says(&error))),
            Err(error) if error.is_permanent() => *fate = Some(Fate::Refused(says(&error))),
            Err(error) => *fate = Some(Fate::Later(says(&error))),
        }
    }
    if accepted {
        connection.command(Data).map_err(|error| not_taken(&error, says(&error)))?;
        if !gate.pass() {
            return Err(Fate::Later(format!("{server}: given up before the mail was sent")));
        }
        let _ = connection.set_timeout(Some(job.limits.mail));
        connection.message(message.render().as_bytes()).map_err(|error| match error.status() {
            Some(_) => not_taken(&error, says(&error)),
            None => Fate::Unknown(says(&error)),
        })?;
    }
    let _ = connection.set_timeout(Some(QUIT));
    Ok(connection)
}

/// Whether the server has closed, or is about to (421), so that nothing else can be tried.
fn is_end(error: &Error) -> bool {
    error.status().is_none_or(|code| u16::from(code) == 421)
}

/// A mail that the server said no to.
fn not_taken(error: &Error, reason: String) -> Fate {
    if error.is_permanent() { Fate::Refused(reason) } else { Fate::Later(reason) }
}

/// Connects, encrypts, logs in: as far as is wanted.
fn connect(job: &Job) -> Result<SmtpConnection, String> {
    let settings = &job.settings;
    let (host, port) = (settings.server.host.as_str(), settings.server.port);
    let hello = hello_name();
    let encrypted = match settings.tls {
        Tls::Implicit => Some(tls::parameters(host, true)?),
        Tls::Off | Tls::Required | Tls::Verified => None,
    };
    let limit = Some(job.limits.talk);
    let connection = SmtpConnection::connect((host, port), limit, &hello, encrypted.as_ref(), None);
    let mut connection = connection.map_err(|error| describe(&error))?;
    if let Tls::Required | Tls::Verified = settings.tls {
        if !connection.can_starttls() {
            return Err("the server does not offer STARTTLS, which is insisted on".to_owned());
        }
        let parameters = tls::parameters(host, settings.tls == Tls::Verified)?;
        let started = connection.starttls(&parameters, &hello);
        started.map_err(|error| format!("STARTTLS: {}", describe(&error)))?;
        judge_once(job, &connection);
    }
    if let Some((user, password)) = settings.credentials.clone() {
        if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return Err("the server offers neither PLAIN nor LOGIN authentication".to_owned());
        }
        let logged_in =
            connection.auth(DEFAULT_MECHANISMS, &Credentials::new(user.clone(), password));
        logged_in.map_err(|error| format!("authentication as {user:?}: {}", describe(&error)))?;
    }
    Ok(connection)
}

/// Says, the first time, if a certificate that is not insisted on would not pass.
fn judge_once(job: &Job, connection: &SmtpConnection) {
    let settings = &job.settings;
    if settings.tls != Tls::Required || job.judged.swap(true, Ordering::SeqCst) {
        return;
    }
    let chain = connection.certificate_chain().unwrap_or_default();
    if let Err(error) = tls::judge(&settings.server.host, chain) {
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

/// This host's name, for places where it must be a plain word; `localhost` where it is none.
#[must_use]
pub(crate) fn host_name() -> String {
    let name = gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let plain = !name.is_empty() && name.chars().all(allowed);
    if plain { name } else { "localhost".to_owned() }
}

/// An error in words for the log. lettre's own begin with its internal kinds of error.
fn describe(error: &Error) -> String {
    // A server's line may have a line end in it, which would make two of it in the log.
    let detail = error.source().map(|source| one_line(&source.to_string()));
    if let Some(code) = error.status() {
        return format!("{code} {}", detail.unwrap_or_default()).trim_end().to_owned();
    }
    let kind = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match (kind.map(io::Error::kind), detail.as_deref()) {
        // A read that times out says "Resource temporarily unavailable".
        (Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), _) => "no answer".to_owned(),
        (_, Some("incomplete response")) => "the server closed the connection".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (_, None) => error.to_string(),
    }
}
