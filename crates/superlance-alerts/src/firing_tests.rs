//! What services are told: news, reminders, and ends.

use superlance_core::listener::alert::Recovers;

use super::*;

struct Scene {
    firing: Firing,
    start: Moment,
}

impl Scene {
    fn new() -> Self {
        Self { firing: Firing::new(INTERVAL), start: Moment::now() }
    }

    fn at(&self, second: u64) -> Moment {
        let time = Duration::from_secs(second);
        Moment { wall: self.start.wall + time, instant: self.start.instant + time }
    }

    fn note(&mut self, kind: &str, is_news: bool, second: u64) -> Phase {
        let now = self.at(second);
        self.firing.note(&alert(kind), is_news, now).phase
    }

    /// What is told in these seconds, each at the deadline.
    fn told(&mut self, until: u64) -> Vec<(u64, Phase, String)> {
        let mut told = Vec::new();
        while let Some(next) = self.firing.deadline().filter(|next| *next <= self.at(until).instant)
        {
            let second = (next - self.start.instant).as_secs();
            let due = self.firing.due(self.at(second)).into_iter();
            told.extend(due.map(|alert| (second, alert.phase, alert.id)));
        }
        told
    }
}

fn alert(kind: &str) -> Alert {
    let recovers = Recovers::WhenResolved { key: "process g:p".to_owned(), at_once: true };
    let alert = Alert::new("memmon", kind, SystemTime::UNIX_EPOCH, kind.to_owned(), "text".into());
    Alert { id: kind.to_owned(), ..alert.about("g", "p", Some(7)).recovers(recovers) }
}

fn record(alert: &Alert) -> Record {
    Record { alert: alert.clone(), end: None }
}

#[test]
fn what_is_over_at_once_ends_after_the_interval_which_begins_anew_with_the_next() {
    let mut scene = Scene::new();
    assert_eq!(scene.note("restarted", true, 0), Phase::Fires);
    assert_eq!(scene.note("restarted", true, 100), Phase::Fires);
    assert_eq!(scene.note("restarted", false, 200), Phase::Lasts);
    assert_eq!(scene.told(1000), [(500, Phase::Passed, "restarted.over".to_owned())]);
    assert_eq!(scene.firing.deadline(), None);
}

#[test]
fn what_lasts_is_told_each_minute_until_it_is_over() {
    let mut scene = Scene::new();
    // Held back from people, and news to services all the same.
    assert_eq!(scene.note("left-alone", false, 0), Phase::Fires);
    let lasts = |second| (second, Phase::Lasts, "left-alone.lasts".to_owned());
    assert_eq!(scene.told(180), [lasts(60), lasts(120), lasts(180)]);
    assert_eq!(scene.firing.end("process g:q").len(), 0);
    let over = scene.firing.end("process g:p").remove(0);
    assert_eq!((over.phase, over.subject.as_str()), (Phase::Over, "left-alone (over)"));
    assert_eq!(scene.told(1000), []);
}

#[test]
fn a_later_listener_goes_on_with_what_fires() {
    let mut scene = Scene::new();
    let now = scene.at(0);
    let once = Record { alert: alert("restarted"), end: Some(scene.at(30).wall) };
    let past = Record { alert: alert("stopped"), end: Some(now.wall - INTERVAL) };
    scene.firing.keep((Journal::default(), vec![record(&alert("left-alone")), once, past]), now);
    let told = scene.told(60);
    let phases: Vec<_> = told.iter().map(|(second, _, id)| (*second, id.as_str())).collect();
    let expected = [
        (0, "stopped.over"),
        (0, "left-alone.lasts"),
        (30, "restarted.over"),
        (60, "left-alone.lasts"),
    ];
    assert_eq!(phases, expected);
}

#[test]
fn at_the_end_what_no_journal_keeps_is_over_if_it_was_over_at_once() {
    let mut scene = Scene::new();
    scene.note("restarted", true, 0);
    scene.note("left-alone", true, 0);
    let ids: Vec<_> = scene.firing.finish().into_iter().map(|alert| alert.id).collect();
    assert_eq!(ids, ["restarted.over"]);
}
