//! Formats of webhooks: which service a URL is of, and what it tells. Pure.

use std::str::FromStr;

use serde_json::{Map, Value, json};
use superlance_core::listener::alert::Phase;
use superlance_core::system::order;
use ureq::http::Uri;

/// The format that a service expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A `text` that is shown, with the fields of the alert beside it: Mattermost, Rocket.Chat.
    Text,
    /// All fields, for programs.
    Json,
    Slack,
    Discord,
    Teams,
    Telegram,
    Ntfy,
    /// This service refuses unknown fields.
    GoogleChat,
    /// It keeps an alert until it is over, or until it is not told again.
    Alertmanager,
    /// It keeps an alert until it is told that it is over.
    PagerDuty,
}

/// The names on the command line.
const NAMES: [(&str, Format); 10] = [
    ("text", Format::Text),
    ("json", Format::Json),
    ("slack", Format::Slack),
    ("discord", Format::Discord),
    ("teams", Format::Teams),
    ("telegram", Format::Telegram),
    ("ntfy", Format::Ntfy),
    ("google-chat", Format::GoogleChat),
    ("alertmanager", Format::Alertmanager),
    ("pagerduty", Format::PagerDuty),
];

/// The formats by host. A leading dot stands for every host below it.
const HOSTS: [(&str, Format); 10] = [
    ("hooks.slack.com", Format::Slack),
    ("discord.com", Format::Discord),
    (".webhook.office.com", Format::Teams),
    (".logic.azure.com", Format::Teams),
    (".api.powerplatform.com", Format::Teams),
    ("api.telegram.org", Format::Telegram),
    ("ntfy.sh", Format::Ntfy),
    ("chat.googleapis.com", Format::GoogleChat),
    ("events.pagerduty.com", Format::PagerDuty),
    ("events.eu.pagerduty.com", Format::PagerDuty),
];

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl Format {
    /// The format that the service at this host expects.
    pub(super) fn of_host(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let is = |known: &str| host == known || known.starts_with('.') && host.ends_with(known);
        HOSTS.iter().find(|(known, _)| is(known)).map_or(Self::Text, |(_, format)| *format)
    }

    /// Whether the service takes alerts of this phase.
    pub(super) fn takes(self, phase: Phase) -> bool {
        match self {
            // It ends by itself what happened once; told before it has notified a receiver, the end would
            // hide the alert from all of them.
            Self::Alertmanager => !matches!(phase, Phase::Told | Phase::Passed),
            Self::PagerDuty => !matches!(phase, Phase::Told | Phase::Lasts),
            _ => phase == Phase::Told,
        }
    }

    /// The address to send to, and the fields that the URL contains: Telegram needs the chat in the
    /// JSON, ntfy the topic.
    pub(super) fn endpoint_and_fields(
        self,
        uri: &Uri,
    ) -> Result<(Uri, Map<String, Value>), String> {
        let mut fields = Map::new();
        let path = match self {
            Self::Telegram => {
                fields = parameters(uri.query().unwrap_or_default());
                if !fields.contains_key("chat_id") {
                    return Err("has no chat_id: expected \
                                https://api.telegram.org/botTOKEN/sendMessage?chat_id=CHAT"
                        .to_owned());
                }
                uri.path().to_owned()
            }
            Self::Ntfy => {
                let (root, topic) = uri.path().rsplit_once('/').unwrap_or_default();
                if topic.is_empty() {
                    return Err("has no topic: expected https://ntfy.sh/TOPIC".to_owned());
                }
                fields = parameters(uri.query().unwrap_or_default());
                fields.insert("topic".to_owned(), json!(topic));
                format!("{root}/")
            }
            Self::Alertmanager if uri.path() == "/" => "/api/v2/alerts".to_owned(),
            Self::PagerDuty if uri.path() == "/" => "/v2/enqueue".to_owned(),
            _ => return Ok((uri.clone(), fields)),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = path.parse().ok();
        let uri = Uri::from_parts(parts).map_err(|error| format!("is not a URL: {error}"))?;
        Ok((uri, fields))
    }
}

/// The parameters of a URL as fields; numbers become numbers.
fn parameters(query: &str) -> Map<String, Value> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| {
        String::from_utf8_lossy(&superlance_core::options::url::decode(&text.replace('+', " ")))
            .into_owned()
    };
    let value = |text: String| text.parse::<i64>().map_or(json!(text), |number| json!(number));
    order::gather(pairs.map(|(name, text)| (decoded(name), value(decoded(text)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_host() {
        for (host, format) in [
            ("hooks.slack.com", Format::Slack),
            ("Discord.com", Format::Discord),
            ("contoso.webhook.office.com", Format::Teams),
            ("prod-1.westus.logic.azure.com", Format::Teams),
            ("notdiscord.com", Format::Text),
            ("mattermost.example.com", Format::Text),
        ] {
            assert_eq!(Format::of_host(host), format, "{host}");
        }
        assert_eq!("teams".parse(), Ok(Format::Teams));
        assert!(
            "Slack".parse::<Format>().unwrap_err().starts_with("expected one of text, json, slack")
        );
    }
}
