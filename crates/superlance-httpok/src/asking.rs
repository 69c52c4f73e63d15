//! From the command line to what is checked.

use std::sync::Arc;

use superlance_core::options::url::without_password;
use superlance_core::options::usage::StartError;
use superlance_core::system::command::first_word;
use superlance_core::system::secret::Secret;
use superlance_probe::check::{Scheme, Settings};
use superlance_probe::expectation::{Expectation, Rule};
use superlance_probe::http::{HeaderName, Login, Method};
use superlance_probe::source::Source;
use superlance_probe::template::{Form, Template};
use superlance_probe::tls::{Tls, TlsOptions};

use crate::check_options::CheckOptions;
use crate::options::Options;
use crate::plan::{Plan, Question};

/// Reads `env:NAME` for an option.
pub(crate) type ReadVariable<'a> = &'a dyn Fn(&str, &str) -> Result<Secret, StartError>;

/// What these options ask for.
pub(crate) fn plan(options: &Options, variable: ReadVariable<'_>) -> Result<Plan, StartError> {
    let urls = options.urls().map_err(StartError::Usage)?;
    let schemes = urls.iter().map(|url| Scheme::of(url)).collect::<Result<Vec<_>, _>>();
    let schemes = schemes.map_err(StartError::Usage)?;
    belong_together(options, &schemes).map_err(StartError::Usage)?;
    let CheckOptions { exec, each, any_url, unix_socket, .. } = &options.checks;
    let questions = match exec {
        Some(command) => vec![question(command, true, *each)],
        None => urls.into_iter().map(|url| question(url, false, *each)).collect(),
    };
    let questions = questions.into_iter().collect::<Result<_, _>>().map_err(StartError::Usage)?;
    let socket = unix_socket.as_ref().map(|path| template(path, Form::Plain, *each));
    let socket = socket.transpose().map_err(StartError::Usage)?;
    let settings = settings(options, &schemes, variable)?;
    let plan = Plan { settings, questions, socket, each: *each, any: *any_url };
    plan.verify().map_err(StartError::Usage)?;
    Ok(plan)
}

fn question(text: &str, is_command: bool, each: bool) -> Result<Question, String> {
    let (form, shown) = match is_command {
        true => (Form::Shell, first_word(text)),
        false => (Form::Url, without_password(text)),
    };
    Ok(Question { shown, template: template(text, form, each)?, is_command })
}

fn template(text: &str, form: Form, each: bool) -> Result<Template, String> {
    if each { Template::parse(text, form) } else { Ok(Template::of_text(text)) }
}

fn settings(
    options: &Options,
    schemes: &[Scheme],
    variable: ReadVariable<'_>,
) -> Result<Settings, StartError> {
    let checks = &options.checks;
    let tls = TlsOptions {
        // A redirect may lead to https.
        verify: options.tls_verify && (schemes.contains(&Scheme::Https) || checks.follow.is_some()),
        authorities: checks.ca_file.clone(),
        certificate: checks.client_cert.clone(),
        key: checks.client_key.clone(),
        server_name: checks.server_name.clone(),
    };
    let headers = checks.headers.iter().map(|given| header(given, variable));
    let data = checks.data.as_ref().map(|given| source("--data", given, variable));
    let statuses = options.codes.clone();
    let tls = Arc::new(Tls::new(tls).map_err(StartError::Environment)?);
    Ok(Settings {
        expectation: Arc::new(Expectation { statuses, rules: rules(options) }),
        method: checks.method.clone().unwrap_or(Method::GET),
        headers: headers.collect::<Result<_, _>>()?,
        login: login(checks, variable)?,
        data: data.transpose()?,
        follow: checks.follow.unwrap_or_default(),
        say: checks.say.as_deref().unwrap_or_default().to_vec(),
        expect: checks.expect.as_deref().unwrap_or_default().to_vec(),
        max_age: checks.max_age,
        ..Settings::new(options.timeout, tls)
    })
}

fn rules(options: &Options) -> Vec<Rule> {
    let CheckOptions { body_regex, forbid, forbid_regex, json, .. } = &options.checks;
    let body = options.body.iter().cloned().map(Rule::Contains);
    body.chain(body_regex.iter().cloned().map(Rule::Matches))
        .chain(forbid.iter().cloned().map(Rule::Lacks))
        .chain(forbid_regex.iter().cloned().map(Rule::LacksMatch))
        .chain(json.iter().cloned().map(Rule::Json))
        .collect()
}

