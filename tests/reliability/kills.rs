//! Listeners that are killed at any moment: every alert arrives, hardly any twice.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use superlance_testing::{
    Feed, HttpServer, SOON, Scratch, SmtpAnswer, SmtpServer, Subject, wait_until,
};

use super::{crashmail, exit};
use crate::ours;

/// Alerts, and how often the listener is killed meanwhile.
const ALERTS: usize = 200;
const KILLS: usize = 20;

/// Numbers that are different in every run.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Random(now.as_nanos() as u64 | 1)
    }

    /// A number below this one.
    fn below(&mut self, end: u64) -> u64 {
        // Xorshift, by Marsaglia.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// How often each of the processes was told of, by what names them.
fn count(told: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in told {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The process that a text of crashmail is about.
fn process_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Process ")?;
    rest.split(' ').next().map(str::to_owned)
}

/// Every process was told of, and no more than this many of them were told of twice.
#[track_caller]
fn assert_all_arrived(way: &str, counts: &BTreeMap<String, usize>, twice: usize, log: &str) {
    let missing: Vec<_> = (0..ALERTS)
        .map(|number| format!("p{number}"))
        .filter(|p| !counts.contains_key(p))
        .collect();
    assert!(missing.is_empty(), "{way}: {missing:?} never arrived\n{log}");
    let extra: usize = counts.values().map(|count| count - 1).sum();
    assert!(extra <= twice, "{way}: {extra} duplicates: {counts:?}\n{log}");
}

#[test]
fn every_alert_arrives_although_the_listener_is_killed_and_the_relay_is_down() {
    let (spool, smtp, mut http) = (Scratch::new(), SmtpServer::new(), HttpServer::new());
    let url = format!("smtp://{}", smtp.address());
    let arguments = ["-m", "bob@example.com", "--smtp-url", &url, "--webhook", &http.url()];
    let mut feed = Feed::new(crashmail(&spool).args(arguments));
    let mut random = Random::new();
    // Which events the listener does not survive.
    let mut fatal: Vec<usize> = (0..ALERTS).collect();
    while fatal.len() > KILLS {
        fatal.swap_remove(random.below(fatal.len() as u64) as usize);
    }
    for number in 0..ALERTS {
        // Down half of the time, each at another time.
        match number % 20 {
            0 => smtp.on("MAIL", SmtpAnswer::Code(451)),
            5 => http.stop(),
            10 => smtp.behave(),
            15 => http.start(),
            _ => {}
        }
        let payload = exit(&format!("p{number}"));
        if fatal.contains(&number) {
            let moment = Duration::from_micros(random.below(30_000));
            feed.event_and_kill("PROCESS_STATE_EXITED", &payload, |_| thread::sleep(moment));
        } else {
            feed.event("PROCESS_STATE_EXITED", &payload);
        }
    }
    smtp.behave();
    http.start();
    let bytes = || {
        let entries = std::fs::read_dir(spool.join("spool/crashmail:crashmail")).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    wait_until("the spool to be empty", SOON * 2, || bytes() == 0);
    let log = feed.logs();
    let mails = smtp.mails();
    let mailed = mails.iter().filter_map(|mail| process_in(&mail.body));
    assert_all_arrived("mails", &count(mailed), KILLS, &log);
    let requests = http.requests();
    let hooked = requests.iter().filter_map(|request| process_in(&request.body));
    assert_all_arrived("webhook", &count(hooked), KILLS, &log);
    // What arrives twice can be told from what happened twice.
    let ids: BTreeSet<_> = mails.iter().filter_map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), ALERTS);
    assert!(!log.contains("This is a fault"), "{log}");
}

#[test]
fn the_lines_of_a_batch_survive_a_kill() {
    for (tool, event) in
        [("crashmailbatch", "PROCESS_STATE_EXITED"), ("fatalmailbatch", "PROCESS_STATE_FATAL")]
    {
        let (spool, smtp) = (Scratch::new(), SmtpServer::new());
        let folder = spool.path().display().to_string();
        let mut feed = Feed::new(
            Subject::ours(ours(), tool)
                .args(["-t", "bob@example.com", "-f", "me@example.com", "-H", &smtp.address()])
                .args(["--spool", &folder]),
        );
        let mut random = Random::new();
        for number in 0..10 {
            let payload = exit(&format!("p{number}"));
            let moment = Duration::from_micros(random.below(20_000));
            feed.event_and_kill(event, &payload, |_| thread::sleep(moment));
        }
        assert_eq!(smtp.mails().len(), 0);
        feed.event("TICK_60", "when:60");
        let mails = smtp.wait_for(1);
        for number in 0..10 {
            let lines = mails[0].body.lines().filter(|line| line.contains(&format!("p{number} ")));
            assert_eq!(lines.count(), 1, "p{number}\n{}\n{}", mails[0].body, feed.logs());
        }
        // The server has the mail before the spool has noted that.
        feed.listener().wait_for_log("Sending notification email:\n");
        // They were sent, and are not sent again.
        feed.event_and_kill("TICK_60", "when:120", |_| {});
        feed.event("TICK_60", "when:180");
        assert_eq!(smtp.mails().len(), 1, "{}", feed.logs());
    }
}

#[test]
fn a_mail_server_that_hangs_holds_up_no_event_and_a_kill_loses_none() {
    let (spool, smtp) = (Scratch::new(), SmtpServer::new());
    let folder = spool.path().display().to_string();
    let mut feed = Feed::new(
        Subject::ours(ours(), "crashmailbatch")
            .args(["-t", "bob@example.com", "-f", "me@example.com", "-H", &smtp.address()])
            .args(["--spool", &folder]),
    );
    smtp.on("MAIL", SmtpAnswer::Never);
    feed.event("PROCESS_STATE_EXITED", &exit("p0"));
    feed.event("TICK_60", "when:60");
    wait_until("the mail server to be asked", SOON, || !smtp.is_idle());
    // More than supervisord would keep.
    for number in 1..19 {
        feed.event("PROCESS_STATE_EXITED", &exit(&format!("p{number}")));
    }
    // Each is logged while the server hangs.
    feed.listener().wait_for_log("Process p18:p18");
    feed.event_and_kill("PROCESS_STATE_EXITED", &exit("p19"), |_| smtp.behave());
    // What hung is delivered as it was, and the rest at the next tick.
    smtp.wait_for(1);
    feed.listener().wait_for_log("Sending notification email:\n");
    feed.event("TICK_60", "when:120");
    feed.event("TICK_60", "when:180");
    let mails = smtp.wait_for(2);
    let lines: Vec<_> = mails.iter().flat_map(|mail| mail.body.lines()).collect();
    for number in 0..20 {
        let about = lines.iter().filter(|line| line.contains(&format!(" p{number}:")));
        assert_eq!(about.count(), 1, "p{number}\n{lines:#?}\n{}", feed.logs());
    }
}

#[test]
fn a_mail_in_doubt_on_a_full_disk_keeps_no_later_crash_from_being_mailed() {
    let (spool, smtp) = (Scratch::new(), SmtpServer::new());
    let folder = spool.path().display().to_string();
    let mut feed = Feed::new(
        Subject::ours(ours(), "crashmailbatch")
            .args(["-t", "bob@example.com", "-f", "me@example.com", "-H", &smtp.address()])
            .args(["--spool", &folder]),
    );
    feed.event("PROCESS_STATE_EXITED", &exit("p0"));
    feed.listener().wait_for_log("Process p0:p0");
    // From now on, no file grows.
    let pid = feed.listener().pid().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, "--fsize=0"]).status();
    assert!(status.unwrap().success());
    smtp.on("MESSAGE", SmtpAnswer::CloseAfter);
    feed.event("TICK_60", "when:60");
    feed.listener().wait_for_log("it may have arrived; kept, and tried again later for ");
    feed.event_and_kill("PROCESS_STATE_EXITED", &exit("p2"), |_| smtp.behave());
    feed.event("PROCESS_STATE_EXITED", &exit("p1"));
    feed.event("TICK_60", "when:120");
    wait_until("the later crash to be mailed", SOON, || {
        smtp.mails().iter().any(|mail| mail.body.contains("Process p1:p1"))
    });
}
