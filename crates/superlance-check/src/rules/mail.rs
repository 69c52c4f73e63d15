//! SL305 and SL306: the ways of alerts, and secrets on command lines.

use superlance_config::Section;

use super::Rule::{self, Whole};
use crate::command::Ours;
use crate::command::words::split;
use crate::finding::Finding;
use crate::scene::{Item, Scene};
use crate::severity::Severity;

pub(super) const RULES: &[Rule] =
    &[Whole(no_way), Whole(missing_files), Whole(secrets), Whole(missing_variables)];

/// The options of ours that name a command to run.
const COMMANDS: [&str; 4] = ["notify", "before", "gcore", "exec"];

/// The options that name a file or folder which must be there.
const FILES: [&str; 5] = ["smtp-password-file", "ca-file", "client-cert", "client-key", "coredir"];

/// The options whose value may be a secret, or say where one is.
const SECRETS: [&str; 4] = ["webhook", "data", "bearer", "basic"];

/// Headers, whose values may be secrets.
const HEADERS: [&str; 2] = ["webhook-header", "header"];

fn no_way(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours().filter(|(_, ours)| ours.knows("sendmail_program")) {
        let finding = |message| scene.at_key("SL305", item.section, "command", message);
        let email = ours.value("email").filter(|address| !address.is_empty());
        let sendmail = ours.value("sendmail_program");
        let mails_anyway = ours.name() == "crashmail";
        if sendmail.is_some() && email.is_none() && !mails_anyway {
            let message = format!("{} does not mail without -m, so -s has no effect", ours.name());
            findings.push(finding(message).fix("-m ADDRESS"));
        }
        let is_used = email.is_some() || sendmail.is_some() && mails_anyway;
        if is_used && ours.value("smtp-url").is_none() {
            let command = sendmail.unwrap_or_else(|| "/usr/sbin/sendmail -t -i".to_owned());
            if let Some(program) = missing_program(scene, item, &command) {
                let message = format!("mails go nowhere: there is no {program}");
                let fix = "install a mail program, or --smtp-url smtp://HOST";
                findings.push(finding(message).fix(fix));
            }
        }
    }
    findings
}

/// The first word of a command, if it is not there. A line for a shell is not looked into.
fn missing_program(scene: &Scene<'_>, item: Item<'_>, command: &str) -> Option<String> {
    let program = split(command)?.into_iter().next()?;
    let is_plain = program.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    let path = item.variable(scene, "PATH");
    (is_plain && scene.machine.find_command(&program, path).is_none()).then_some(program)
}

fn missing_files(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours() {
        let finding = |message| scene.at_key("SL305", item.section, "command", message);
        for long in COMMANDS {
            for command in ours.values(long) {
                if let Some(program) = missing_program(scene, item, &command) {
                    findings.push(finding(format!("--{long}: there is no {program}")));
                }
            }
        }
        let secrets = secret_values(ours);
        let secrets = secrets.iter().filter_map(|value| value.strip_prefix("file:"));
        let files = FILES.iter().flat_map(|long| ours.values(long));
        for path in secrets.map(str::to_owned).chain(files) {
            if !scene.machine.exists(path.as_ref()) {
                findings.push(finding(format!("there is no {path}")));
            }
        }
    }
    findings
}

/// The values that may be secrets, or say where one is.
fn secret_values(ours: &Ours) -> Vec<String> {
    let headers = HEADERS.iter().flat_map(|long| ours.values(long));
    let headers = headers.filter_map(|header| Some(header.split_once(':')?.1.trim().to_owned()));
    SECRETS.iter().flat_map(|long| ours.values(long)).chain(headers).collect()
}

fn secrets(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours() {
        let finding = |message| {
            let message = format!("{message}: every user of the machine sees it with ps");
            scene.at_key("SL306", item.section, "command", message)
        };
        if ours.values("webhook").iter().any(|url| is_secret_url(url)) {
            let fix = "--webhook env:NAME, and NAME in environment=";
            findings.push(finding("the URL of a webhook is a secret").fix(fix));
        }
        let mut words = ours.arguments.iter();
        if words.any(|word| has_password(word)) && ours.name() != "httpok" {
            let fix = "environment=SUPERLANCE_SMTP_PASSWORD=\"…\"";
            findings.push(finding("there is a password in a URL").fix(fix));
        }
        if ours.knows("userName") && ours.value("password").is_some() {
            let fix = "environment=SUPERLANCE_SMTP_PASSWORD=\"…\" in place of -p";
            findings.push(finding("-p has the password of the mail server").fix(fix));
        }
    }
    findings
}

/// A URL in full, for a host other than this one.
fn is_secret_url(value: &str) -> bool {
    value.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        let has_path = rest.split_once('/').is_some_and(|(_, path)| path.len() > 8);
        has_path && host != "localhost" && host != "127.0.0.1"
    })
}

fn has_password(word: &str) -> bool {
    let authority = word.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    let login = authority.and_then(|authority| authority.rsplit_once('@'));
    login
        .and_then(|(login, _)| login.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}

/// `env:NAME` where the configuration sets no NAME: supervisord itself may have it.
fn missing_variables(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item, ours) in scene.ours() {
        for value in secret_values(ours) {
            let Some(name) = value.strip_prefix("env:") else { continue };
            if item.variable(scene, name).is_none() && scene.machine.variable(name).is_none() {
                let section: &Section = item.section;
                let message = format!(
                    "{name} is not in environment=, so supervisord itself must be started with it"
                );
                let finding = scene.at_key("SL306", section, "command", message);
                let finding = finding.severity(Severity::Info);
                findings.push(finding.fix(format!("environment={name}=\"…\"")));
            }
        }
    }
    findings
}
