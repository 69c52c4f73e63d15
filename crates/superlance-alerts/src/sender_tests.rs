//! Senders, with commands and with scripted transports.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::*;
use crate::transport::sendmail::MailCommand;
use superlance_core::testing::Recorder;

fn alert(text: &str) -> Arc<Alert> {
    let text = text.to_owned();
    Arc::new(Alert::new("x", "y", SystemTime::UNIX_EPOCH, "s".to_owned(), text))
}

fn sender(transport: impl Transport + 'static) -> (Sender, Recorder, InFlight) {
    let (recorder, in_flight) = (Recorder::default(), InFlight::default());
    let log = Arc::new(Log::new(recorder.clone()));
    (Sender::new(Box::new(transport), None, log, in_flight.clone()), recorder, in_flight)
}

fn command(command: &str) -> MailCommand {
    MailCommand { command: command.to_owned(), to: "a@b".to_owned(), confirms: true }
}

/// Waits until the log has this text.
#[track_caller]
fn wait_for(recorder: &Recorder, text: &str) {
    wait_until(|| recorder.text().contains(text));
}

#[track_caller]
fn wait_until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn mails_go_out_in_order_and_are_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mails");
    let (mut sender, recorder, in_flight) =
        sender(command(&format!("cat >> '{}'", file.display())));
    sender.send(alert("first\n"), &BTreeSet::new());
    sender.send(alert("second\n"), &BTreeSet::new());
    let mails = ["To: a@b\nSubject: s\n\nfirst\n", "To: a@b\nSubject: s\n\nsecond\n"];
    wait_for(&recorder, mails[1]);
    sender.finish();
    assert_eq!(std::fs::read_to_string(file).unwrap(), mails.concat());
    let log = mails.map(|mail| format!("Mailed:\n\n{mail}\n")).concat();
    assert_eq!(recorder.text(), log);
    assert_eq!(in_flight.texts(), Vec::<String>::new());
}

#[test]
fn a_command_that_fails_is_logged_with_the_mail_and_not_run_again() {
    let (mut sender, recorder, in_flight) = sender(command("exit 7"));
    sender.send(alert("text"), &BTreeSet::new());
    let expected = "Mail not sent with \"exit …\": the command failed with exit status 7. \
                    The mail was:\n\nTo: a@b\nSubject: s\n\ntext\n";
    wait_for(&recorder, "text\n");
    sender.finish();
    assert_eq!(recorder.text(), expected);
    assert_eq!(in_flight.texts(), Vec::<String>::new());
}

#[test]
fn at_the_end_a_mail_program_that_hangs_holds_up_no_other_mail() {
    let (mut sender, recorder, _) = sender(command("grep -q hangs && sleep 60; exit 1"));
    sender.send(alert("hangs"), &BTreeSet::new());
    sender.send(alert("fails at once"), &BTreeSet::new());
    sender.drain();
    wait_for(&recorder, "fails at once");
}

#[test]
fn at_the_end_many_go_out_at_once() {
    let started = Instant::now();
    let (mut sender, _, in_flight) = sender(command("sleep 0.5"));
    for _ in 0..32 {
        sender.send(alert("x"), &BTreeSet::new());
    }
    assert!(in_flight.texts()[0].starts_with("Mail not sent in time:\n\nTo: a@b"));
    sender.finish();
    assert!(started.elapsed() < Duration::from_secs(8), "one after the other takes 16 s");
    assert_eq!(in_flight.texts(), Vec::<String>::new());
}

/// Two targets, `a` and `b`, and a script: an outcome for each target of each try.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    outcomes: VecDeque<Vec<DeliveryOutcome>>,
    tried: Vec<(String, Vec<String>)>,
}

impl Scripted {
    fn new(outcomes: impl IntoIterator<Item = Vec<DeliveryOutcome>>) -> Self {
        let script = Script { outcomes: outcomes.into_iter().collect(), tried: Vec::new() };
        Self(Arc::new(Mutex::new(script)))
    }

    fn tried(&self) -> Vec<(String, String)> {
        let tried = self.0.lock().unwrap().tried.clone();
        tried.into_iter().map(|(text, targets)| (text, targets.join(" "))).collect()
    }
}

impl Transport for Scripted {
    fn name(&self) -> String {
        "scripted".to_owned()
    }

