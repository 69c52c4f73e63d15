//! The command line of the batch tools.

use std::ffi::OsString;

use clap::{ArgAction, Args, Command};

use super::Tool;
use super::choice::Choice;
use superlance_alerts::HeartbeatOptions;
use superlance_alerts::options::AlertOptions;
use superlance_core::mail::smtp::{BadServer, Server, Settings, Tls};
use superlance_core::options::getopt::{as_getopt, warn_of_stray};
use superlance_core::system::log::Log;
use superlance_core::system::secret::Secret;

/// The original's long options.
const OPTPARSE_NAMES: &[&str] = &[
    "help",
    "interval",
    "toEmail",
    "fromEmail",
    "subject",
    "smtpHost",
    "tickEvent",
    "userName",
    "password",
    "tls",
];

/// The options of the batch tools.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Minutes between mails
    #[arg(short, long, value_name = "MINUTES", default_value = "1.0", value_parser = parse_interval)]
    pub(super) interval: f64,

    /// Addresses to mail to, separated by commas
    #[arg(short = 't', long = "toEmail", value_name = "ADDRESSES", requires = "from")]
    #[arg(required_unless_present_any = ["webhook", "notify"], value_parser = parse_addresses)]
    pub(super) to: Option<Addresses>,

    /// Address to mail from [long also: --from]
    #[arg(short = 'f', long = "fromEmail", value_name = "ADDRESS")]
    #[arg(required_unless_present_any = ["webhook", "notify"], value_parser = parse_address)]
    pub(super) from: Option<String>,

    /// Subject of the mails
    #[arg(short, long, value_name = "TEXT")]
    pub(super) subject: Option<String>,

    /// SMTP server: host, host:port or [IPv6 address]:port
    #[arg(short = 'H', long = "smtpHost", value_name = "HOST", default_value = LOCAL)]
    #[arg(value_parser = parse_server)]
    server: Server,

    /// Event to measure time by; it must be among the events= of the configuration
    #[arg(short = 'e', long = "tickEvent", value_name = "EVENT", default_value = "TICK_60")]
    #[arg(value_parser = parse_tick)]
    pub(super) tick: Tick,

    /// User name at the SMTP server
    #[arg(short = 'u', long = "userName", value_name = "NAME")]
    user: Option<String>,

    /// Password at the SMTP server; other users of this machine can see it here, and not in the
    /// environment variable SUPERLANCE_SMTP_PASSWORD
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<Secret>,

    /// Insist on an encrypted connection (STARTTLS)
    #[arg(long)]
    tls: bool,

    /// Insist on an encrypted connection and on a valid certificate
    #[arg(long = "tls-verify")]
    tls_verify: bool,

    #[command(flatten)]
    pub(super) alerts: AlertOptions,

    #[command(flatten)]
    pub(super) heartbeat: HeartbeatOptions,

    /// Ignored, as in the original
    #[arg(hide = true)]
    stray: Vec<OsString>,
}

/// The addresses of a mail, at least one.
#[derive(Debug, Clone)]
pub(super) struct Addresses(pub(super) Vec<String>);

/// A tick, which measures the time between mails.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub(super) event: String,
    pub(super) minutes: f64,
}

/// The mail server without `-H`.
const LOCAL: &str = "localhost";

/// The ticks that supervisord has.
const TICKS: [&str; 3] = ["TICK_5", "TICK_60", "TICK_3600"];

/// The command line of a tool.
pub(super) fn command(tool: &Tool) -> Command {
    let name = tool.name;
    let example = format!(
        "Example, in supervisord.conf:\n\n  [eventlistener:{name}]\n  command={name} -t \
         bob@example.com -f supervisord@example.com\n  events=PROCESS_STATE_{},TICK_60\n  buffer_size=256",
        tool.trigger.state().name()
    );
    let command = Options::augment_args(Command::new(name).disable_help_flag(true));
    let command = Choice::augment(command.next_help_heading(None), tool);
    let command = as_getopt(command, OPTPARSE_NAMES).about(tool.about).after_help(example);
    // Options that name the server in another way.
    let others = ["server", "user", "password", "tls", "tls_verify"];
    let command = command.mut_arg("smtp_url", |arg| {
        let help = "Mail server to use instead of -H: smtp://HOST, smtps://HOST or \
                    smtp://HOST?tls=required, with USER@ before HOST if it asks who mails";
        arg.conflicts_with_all(others).help(help)
    });
    command.mut_arg("subject", |arg| match tool.subject {
        Some(subject) => arg.help(format!("Subject of the mails [default: {subject}]")),
        None => arg.help("Subject of the mails [default: none]"),
    })
}

