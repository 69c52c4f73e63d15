//! The shapes of JSON, beside the services' own examples.

use std::time::{Duration, SystemTime};

use super::*;

fn body(format: Format, alert: &Alert, url_fields: &Map<String, Value>) -> Value {
    super::body(format, alert, url_fields, &Service::default(), SystemTime::UNIX_EPOCH)
}

fn alert(text: &str) -> Alert {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_370_187);
    let subject = " foo crashed at 2026-11-22".to_owned();
    let alert = Alert::new("crashmail", "exited", at, subject, text.to_owned());
    let alert = alert.about("grp", "foo", Some(7)).measuring("rss", 5).measuring("url", "x");
    Alert { id: "1f".to_owned(), host: "web1".to_owned(), event: "E".to_owned(), ..alert }
}

#[track_caller]
fn check(format: Format, url: &str, expected: Value) {
    let (uri, fields) = format.endpoint_and_fields(&url.parse().unwrap()).unwrap();
    assert_eq!(body(format, &alert("It <died> & <!channel>"), &fields), expected);
    assert!(!uri.to_string().contains("chat_id"), "{uri}");
}

/// Mattermost's and Rocket.Chat's examples are an object with a `text`, and they let other fields be.
#[test]
fn text_is_shown_and_the_fields_stand_beside_it() {
    let expected = json!({
        "text": "foo crashed at 2026-11-22\nIt <died> & <!channel>",
        "id": "1f", "listener": "crashmail", "kind": "exited", "event": "E", "group": "grp",
        "process": "foo", "pid": 7, "host": "web1", "time": "2026-11-22T17:56:27Z",
        "timestamp": 1_795_370_187, "measured": {"rss": 5, "url": "x"}, "action": null,
        "subject": "foo crashed at 2026-11-22",
    });
    check(Format::Text, "http://h/hooks/xxx", expected);
}

#[test]
fn json_has_everything_and_all_of_it() {
    let long = "x".repeat(100_000);
    let whole = body(Format::Json, &alert(&long).attach("Log", "line"), &Map::new());
    assert_eq!(whole["text"], json!(long));
    assert_eq!(whole["attachments"], json!([{"title": "Log", "text": "line"}]));
    let without_process = Alert { process: None, ..alert("") };
    assert_eq!(body(Format::Json, &without_process, &Map::new())["process"], Value::Null);
}

/// As the examples of Block Kit: header, section and context, with `text` for notifications.
#[test]
fn slack_has_blocks_and_nothing_in_them_is_a_mention() {
    let expected = json!({
        "text": "foo crashed at 2026-11-22",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "foo crashed at 2026-11-22"}},
            {"type": "section", "text": {
                "type": "mrkdwn", "text": "```It &lt;died&gt; &amp; &lt;!channel&gt;```",
            }},
            {"type": "context", "elements": [
                {"type": "mrkdwn", "text": "web1 · grp:foo · crashmail · 2026-11-22T17:56:27Z"},
            ]},
        ],
    });
    check(Format::Slack, "https://hooks.slack.com/services/T000/B000/XXX", expected);
}

/// As the example of "Execute Webhook": `content`, and no mentions.
#[test]
fn discord_has_content() {
    let expected = json!({
        "content": "**foo crashed at 2026-11-22**\n```\nIt <died> & <!channel>\n```",
        "allowed_mentions": {"parse": []},
    });
    check(Format::Discord, "https://discord.com/api/webhooks/1/xxx", expected);
}

/// As the example of "Send Adaptive Cards using an Incoming Webhook".
#[test]
fn teams_has_a_card() {
    let expected = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": [
                    {"type": "TextBlock", "text": "foo crashed at 2026-11-22", "weight": "Bolder",
                     "size": "Medium", "wrap": true},
                    {"type": "TextBlock", "text": "It <died> & <!channel>", "wrap": true},
                    {"type": "FactSet", "facts": [
                        {"title": "Host", "value": "web1"},
                        {"title": "Process", "value": "grp:foo"},
                        {"title": "Listener", "value": "crashmail"},
                        {"title": "Time", "value": "2026-11-22T17:56:27Z"},
                    ]},
                ],
            },
        }],
    });
    check(Format::Teams, "https://x.webhook.office.com/webhookb2/xxx", expected);
}

