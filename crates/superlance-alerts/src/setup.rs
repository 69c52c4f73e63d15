//! Setup: from the command line to a pipeline, with the table of all transports.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use superlance_core::listener::environment::Environment;
use superlance_core::options::usage::StartError;
use superlance_core::system::host_name;

use crate::firing;
use crate::options::{AlertOptions, MailOptions};
use crate::pipeline::{Parts, Pipeline};
use crate::recovery::Recovery;
use crate::spool::Spool;
use crate::throttle::Throttle;
use crate::transport::{Raiser, Transport, TransportConfig, exec, sendmail, smtp, webhook};

/// Makes the transports of one kind that the command line asks for.
type Maker = fn(&TransportConfig<'_>) -> Result<Vec<Box<dyn Transport>>, StartError>;

/// How long a process has to run to have recovered, without --alert-interval.
const RECOVERY: Duration = Duration::from_secs(60);

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
    let given = mail.and_then(|mail| mail.calm.alert_interval);
    let interval = given.unwrap_or(firing::INTERVAL);
    let plan = TransportConfig {
        raiser,
        mail,
        options,
        matches,
        environment,
        host: host.clone(),
        interval,
    };
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
        throttle: given.map(Throttle::new),
        recovery: Recovery::new(given.unwrap_or(RECOVERY)),
        tells_recovery: mail.is_some_and(|mail| mail.calm.recovery),
        fire_interval: interval,
        log: Arc::clone(&environment.log),
        in_flight: environment.in_flight.clone(),
    }))
}
