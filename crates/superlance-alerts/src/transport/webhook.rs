//! `--webhook`: JSON over HTTP, to a chat or a program.

pub(crate) mod format;
mod parts;
mod services;
mod shapes;

use std::io;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body, Error, Timeout};

use self::format::Format;
use self::services::Service;
use super::{Transport, TransportConfig};
use crate::http::{agent, explain, mask, secrets, shown};
use crate::options::WebhookOptions;
use superlance_core::listener::alert::{Alert, Phase};
use superlance_core::listener::environment::Environment;
use superlance_core::mail::mime::one_line;
use superlance_core::mail::outcome::DeliveryOutcome;
use superlance_core::options::url::Target;
use superlance_core::options::usage::StartError;

/// Time for a request, from the look-up of the host's name to the end of the answer.
const LIMIT: Duration = Duration::from_secs(30);

/// The longest pause that a service may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Bytes of an answer that are read, and characters of it that are logged.
const ANSWER: u64 = 16 << 10;
const SHOWN: usize = 200;

/// A webhook. Its URL is a secret: knowing it is enough to send.
struct Webhook {
    agent: Agent,
    uri: Uri,
    format: Format,
    /// Fields of the JSON that come from the URL.
    fields: Map<String, Value>,
    service: Service,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Texts that must not be logged, though a service may repeat them.
    secrets: Vec<String>,
    /// Scheme and host, for the log.
    shown: String,
    key: String,
}

pub(crate) fn webhooks(plan: &TransportConfig<'_>) -> Result<Vec<Box<dyn Transport>>, StartError> {
    let webhooks = plan.options.webhooks(plan.matches)?;
    let mut transports: Vec<Box<dyn Transport>> = Vec::new();
    for webhook in webhooks {
        let key = webhook.key.as_ref().map(|key| integration_key(key.expose(), plan.environment));
        let labels = plan.options.label.clone();
        let service = Service { labels, key: key.transpose()?, interval: plan.interval };
        transports.push(Box::new(Webhook::new(&webhook, service, plan.environment)?));
    }
    if !plan.options.label.is_empty() && !transports.iter().any(|one| one.takes(Phase::Fires)) {
        let needed =
            "--label is given: expected a --webhook of the format alertmanager or pagerduty";
        return Err(StartError::Usage(needed.to_owned()));
    }
    Ok(transports)
}

impl Webhook {
    fn new(
        options: &WebhookOptions,
        service: Service,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        let bad = |what: String| StartError::Usage(format!("the URL of --webhook {what}"));
        let url = environment.secret("--webhook", options.url.expose())?;
        let target = Target::parse_secret(url.expose()).map_err(bad)?;
        let host = target.uri.host().unwrap_or_default();
        let format = options.format.unwrap_or_else(|| Format::of_host(host));
        if (format == Format::PagerDuty) != service.key.is_some() {
            let needed = "the format pagerduty and --webhook-key belong together: expected both, or \
                          neither";
            return Err(StartError::Usage(needed.to_owned()));
        }
        let (uri, fields) = format.endpoint_and_fields(&target.uri).map_err(bad)?;
        let mut headers = Vec::new();
        if let Some(authorization) = &target.authorization {
            headers.extend(
                HeaderValue::from_str(authorization.expose()).map(|value| (AUTHORIZATION, value)),
            );
        }
        for given in &options.headers {
            headers.push(header(given.expose(), environment)?);
        }
        let shown = shown(&uri);
        let agent = agent("--webhook", &uri, LIMIT, environment)?;
        let mut secrets = secrets(&target.uri, &headers);
        secrets.extend(service.key.clone());
        let key = format!("webhook {}{}", url.expose(), service.key.as_deref().unwrap_or_default());
        Ok(Self { agent, uri, format, fields, service, headers, secrets, shown, key })
    }

