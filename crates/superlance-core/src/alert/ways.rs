//! The ways out that there are.

use super::command::MailCommand;
use super::options::MailOptions;
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
    pub fn alerts(&self, raiser: Raiser, mail: Option<&MailOptions>) -> Pipeline {
        let plan = Plan { raiser, mail };
        let ways = WAYS.iter().flat_map(|ways| ways(&plan)).collect();
        Pipeline::new(raiser.name, host_name(), ways, &self.log, &self.unfinished)
    }
}
