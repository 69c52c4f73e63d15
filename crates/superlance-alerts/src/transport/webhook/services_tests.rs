use superlance_core::listener::alert::Recovers;

use super::*;
use crate::firing::told;

fn service() -> Service {
    let label = Label { name: "team".to_owned(), value: "web".to_owned() };
    let interval = Duration::from_secs(300);
    Service { labels: vec![label], key: Some("R0UT1NG".to_owned()), interval }
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn left_alone() -> Alert {
    let recovers = Recovers::WhenResolved { key: "process g:p".to_owned(), at_once: false };
    let alert = Alert::new("memmon", "left-alone", at(60), " left alone".into(), "why".into());
    let alert = alert.about("g", "p", Some(7)).recovers(recovers).attach("Log", "line");
    Alert { host: "h".to_owned(), ..alert }
}

fn alertmanager(alert: &Alert, phase: Phase, now: u64) -> Value {
    service().alertmanager(&told(alert, phase), at(now))[0].clone()
}

#[test]
fn alertmanager_knows_an_alert_by_labels_that_do_not_change() {
    let first = alertmanager(&left_alone(), Phase::Fires, 60);
    let labels = json!({
        "alertname": "SuperlanceLeftAlone", "listener": "memmon", "kind": "left-alone",
        "severity": "critical", "instance": "h", "group": "g", "process": "p", "team": "web",
    });
    assert_eq!(first["labels"], labels);
    assert_eq!(
        first["annotations"],
        json!({"summary": "left alone", "description": "why\n\nLog:\n\nline"})
    );
    assert_eq!(first["startsAt"], "1970-01-01T00:01:00.000Z");
    // It must be told again before its end, and then it is over.
    assert_eq!(first["endsAt"], "1970-01-01T00:05:00.000Z");
    let last = alertmanager(&left_alone(), Phase::Over, 3600);
    assert_eq!((&last["labels"], &last["endsAt"]), (&labels, &json!("1970-01-01T01:00:00.000Z")));
}

#[test]
fn what_is_over_at_once_ends_after_the_interval_however_late_it_is_told() {
    let mut alert = Alert { kind: "restarted".to_owned(), ..left_alone() };
    let late = alertmanager(&alert, Phase::Fires, 3600);
    assert_eq!(
        (&late["startsAt"], &late["endsAt"]),
        (&json!("1970-01-01T00:01:00.000Z"), &json!("1970-01-01T01:05:00.000Z"))
    );
    // A clock that was set back: Alertmanager refuses an end before the start.
    alert.at = at(5000);
    assert_eq!(alertmanager(&alert, Phase::Over, 3600)["startsAt"], "1970-01-01T01:00:00.000Z");
}

#[test]
fn a_label_says_what_an_alert_without_a_process_is_about_and_a_given_one_wins() {
    let key = "http://localhost/".to_owned();
    let recovers = Recovers::WhenResolved { key, at_once: true };
    let alert = Alert::new("httpok", "bad-status", at(1), "s".into(), "t".into());
    let given = Label { name: "severity".to_owned(), value: "page".to_owned() };
    let service = Service { labels: vec![given], ..service() };
    let labels = &service.alertmanager(&alert.recovers(recovers), at(1))[0]["labels"];
    assert_eq!(
        *labels,
        json!({
            "alertname": "SuperlanceBadStatus", "listener": "httpok", "kind": "bad-status",
            "severity": "page", "about": "http://localhost/",
        })
    );
}

#[test]
fn pagerduty_resolves_by_the_key_that_it_was_triggered_with() {
    let first = service().pagerduty(&told(&left_alone(), Phase::Fires));
    let key = "h/memmon/g:p//left-alone/team=web";
    assert_eq!((&first["routing_key"], &first["dedup_key"]), (&json!("R0UT1NG"), &json!(key)));
    assert_eq!(first["event_action"], "trigger");
    let payload = &first["payload"];
    for (name, value) in [
        ("summary", "left alone"),
        ("source", "h"),
        ("severity", "critical"),
        ("timestamp", "1970-01-01T00:01:00.000Z"),
        ("component", "g:p"),
        ("group", "g"),
        ("class", "left-alone"),
    ] {
        assert_eq!(payload[name], value);
    }
    assert_eq!(payload["custom_details"]["labels"], json!({"team": "web"}));
    let last = service().pagerduty(&told(&left_alone(), Phase::Over));
    assert_eq!(
        last,
        json!({"routing_key": "R0UT1NG", "dedup_key": key, "event_action": "resolve"})
    );
}

#[test]
fn long_keys_and_texts_fit_and_stay_different() {
    let long = |end: &str| {
        let key = format!("http://localhost/{}{end}", "x".repeat(300));
        let recovers = Recovers::WhenResolved { key, at_once: true };
        let text = "t".repeat(9000);
        let alert = Alert::new("httpok", "failing", at(1), "s".repeat(9000), text);
        service().pagerduty(&alert.recovers(recovers))
    };
    let (one, other) = (long("1"), long("2"));
    assert_ne!(one["dedup_key"], other["dedup_key"]);
    assert_eq!(one["dedup_key"].as_str().unwrap().len(), MAX_KEY);
    assert!(one["payload"]["summary"].as_str().unwrap().len() <= 1024);
}