    fn post(&self, alert: &Alert) -> Result<Response<Body>, Error> {
        let mut request = self.agent.post(&self.uri).header("Content-Type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = shapes::body(self.format, alert, &self.fields, &self.service, SystemTime::now());
        request.send(body.to_string())
    }

    fn judge(&self, mut response: Response<Body>) -> DeliveryOutcome {
        let status = response.status();
        if status.is_success() {
            return DeliveryOutcome::Delivered;
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| retry_after(value, SystemTime::now()));
        let body = response.body_mut().with_config().limit(ANSWER).read_to_string();
        let body = body.unwrap_or_default();
        let asked = asked.or_else(|| retry_after_of_json(&body));
        let said: String =
            one_line(mask(&body, &self.secrets).trim()).chars().take(SHOWN).collect();
        let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
        let reason = format!("HTTP status {}", status.as_u16());
        match (may_change(status), asked) {
            // Such an answer may differ from time to time, and the log has each reason once.
            (true, Some(pause)) => DeliveryOutcome::RetryAfter(reason, pause.min(LONGEST_PAUSE)),
            (true, None) => DeliveryOutcome::Retry(reason),
            (false, _) => DeliveryOutcome::Rejected(format!("{reason}{said}")),
        }
    }
}

impl Transport for Webhook {
    fn name(&self) -> String {
        format!("webhook {}", self.shown)
    }

    fn key(&self) -> String {
        self.key.clone()
    }

    fn takes(&self, phase: Phase) -> bool {
        self.format.takes(phase)
    }

    fn deliver(&self, alert: &Alert, _: &[String]) -> Vec<DeliveryOutcome> {
        let outcome = match self.post(alert) {
            Ok(response) => self.judge(response),
            Err(error) => failed(&error, mask(&explain(&error, LIMIT), &self.secrets)),
        };
        vec![match outcome {
            // Such a service shows an alert once, however often it comes, and needs them in their order.
            DeliveryOutcome::Unknown(reason) if self.takes(Phase::Fires) => {
                DeliveryOutcome::Retry(reason)
            }
            outcome => outcome,
        }]
    }
}

/// Whether the service may accept the same request later: not if it found fault with the request.
fn may_change(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429) || status.is_server_error()
}

/// The key of an integration, which is not on the command line.
fn integration_key(given: &str, environment: &Environment) -> Result<String, StartError> {
    if !given.starts_with("env:") && !given.starts_with("file:") {
        let needed = "invalid --webhook-key: expected env:NAME or file:PATH, since other users of this \
                      machine can see a command line";
        return Err(StartError::Usage(needed.to_owned()));
    }
    Ok(environment.secret("--webhook-key", given)?.expose().to_owned())
}

/// `NAME: VALUE`, where the value may be in the environment or in a file.
fn header(given: &str, environment: &Environment) -> Result<(HeaderName, HeaderValue), StartError> {
    let bad = || {
        let message = "invalid --webhook-header: expected 'NAME: VALUE'";
        StartError::Usage(message.to_owned())
    };
    let (name, value) = given.split_once(':').ok_or_else(bad)?;
    let value = environment.secret("--webhook-header", value.trim())?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| bad())?;
    Ok((name, HeaderValue::from_str(value.expose()).map_err(|_| bad())?))
}

/// The pause of `Retry-After`: a number of seconds, or a time.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let time = DateTime::parse_from_rfc2822(value).ok()?;
    (time.with_timezone(&Utc) - DateTime::<Utc>::from(now)).to_std().ok()
}

/// The pause in an answer of Telegram.
fn retry_after_of_json(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds = body.pointer("/parameters/retry_after")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The outcome of a request without an answer.
fn failed(error: &Error, reason: String) -> DeliveryOutcome {
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => DeliveryOutcome::Retry(reason),
        // A service that is slow, or that closed the connection, may have shown the alert all the same.
        Error::Timeout(_) => DeliveryOutcome::Unknown(reason),
        Error::Io(error) if is_closed(error) => DeliveryOutcome::Unknown(reason),
        _ => DeliveryOutcome::Retry(reason),
    }
}

/// Whether the other side closed a connection that there was.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

#[cfg(test)]
#[path = "webhook/webhook_tests.rs"]
mod tests;
