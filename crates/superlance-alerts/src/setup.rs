//! Setup: from the command line to a pipeline, with the table of all transports.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::system::host_name;

use crate::options::{AlertOptions, MailOptions};
use crate::pipeline::{Parts, Pipeline};
use crate::spool::Spool;
use crate::transport::{Raiser, Transport, TransportConfig, exec, sendmail, smtp, webhook};

/// Makes the transports of one kind that the command line asks for.
type Maker = fn(&TransportConfig<'_>) -> Result<Vec<Box<dyn Transport>>, StartError>;

/// All transports.
const TRANSPORTS: &[Maker] = &[sendmail::mail_command, smtp::smtp, webhook::webhooks, exec::notify];

/// The pipeline that the command line of a listener asks for.
///
/// # Errors
/// When an alert option is wrong.
pub fn pipeline(
    environment: &Environment,
    raiser: Raiser,
    mail: Option<&MailOptions>,
    options: &AlertOptions,
    matches: &ArgMatches,
) -> Result<Pipeline, StartError> {
    options.check()?;
    let host = host_name();
    let plan = TransportConfig { raiser, mail, options, matches, environment, host: host.clone() };
    let mut transports = Vec::new();
    for make in TRANSPORTS {
        transports.extend(make(&plan)?);
    }
    let listener = environment.own_namespec.clone().unwrap_or_else(|| raiser.name.to_owned());
    let supervisord = environment.supervisord().map(|supervisord| format!("@{supervisord}"));
    let name = listener + &supervisord.unwrap_or_default();
    let spool = |parent: &PathBuf| Spool::new(parent.clone(), &name, Arc::clone(&environment.log));
    Ok(Pipeline::new(Parts {
        prefix: options.hostname.then(|| host.clone()),
        host,
        transports,
        spool: options.spool.as_ref().map(spool),
        throttle: mail.and_then(|mail| mail.calm.throttle()),
        recovery: mail.and_then(|mail| mail.calm.recovery()),
        log: Arc::clone(&environment.log),
        in_flight: environment.in_flight.clone(),
    }))
}