impl Options {
    /// The sender and the recipients.
    pub(super) fn addresses(&self) -> Option<(String, Vec<String>)> {
        let to = self.to.as_ref()?.0.clone();
        Some((self.from.clone().unwrap_or_default(), to))
    }

    /// The mail server. A password on the command line wins over that of the environment; as in the
    /// original, a name without a password (or the reverse) is not used.
    pub(super) fn settings(&self, password: Option<Secret>) -> Settings {
        let password = self.password.clone().or(password).filter(|password| !password.is_empty());
        let user = self.user.clone().filter(|user| !user.is_empty());
        Settings {
            server: self.server.clone(),
            credentials: user.zip(password),
            tls: match (self.tls, self.tls_verify) {
                (_, true) => Tls::Verified,
                (true, false) => Tls::Required,
                (false, false) => Tls::Off,
            },
        }
    }

    /// Warns of values that are probably mistakes, and replaces those that mean nothing. The
    /// original accepts them, so none is an error.
    pub(super) fn warn(&mut self, name: &str, log: &Log) {
        warn_of_stray(name, &self.stray, log);
        if !self.interval.is_finite() {
            let given = self.interval;
            log.line(format_args!(
                "{name}: -i {given} is ignored, since it never ends: mails go out \
                                   every minute"
            ));
            self.interval = 1.0;
        }
        if self.server.host.is_empty() {
            log.line(format_args!("{name}: -H without a host is ignored: mails go to {LOCAL}"));
            LOCAL.clone_into(&mut self.server.host);
        }
        if !TICKS.contains(&self.tick.event.as_str()) {
            let (given, known) = (&self.tick.event, TICKS.join(", "));
            log.line(format_args!("{name}: supervisord has no {given} event, only {known}"));
        }
    }
}

/// Python's `float`, as optparse reads it, but not negative; `warn` replaces an infinite one.
fn parse_interval(text: &str) -> Result<f64, String> {
    let number = text.trim().replace('_', "").parse::<f64>().ok();
    let number = number.filter(|minutes| minutes.is_nan() || *minutes >= 0.0);
    number.ok_or_else(|| "expected a number of minutes such as 1, 0.5 or 60".to_owned())
}

/// An empty host is accepted here, so that no listener ends for it; `warn` replaces it.
fn parse_server(text: &str) -> Result<Server, BadServer> {
    match text.trim() {
        "" => Ok(Server { host: String::new(), ..LOCAL.parse()? }),
        text => text.parse(),
    }
}

fn parse_addresses(text: &str) -> Result<Addresses, String> {
    let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
    let addresses: Vec<_> = addresses.map(str::to_owned).collect();
    if addresses.is_empty() {
        return Err("expected an address, or several separated by commas".to_owned());
    }
    Ok(Addresses(addresses))
}

fn parse_address(text: &str) -> Result<String, String> {
    let address = text.trim();
    if address.is_empty() {
        return Err("expected an address".to_owned());
    }
    Ok(address.to_owned())
}

/// As in the original, text after the seconds is ignored.
fn parse_tick(text: &str) -> Result<Tick, String> {
    let seconds = text.strip_prefix("TICK_").and_then(|rest| rest.split('_').next());
    let seconds = seconds.and_then(|seconds| seconds.parse::<u32>().ok());
    let seconds = seconds.ok_or("expected the name of an event: TICK_5, TICK_60 or TICK_3600")?;
    Ok(Tick { event: text.to_owned(), minutes: f64::from(seconds) / 60.0 })
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
