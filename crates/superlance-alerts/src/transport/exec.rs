//! `--notify`: a program that gets the text on stdin and the fields in its environment.

use std::time::Duration;

use super::{Transport, TransportConfig, outcome};
use superlance_core::listener::alert::Alert;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::options::usage::StartError;
use superlance_core::system::command::{Shell, first_word};

/// Time for the program.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a shell command for each alert.
struct Notify {
    command: String,
}

pub(crate) fn notify(plan: &TransportConfig<'_>) -> Result<Vec<Box<dyn Transport>>, StartError> {
    let mut transports: Vec<Box<dyn Transport>> = Vec::new();
    for command in &plan.options.notify {
        transports.push(Box::new(Notify { command: command.clone() }));
    }
    Ok(transports)
}

impl Transport for Notify {
    fn name(&self) -> String {
        first_word(&self.command)
    }

    fn key(&self) -> String {
        format!("notify {}", self.command)
    }

    /// A command that failed is not run again, since it may have done its work in part. The text
    /// ends with a line end, since `while read -r line` loses a last line without one.
    fn deliver(&self, alert: &Alert, _: &[String]) -> Vec<DeliveryOutcome> {
        let shell = Shell::new(&self.command).variables(variables(alert));
        vec![outcome(
            shell.input(alert.whole_text().trim_end().to_owned() + "\n").limit(LIMIT).run(),
        )]
    }
}

/// The fields of an alert as environment variables. All are set, so that no value is inherited by
/// accident.
fn variables(alert: &Alert) -> Vec<(String, String)> {
    let (group, name, pid) = match &alert.process {
        Some(process) => (process.group.clone(), process.name.clone(), process.pid),
        None => (String::new(), String::new(), None),
    };
    let fields = [
        ("ID", alert.id.clone()),
        ("LISTENER", alert.listener.clone()),
        ("KIND", alert.kind.clone()),
        ("EVENT", alert.event.clone()),
        ("GROUP", group),
        ("PROCESS", name),
        ("PID", pid.map(|pid| pid.to_string()).unwrap_or_default()),
        ("HOST", alert.host.clone()),
        ("TIME", alert.timestamp().to_string()),
        ("ACTION", alert.action.clone().unwrap_or_default()),
        ("SUBJECT", alert.title().to_owned()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let measured = alert.measured.iter();
    let measured =
        measured.map(|(name, value)| (format!("MEASURED_{}", upper(name)), value.clone()));
    let variable = |(name, value): (String, String)| {
        // A NUL would end the value, and the command would not be run.
        (format!("SUPERLANCE_{name}"), value.replace('\0', "?"))
    };
    fields.into_iter().chain(measured).map(variable).collect()
}

fn upper(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn deliver(command: &str) -> DeliveryOutcome {
        let alert =
            Alert::new("memmon", "restarted", SystemTime::UNIX_EPOCH, " s ".into(), "t".into())
                .about("grp", "foo", Some(7))
                .measuring("rss", 5)
                .measuring("over limit", "a\0b")
                .attach("Log", "line");
        let transport = Notify { command: command.to_owned() };
        transport.deliver(&alert, &transport.targets()).remove(0)
    }

    #[test]
    fn a_command_has_the_text_on_stdin_and_the_fields_in_its_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        let fields = "$SUPERLANCE_LISTENER|$SUPERLANCE_KIND|$SUPERLANCE_GROUP:$SUPERLANCE_PROCESS|\
                      $SUPERLANCE_PID|$SUPERLANCE_TIME|$SUPERLANCE_SUBJECT|\
                      $SUPERLANCE_MEASURED_RSS|$SUPERLANCE_MEASURED_OVER_LIMIT";
        let command = format!("(echo \"{fields}\"; cat) > '{}'", file.display());
        assert_eq!(deliver(&command), DeliveryOutcome::Delivered);
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!(text, "memmon|restarted|grp:foo|7|0|s|5|a?b\nt\n\nLog:\n\nline\n");
    }

    #[test]
    fn a_command_that_fails_is_not_run_again() {
        let refused = DeliveryOutcome::Rejected("the command failed with exit status 3".to_owned());
        assert_eq!(deliver("exit 3"), refused);
    }
}