fn login(checks: &CheckOptions, variable: ReadVariable<'_>) -> Result<Option<Login>, StartError> {
    let secret = |option: &str, given: &str| match source(option, given, variable)? {
        // The text itself is not repeated.
        Source::Literal(_) => Err(StartError::Usage(format!(
            "invalid {option}: expected env:NAME or file:PATH, since a secret on the command line \
             can be seen by others"
        ))),
        source => Ok(source),
    };
    match (&checks.basic, &checks.bearer) {
        (Some(given), _) => Ok(Some(Login::Basic(secret("--basic", given)?))),
        (None, Some(given)) => Ok(Some(Login::Bearer(secret("--bearer", given)?))),
        (None, None) => Ok(None),
    }
}

fn source(option: &str, given: &str, variable: ReadVariable<'_>) -> Result<Source, StartError> {
    if given.starts_with("env:") {
        return variable(option, given).map(Source::Environment);
    }
    Ok(match given.strip_prefix("file:") {
        Some(path) => Source::File(path.into()),
        None => Source::Literal(given.to_owned()),
    })
}

fn header(given: &str, variable: ReadVariable<'_>) -> Result<(HeaderName, Source), StartError> {
    let bad = |what: &str| StartError::Usage(format!("invalid --header: {what}"));
    let expected = || bad("expected 'NAME: VALUE'");
    let (name, value) = given.split_once(':').ok_or_else(expected)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| expected())?;
    let source = source("--header", value.trim(), variable)?;
    if name == "host" && source == Source::Literal(String::new()) {
        return Err(bad("HTTP/1.1 demands Host, so that it cannot be left out"));
    }
    Ok((name, source))
}

/// Options that go with some kinds of checks, and the one that was given without it.
fn belong_together(options: &Options, schemes: &[Scheme]) -> Result<(), String> {
    let checks = &options.checks;
    let is_http = |scheme: &Scheme| matches!(scheme, Scheme::Http | Scheme::Https);
    let http = schemes.iter().any(is_http);
    let https = schemes.contains(&Scheme::Https) || checks.follow.is_some();
    let (tcp, file) = (schemes.contains(&Scheme::Tcp), schemes.contains(&Scheme::File));
    let has_rules = !rules(options).is_empty();
    if has_rules && checks.method == Some(Method::HEAD) {
        return Err("an answer to --method HEAD has no body, which -b, --body-regex, --forbid, \
                    --forbid-regex and --json are about"
            .to_owned());
    }
    if checks.any_url && schemes.len() < 2 {
        return Err("--any-url needs more than one URL (see --url)".to_owned());
    }
    let needed = [
        ("--unix-socket", "an http:// or https:// URL", checks.unix_socket.is_some(), http),
        ("--method", "an http:// or https:// URL", checks.method.is_some(), http),
        ("--header", "an http:// or https:// URL", !checks.headers.is_empty(), http),
        ("--data", "an http:// or https:// URL", checks.data.is_some(), http),
        ("--bearer", "an http:// or https:// URL", checks.bearer.is_some(), http),
        ("--basic", "an http:// or https:// URL", checks.basic.is_some(), http),
        ("--follow", "an http:// or https:// URL", checks.follow.is_some(), http),
        ("-c", "an http:// or https:// URL", !options.codes.is_empty(), http),
        ("-b (or another rule for the body)", "an http:// or https:// URL", has_rules, http),
        ("--cert-days", "an https:// URL", checks.cert_days.is_some(), https),
        ("--say", "a tcp:// URL", checks.say.is_some(), tcp),
        ("--expect", "a tcp:// URL", checks.expect.is_some(), tcp),
        ("--max-age", "a file:// URL", checks.max_age.is_some(), file),
    ];
    let lonely = needed.into_iter().find(|(_, _, given, there)| *given && !there);
    match lonely {
        Some((option, needs, ..)) => Err(format!("{option} needs {needs}")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "asking_tests.rs"]
mod tests;