    fn key(&self) -> String {
        "scripted".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    fn deliver(&self, alert: &Alert, targets: &[String]) -> Vec<DeliveryOutcome> {
        let mut script = self.0.lock().unwrap();
        script.tried.push((alert.text.clone(), targets.to_vec()));
        script
            .outcomes
            .pop_front()
            .unwrap_or_else(|| vec![DeliveryOutcome::Delivered; targets.len()])
    }
}

fn later() -> DeliveryOutcome {
    DeliveryOutcome::Retry("down".to_owned())
}

#[test]
fn only_those_who_lack_an_alert_get_it_again_and_the_log_says_so_once() {
    let transport = Scripted::new([vec![DeliveryOutcome::Delivered, later()], vec![later()]]);
    let (mut sender, recorder, in_flight) = sender(transport.clone());
    sender.send(alert("1"), &BTreeSet::new());
    wait_for(&recorder, "works again");
    sender.finish();
    let expected = [("1", "a b"), ("1", "b"), ("1", "b")];
    assert_eq!(transport.tried(), expected.map(|(text, targets)| (text.into(), targets.into())));
    let log = "Sent to a: s\nscripted: down; alerts are kept, and tried again\n\
               Sent to b: s\nscripted works again\n";
    assert_eq!(recorder.text(), log);
    assert_eq!(in_flight.texts(), Vec::<String>::new());
}

#[test]
fn what_is_refused_is_logged_in_full_and_not_tried_again() {
    let transport = Scripted::new([vec![
        DeliveryOutcome::Rejected("550 no".to_owned()),
        DeliveryOutcome::Delivered,
    ]]);
    let (mut sender, recorder, _) = sender(transport.clone());
    sender.send(alert("text"), &BTreeSet::new());
    sender.finish();
    assert_eq!(transport.tried().len(), 1);
    let log = "Not sent to scripted: 550 no. The alert was:\n\ns\n\ntext\nSent to b: s\n";
    assert_eq!(recorder.text(), log);
}

#[test]
fn the_end_tries_once_more_and_logs_in_full_what_fails() {
    let pause = DeliveryOutcome::RetryAfter("busy".to_owned(), Duration::from_secs(3600));
    let transport = Scripted::new([vec![pause.clone(), pause], vec![later(), later()]]);
    let (mut sender, recorder, in_flight) = sender(transport.clone());
    sender.send(alert("text"), &BTreeSet::new());
    wait_for(&recorder, "busy");
    assert_eq!(in_flight.texts(), ["Not sent in time to scripted:\n\ns\n\ntext"]);
    sender.finish();
    let log = "scripted: busy; alerts are kept, and tried again\n\
               Not sent to scripted: down. The alert was:\n\ns\n\ntext\n";
    assert_eq!((transport.tried().len(), recorder.text().as_str()), (2, log));
}

#[test]
fn what_may_have_arrived_is_tried_again_with_pauses() {
    let unknown = || vec![DeliveryOutcome::Unknown("no answer".to_owned()); 2];
    let transport = Scripted::new([unknown(), unknown()]);
    let (mut sender, recorder, in_flight) = sender(transport.clone());
    sender.send(alert("text"), &BTreeSet::new());
    wait_for(&recorder, "no answer; it may have arrived; alerts are kept, and tried again\n");
    // The second try is a second later, the third a minute.
    wait_until(|| transport.tried().len() == 2);
    sender.finish();
    assert_eq!(transport.tried().len(), 3);
    assert!(
        recorder.text().ends_with("Sent to a, b: s\nscripted works again\n"),
        "{}",
        recorder.text()
    );
    assert_eq!(in_flight.texts(), Vec::<String>::new());
}

/// Panics at the first alert.
struct Panicking(AtomicBool);

impl Transport for Panicking {
    fn name(&self) -> String {
        "panicking".to_owned()
    }

    fn key(&self) -> String {
        self.name()
    }

