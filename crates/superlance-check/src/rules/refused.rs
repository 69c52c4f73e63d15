//! What supervisord refuses, under the code it belongs to, and what it would refuse elsewhere.

use superlance_config::{Cause, Refusal};

use super::Rule::{self, Whole};
use crate::finding::Finding;
use crate::scene::Scene;
use crate::severity::Severity;

pub(super) const RULES: &[Rule] = &[Whole(refused), Whole(unset)];

/// The code of what is refused for this reason.
pub(crate) fn code(cause: Cause) -> &'static str {
    match cause {
        Cause::Include => "SL410",
        Cause::Expansion => "SL303",
        Cause::Folder => "SL407",
        Cause::User => "SL408",
        Cause::NoCommand => "SL407",
        Cause::Environment => "SL409",
        Cause::Events => "SL201",
        Cause::BufferSize => "SL204",
        Cause::RedirectStderr => "SL203",
        Cause::KillAsGroup => "SL404",
        Cause::Unreadable
        | Cause::Syntax
        | Cause::NoSupervisord
        | Cause::Value
        | Cause::ProcessNum
        | Cause::Group
        | Cause::Credentials
        | Cause::Server
        | Cause::Plugin => "SL100",
    }
}

fn refused(scene: &Scene<'_>) -> Vec<Finding> {
    let finding = |refusal: &Refusal| {
        let finding = Finding::refused(code(refusal.cause), refusal, &scene.main);
        match fix(refusal) {
            Some(fix) => finding.fix(fix),
            None => finding,
        }
    };
    // What stands in one place is refused for each of several processes.
    let mut findings: Vec<_> = scene.read.refusals.iter().map(finding).collect();
    findings.dedup();
    findings
}

fn fix(refusal: &Refusal) -> Option<String> {
    let key = refusal.key.as_deref().unwrap_or_default();
    Some(match refusal.cause {
        Cause::Include => "files=/etc/supervisor/conf.d/*.conf".to_owned(),
        Cause::NoSupervisord => {
            "check the file that includes this one; or a line [supervisord]".to_owned()
        }
        Cause::Expansion => format!("write %% in {key}= for each % that is none of %(NAME)s"),
        Cause::Folder => "make the folder, or name another".to_owned(),
        Cause::User => "add the user, or name another".to_owned(),
        Cause::NoCommand => "command=/path/to/program".to_owned(),
        Cause::Environment => "environment=A=\"1\",B=\"2\", each value in quotes".to_owned(),
        Cause::Events => "events=TICK_60, or other names of events".to_owned(),
        Cause::BufferSize => "buffer_size=256".to_owned(),
        Cause::RedirectStderr => "remove redirect_stderr=, and set stderr_logfile=".to_owned(),
        Cause::ProcessNum => "process_name=%(program_name)s_%(process_num)02d".to_owned(),
        Cause::KillAsGroup => "killasgroup=true".to_owned(),
        Cause::Credentials => "username= and password=, or none of them".to_owned(),
        Cause::Plugin => {
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"
                .to_owned()
        }
        Cause::Unreadable | Cause::Syntax | Cause::Value | Cause::Group | Cause::Server => {
            return None;
        }
    })
}

/// Variables that are not set here may be set where supervisord runs.
fn unset(scene: &Scene<'_>) -> Vec<Finding> {
    let text = |variables: &[&str]| {
        let (names, are) = match variables {
            [name] => (format!("variable {name}"), "is"),
            names => (format!("variables {}", names.join(", ")), "are"),
        };
        format!(
            "the environment {names} {are} not set here; where supervisord has none of that name, it \
             refuses to start"
        )
    };
    let mut findings = Vec::new();
    let all = scene.read.unset.as_slice();
    for unset in all.chunk_by(|one, next| (&one.place, &one.key) == (&next.place, &next.key)) {
        let variables: Vec<_> = unset.iter().map(|unset| unset.variable.as_str()).collect();
        let Some(first) = unset.first() else { continue };
        let finding = Finding::new("SL303", first.place.clone(), text(&variables));
        let finding = finding.about(&first.section, Some(&first.key));
        findings.push(finding.severity(Severity::Warning));
    }
    if let (Some(variable), Some(section)) = (&scene.loaded.unset, scene.section("include")) {
        let finding = scene.at_key("SL303", section, "files", text(&[variable]));
        findings.push(finding.severity(Severity::Warning));
    }
    findings
}
