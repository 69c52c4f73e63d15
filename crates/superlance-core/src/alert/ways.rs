//! The ways out that there are.

use std::sync::Arc;

use super::command::MailCommand;
use super::options::{CalmOptions, KeepOptions, MailOptions};
use super::pipeline::Parts;
use super::store::Store;
use super::{Pipeline, Way};
use crate::applet::Environment;
use crate::smtp::host_name;

/// Who raises alerts.
#[derive(Debug, Clone, Copy)]
pub struct Raiser {
    /// Name of the command, such as `memmon`.
    pub name: &'static str,
    /// Whether the log has every mail that was sent, which is the original's way in some listeners.
    pub confirms: bool,
}

/// What a way out is made of.
struct Plan<'a> {
    raiser: Raiser,
    mail: Option<&'a MailOptions>,
}

/// Makes what the command line asks for of a way out.
type Maker = fn(&Plan<'_>) -> Vec<Box<dyn Way>>;

/// Every way out.
const WAYS: &[Maker] = &[mail_command];

fn mail_command(plan: &Plan<'_>) -> Vec<Box<dyn Way>> {
    let way = |(mail, to): (&MailOptions, &str)| -> Box<dyn Way> {
        let (command, to) = (mail.sendmail.clone(), to.to_owned());
        Box::new(MailCommand { command, to, confirms: plan.raiser.confirms })
    };
    plan.mail.and_then(|mail| Some((mail, mail.address()?))).map(way).into_iter().collect()
}

impl Environment {
    /// What the alerts of a listener go through.
    #[must_use]
    pub fn alerts(
        &self,
        raiser: Raiser,
        mail: Option<&MailOptions>,
        keep: &KeepOptions,
        calm: &CalmOptions,
    ) -> Pipeline {
        let plan = Plan { raiser, mail };
        let name = self.own_namespec.clone().unwrap_or_else(|| raiser.name.to_owned());
        let store = |parent| Store::new(parent, name, Arc::clone(&self.log));
        Pipeline::new(Parts {
            listener: raiser.name,
            host: host_name(),
            ways: WAYS.iter().flat_map(|ways| ways(&plan)).collect(),
            store: keep.spool.clone().map(store),
            limiter: calm.limiter(),
            recovery: calm.watch(),
            log: Arc::clone(&self.log),
            unfinished: self.unfinished.clone(),
        })
    }
}
