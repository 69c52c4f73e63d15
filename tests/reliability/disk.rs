//! A slow disk: events that come while fsync takes its time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use superlance_testing::{Feed, Frame, HttpServer, Mailbox, SOON, Scratch, wait_until};

use super::{crashmail, exit, told};

/// What one fsync takes.
const SYNC: Duration = Duration::from_millis(30);

/// Crashes at one moment.
const CRASHES: u32 = 60;

/// The library that makes fsync slow, compiled into this folder.
#[track_caller]
fn slow_fsync(folder: &Scratch) -> PathBuf {
    let library = folder.join("slow_fsync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reliability/slow_fsync.c");
    let mut cc = Command::new("cc");
    let status = cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    // A C compiler is there: building this needs one.
    assert!(status.unwrap().success());
    library
}

#[test]
fn events_are_acknowledged_faster_than_the_disk_syncs_and_none_is_lost() {
    let (spool, folder, http) = (Scratch::new(), Scratch::new(), HttpServer::new());
    let subject = crashmail(&spool)
        .args(["--webhook", &http.url()])
        .env("LD_PRELOAD", &slow_fsync(&folder).display().to_string())
        .env("SLOW_FSYNC_MS", &SYNC.as_millis().to_string());
    let mut feed = Feed::new(subject);
    let start = Instant::now();
    for number in 0..CRASHES - 1 {
        feed.event("PROCESS_STATE_EXITED", &exit(&format!("p{number}")));
    }
    // supervisord keeps ten events for a listener that has not acknowledged the one before.
    let (time, one_by_one) = (start.elapsed(), SYNC * CRASHES);
    assert!(time < one_by_one / 2, "{time:?} for {CRASHES} events\n{}", feed.logs());
    // The disk is behind now; a kill loses nothing all the same.
    let last = exit(&format!("p{}", CRASHES - 1));
    feed.event_and_kill("PROCESS_STATE_EXITED", &last, |listener| drop(listener.wait_result()));
    wait_until("everything to be told", SOON, || {
        let mut names = told(&http);
        names.sort();
        names.dedup();
        names.len() == CRASHES as usize
    });
    let (twice, log) = (told(&http).len() - CRASHES as usize, feed.logs());
    assert!(twice <= 1, "{twice} told twice\n{log}");
    assert!(log.contains("Events not handled before the last end: "), "{log}");
}

#[test]
fn an_event_from_before_a_reboot_is_another_than_that_with_its_serial_now() {
    let (spool, mailbox) = (Scratch::new(), Mailbox::new());
    // What a listener leaves when the machine dies; serials begin at 0 again.
    let left = format!(
        "{{\"Event\":{{\"number\":0,\"at\":{{\"secs_since_epoch\":1000000000,\"nanos_since_epoch\":0}},\
         \"id\":1,\"frame\":{{\"name\":\"PROCESS_STATE_EXITED\",\"serial\":0,\"payload\":\"{}\"}}}}}}\n",
        exit("foo")
    );
    let folder = spool.join("spool/crashmail:crashmail");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("events.journal"), left).unwrap();
    let arguments = ["-m", "bob", "-s", &mailbox.command()];
    let mut listener = crashmail(&spool).args(arguments).spawn();
    listener.send(&Frame::new("PROCESS_STATE_EXITED", &exit("foo")).serial(0));
    listener.wait_result();
    let mails = mailbox.wait_for(2);
    let log = listener.stderr();
    assert!(log.starts_with("Events not handled before the last end: 1\n"), "{log}");
    assert!(mails[0].contains("foo crashed at 2001-09-09 01:46:40,000"), "{}", mails[0]);
    assert!(!mails[1].contains("2001-09-09"), "{}", mails[1]);
}
