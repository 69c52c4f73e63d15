//! The JSON of each webhook format, checked as it arrives against what the service publishes: required
//! fields, their types, their limits. The format is chosen by the URL alone or by `--webhook-format`.

use serde_json::{Value, json};
use superlance_testing::HttpServer;

use super::{crash, crashmail, end, json};

/// The JSON that arrives in this format, and the path it was sent to.
fn received(format: &str, path: &str) -> (Value, String) {
    let server = HttpServer::new();
    let url = format!("{}{path}", server.url());
    let mut listener = crashmail(["--webhook", &url, "--webhook-format", format]).spawn();
    crash(&mut listener, "foo");
    let path = server.wait_for(1).remove(0).path;
    end(listener);
    (json(&server, 0), path)
}

/// Every key and type of `example` is in `body`; a list has elements like the first of the example.
#[track_caller]
fn assert_like(body: &Value, example: &Value) {
    match (body, example) {
        (Value::Object(body), Value::Object(example)) => {
            for (key, example) in example {
                let value = body.get(key).unwrap_or_else(|| panic!("no {key} in {body:?}"));
                assert_like(value, example);
            }
        }
        (Value::Array(body), Value::Array(example)) => {
            assert!(!body.is_empty());
            body.iter().zip(example).for_each(|(body, example)| assert_like(body, example));
        }
        (Value::String(body), Value::String(example)) => {
            // Words of a protocol are in capitals of no kind and stand for themselves.
            assert!(!body.is_empty());
            if let Some(fixed) = example.strip_prefix('=') {
                assert_eq!(body, fixed);
            }
        }
        (body, example) => assert_eq!(
            std::mem::discriminant(body),
            std::mem::discriminant(example),
            "{body} is not like {example}"
        ),
    }
}

/// docs.slack.dev, "Sending messages using incoming webhooks" and "Block Kit".
#[test]
fn slack() {
    let (body, _) = received("slack", "/services/T00000000/B00000000/XXXXXXXX");
    let example = json!({
        "text": "Danny Torrence left a review",
        "blocks": [
            {"type": "=header", "text": {"type": "=plain_text", "text": "Budget Performance"}},
            {"type": "=section", "text": {"type": "=mrkdwn", "text": "Danny *left* a review"}},
            {"type": "=context", "elements": [{"type": "=mrkdwn", "text": "Location"}]},
        ],
    });
    assert_like(&body, &example);
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}

/// discord.com/developers, "Execute Webhook".
#[test]
fn discord() {
    let (body, path) = received("discord", "/api/webhooks/1/x?thread_id=5");
    assert_like(&body, &json!({"content": "Hello, World!"}));
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    assert_eq!(path, "/api/webhooks/1/x?thread_id=5");
}

/// learn.microsoft.com, "Create and send messages with Incoming Webhooks": adaptive cards.
#[test]
fn teams() {
    let (body, _) = received("teams", "/webhookb2/x");
    let example = json!({
        "type": "=message",
        "attachments": [{
            "contentType": "=application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "=http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "=AdaptiveCard",
                "version": "=1.2",
                "body": [{"type": "=TextBlock", "text": "For Samples and Templates"}],
            },
        }],
    });
    assert_like(&body, &example);
}

/// core.telegram.org/bots/api#sendmessage.
#[test]
fn telegram() {
    let (body, path) = received("telegram", "/bot123456:ABC/sendMessage?chat_id=-1001234567890");
    assert_like(&body, &json!({"chat_id": -1, "text": "hello"}));
    assert_eq!(
        (path.as_str(), &body["chat_id"]),
        ("/bot123456:ABC/sendMessage", &json!(-1_001_234_567_890_i64))
    );
}

/// docs.ntfy.sh, "Publish as JSON".
#[test]
fn ntfy() {
    let (body, path) = received("ntfy", "/mytopic?priority=4");
    let example = json!({
        "topic": "=mytopic", "message": "Disk space is low", "title": "Low disk space alert",
        "tags": ["warning"], "priority": 4,
    });
    assert_like(&body, &example);
    assert_eq!(path, "/");
}

/// developers.google.com/workspace/chat, "Build a Google Chat app as a webhook"; it answers 400 to
/// fields that it does not know.
#[test]
fn google_chat() {
    let (body, path) = received("google-chat", "/v1/spaces/S/messages?key=k&token=t");
    assert_like(&body, &json!({"text": "Hello from a script!"}));
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert_eq!(path, "/v1/spaces/S/messages?key=k&token=t");
}

/// developers.mattermost.com and docs.rocket.chat, "Incoming webhooks": a `text`, and nothing in the
/// other fields that they know.
#[test]
fn mattermost_and_rocket_chat() {
    let (body, _) = received("text", "/hooks/xxx");
    assert_like(&body, &json!({"text": "Hello, this is some text"}));
    for known in [
        "channel",
        "username",
        "icon_url",
        "attachments",
        "type",
        "props",
        "priority",
        "alias",
        "avatar",
        "emoji",
        "roomId",
    ] {
        assert_eq!(body.get(known), None);
    }
}