/// `sendMessage` takes `chat_id` and `text`; without a `parse_mode` nothing in it is markup.
#[test]
fn telegram_has_the_chat_of_the_url() {
    let url = "https://api.telegram.org/bot1:X/sendMessage?chat_id=-100123&message_thread_id=4";
    let expected = json!({
        "chat_id": -100_123,
        "message_thread_id": 4,
        "text": "foo crashed at 2026-11-22\n\nIt <died> & <!channel>",
        "link_preview_options": {"is_disabled": true},
    });
    check(Format::Telegram, url, expected);
    let (uri, fields) = Format::Telegram
        .endpoint_and_fields(&"http://h/s?chat_id=%40ops".parse().unwrap())
        .unwrap();
    assert_eq!((uri.to_string().as_str(), &fields["chat_id"]), ("http://h/s", &json!("@ops")));
    let error = Format::Telegram.endpoint_and_fields(&"http://h/s".parse().unwrap()).unwrap_err();
    assert!(error.contains("sendMessage?chat_id=CHAT"), "{error}");
}

/// As the example of "Publish as JSON", which goes to the server and not to the topic.
#[test]
fn ntfy_has_the_topic_of_the_url() {
    let expected = json!({
        "topic": "mytopic", "priority": 4, "title": "foo crashed at 2026-11-22",
        "message": "It <died> & <!channel>", "tags": ["warning"],
    });
    check(Format::Ntfy, "https://ntfy.sh/mytopic?priority=4", expected);
    let (uri, _) =
        Format::Ntfy.endpoint_and_fields(&"https://h/sub/mytopic".parse().unwrap()).unwrap();
    assert_eq!(uri.to_string(), "https://h/sub/");
    assert!(Format::Ntfy.endpoint_and_fields(&"https://ntfy.sh/".parse().unwrap()).is_err());
}

/// Google Chat answers 400 to a field that it does not know.
#[test]
fn google_chat_has_a_text_and_nothing_else() {
    let text = "*foo crashed at 2026-11-22*\n```\nIt <died> & <!channel>\n```";
    let url = "https://chat.googleapis.com/v1/spaces/X/messages?key=k&token=t";
    check(Format::GoogleChat, url, json!({"text": text}));
}

#[test]
fn texts_that_are_too_long_lose_their_middle() {
    let long = format!("first {} last", "<é`𝄞`` ".repeat(20_000));
    let of = |format: Format| body(format, &alert(&long), &Map::new());
    let utf16 = |value: &Value| value.as_str().unwrap().encode_utf16().count();
    for (value, limit) in [
        (&of(Format::Text)["text"], 4000),
        (&of(Format::Discord)["content"], 2000),
        (&of(Format::Telegram)["text"], 4096),
        (&of(Format::Slack)["blocks"][1]["text"]["text"], 3000),
        (&of(Format::Ntfy)["message"], 4096),
        (&of(Format::GoogleChat)["text"], 4096),
    ] {
        let text = value.as_str().unwrap();
        assert!((limit / 2..=limit).contains(&utf16(value)), "{limit}: {}", utf16(value));
        assert!(text.contains("first ") && text.contains(" last"), "{text}");
        assert!(text.contains("\n[...]\n"), "{text}");
    }
    assert!(of(Format::Ntfy)["message"].as_str().unwrap().len() <= 4096);
    assert!(of(Format::Teams).to_string().len() < 28_000);
    let subject = Alert { subject: "s".repeat(5000), ..alert("x") };
    let slack = body(Format::Slack, &subject, &Map::new());
    assert!(utf16(&slack["blocks"][0]["text"]["text"]) <= 150);
}

#[test]
fn a_text_does_not_end_its_block_of_code() {
    for format in [Format::Discord, Format::Slack] {
        let body = body(format, &alert("a ``` b"), &Map::new()).to_string();
        assert!(body.contains("a ''' b"), "{body}");
    }
}