    fn deliver(&self, _: &Alert, _: &[String]) -> Vec<DeliveryOutcome> {
        assert!(self.0.swap(true, Ordering::SeqCst), "as the test wants it");
        vec![DeliveryOutcome::Delivered]
    }
}

#[test]
fn a_panic_silences_no_transport() {
    let (mut sender, recorder, _) = sender(Panicking(AtomicBool::default()));
    sender.send(alert("1"), &BTreeSet::new());
    wait_for(&recorder, &format!("{FAULT}: panic in panicking\n"));
    let kept = "panicking: a panic; it may have arrived; alerts are kept, and tried again\n";
    wait_for(&recorder, kept);
    sender.send(alert("2"), &BTreeSet::new());
    sender.finish();
    assert_eq!(recorder.text().matches("Sent to panicking: s\n").count(), 2, "{}", recorder.text());
}

#[test]
fn there_is_an_end_to_the_bytes_that_wait() {
    let (large, pause) = ("x".repeat(CAPACITY_BYTES / 4), Duration::from_secs(3600));
    let away = DeliveryOutcome::RetryAfter("away".to_owned(), pause);
    let scripted = Scripted::new([vec![away; 2]]);
    let (mut sender, recorder, in_flight) = sender(scripted.clone());
    (0..3).for_each(|_| sender.send(alert(&large), &BTreeSet::new()));
    wait_for(&recorder, "away; alerts are kept");
    assert_eq!(in_flight.texts().len(), 3);
    sender.send(alert(&large), &BTreeSet::new());
    wait_for(&recorder, "Not sent to scripted: too many others wait. The alert was:\n\ns\n\nxxx");
    sender.send(alert("small"), &BTreeSet::new());
    assert_eq!(in_flight.texts().len(), 4);
    sender.finish();
    assert_eq!((scripted.tried().len(), sender.used.load(Ordering::Relaxed)), (5, 0));
}

/// A log that takes down whether the journal holds anything while a message is written.
struct Witness {
    journal: PathBuf,
    seen: Recorder,
}

impl Write for Witness {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept = fs::metadata(&self.journal).is_ok_and(|journal| journal.len() > 0);
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or_default();
        writeln!(self.seen, "{first} kept: {kept}")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each try times out, as with a server that takes longer than we wait.
#[test]
fn what_may_have_arrived_five_times_is_given_up_for_this_listener_and_the_next() {
    let (folder, recorder) = (tempfile::tempdir().unwrap(), Recorder::default());
    let log = Arc::new(Log::new(recorder.clone()));
    let spool = || Arc::new(Spool::new(folder.path().to_owned(), "test", Arc::clone(&log)));
    let kept = spool();
    kept.open().unwrap();
    let (transport, in_flight) = (Scripted::new([]), InFlight::default());
    let (own, log) = (Some(Arc::clone(&kept)), Arc::clone(&log));
    let sender = Sender::new(Box::new(transport), own, log, in_flight.clone());
    let (alert, none) = (alert("text"), BTreeSet::new());
    kept.put(&alert, sender.keys(Phase::Told, &none).into_iter().collect());
    let (entry, room) = (in_flight.begin("waits"), sender.room(&alert).unwrap());
    let targets = sender.shared.transport.targets();
    let count = targets.len();
    let job = Job::new(Arc::clone(&alert), targets, Some(entry), room);
    sender.shared.lock().schedule.push(job);
    let mut later = Instant::now();
    for tries in 1..=5 {
        let mut state = sender.shared.lock();
        // Longer than any pause.
        later += Duration::from_secs(3600);
        let attempt = state.schedule.take(later).unwrap();
        let outcome = DeliveryOutcome::Unknown("no answer within 30 seconds".to_owned());
        sender.shared.settle(attempt, vec![outcome; count], &mut state);
        assert_eq!(
            (kept.keeps(&alert), in_flight.texts().len()),
            match tries {
                5 => (false, 0),
                _ => (true, 1),
            }
        );
    }
    let why = "no answer within 30 seconds; it may have arrived";
    let expected = format!(
        "scripted: {why}; alerts are kept, and tried again\n\
         Not sent to scripted: {why}. The alert was:\n\ns\n\ntext\n"
    );
    assert_eq!(recorder.text(), expected);
    assert!(sender.shared.lock().schedule.take(later + Duration::from_secs(3600)).is_none());
    drop((sender, kept));
    assert_eq!(spool().open(), Some(Vec::new()), "the next listener does not try it");
}

/// A sender with a spool that has one alert, which is handed to it; returns what was logged, and
/// whether the alert was still on disk.
fn logged_while_kept(outcome: DeliveryOutcome, used: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (journal, seen) = (folder.path().join("test/alerts.journal"), Recorder::default());
    let log = Arc::new(Log::new(Witness { journal: journal.clone(), seen: seen.clone() }));
    let spool = Arc::new(Spool::new(folder.path().to_owned(), "test", Arc::clone(&log)));
    spool.open().unwrap();
    let transport = Box::new(Scripted::new([vec![outcome; 2]]));
    let mut sender = Sender::new(transport, Some(Arc::clone(&spool)), log, InFlight::default());
    sender.used.store(used, Ordering::Relaxed);
    let alert = Arc::new(Alert { id: "1".to_owned(), ..Arc::unwrap_or_clone(alert("text")) });
    spool.put(&alert, sender.keys(Phase::Told, &BTreeSet::new()).into_iter().collect());
    sender.send(alert, &BTreeSet::new());
    sender.finish();
    assert_eq!(fs::metadata(&journal).map_or(0, |journal| journal.len()), 0, "it is settled");
    seen.text()
}

#[test]
fn what_will_not_arrive_is_in_the_log_before_it_leaves_the_disk() {
    let rejected = logged_while_kept(DeliveryOutcome::Rejected("550 no".to_owned()), 0);
    assert_eq!(rejected, "Not sent to scripted: 550 no. The alert was: kept: true\n");
    let surplus = logged_while_kept(DeliveryOutcome::Delivered, CAPACITY_BYTES);
    assert_eq!(surplus, "Not sent to scripted: too many others wait. The alert was: kept: true\n");
}

#[test]
fn a_reminder_that_is_refused_keeps_no_alert_waiting_and_one_that_fails_does() {
    for (outcome, waits) in [
        (DeliveryOutcome::Rejected("HTTP status 400".to_owned()), false),
        (DeliveryOutcome::Retry("HTTP status 503".to_owned()), true),
    ] {
        let (sender, recorder, _) = sender(Scripted::default());
        let room = sender.room(&alert("next")).unwrap();
        let mut state = sender.shared.lock();
        sender.shared.settle_reminder(&[String::new()], vec![outcome], &mut state);
        state.schedule.push(Job::new(alert("next"), Vec::new(), None, room));
        assert_eq!(state.schedule.take(Instant::now()).is_none(), waits, "{}", recorder.text());
        assert!(recorder.text().starts_with("scripted: HTTP status "), "{}", recorder.text());
    }
}
