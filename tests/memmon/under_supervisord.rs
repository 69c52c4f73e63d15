//! memmon as an event listener of a real supervisord: the examples of its documentation, and what
//! happens on bad days. Sizes, addresses and ticks are smaller than in the documentation, and mail
//! goes to a mailbox.

use std::fs;
use std::time::Duration;

use superlance_testing::{
    Ballast, Builder, Channel, Http, Mailbox, SOON, Scratch, Supervisord, try_wait, wait_until,
};

use crate::links;

/// A supervisord to be, its mailbox, and what must live as long.
struct Setting {
    builder: Builder,
    mailbox: Mailbox,
    folder: Scratch,
    _links: Scratch,
}

/// Ten megabytes are little, sixty are too much.
const SMALL: u32 = 1;
const LARGE: u32 = 60;

fn setting(http: Http) -> Setting {
    let (links, path) = links();
    Setting {
        builder: Supervisord::builder().http(http).first_in_path(&path),
        mailbox: Mailbox::new(),
        folder: Scratch::new(),
        _links: links,
    }
}

impl Setting {
    fn program(mut self, name: &str, ballast: Ballast, lines: &[(&str, &str)]) -> Setting {
        self.builder = self.builder.program(name, &ballast.command(&self.folder), lines);
        self
    }

    /// Two processes in the group `bar`, one large and one small.
    fn group(self) -> Setting {
        let mut setting = self.program("heavy", Ballast::new(LARGE), &[]).program(
            "light",
            Ballast::new(SMALL),
            &[],
        );
        setting.builder = setting.builder.section("group:bar", &[("programs", "heavy,light")]);
        setting
    }

    fn memmon(mut self, arguments: &str, lines: &[(&str, &str)]) -> Setting {
        let command = format!("memmon {arguments} -s \"{}\"", self.mailbox.command());
        self.builder = self.builder.listener("memmon", &command, "TICK_5", lines);
        self
    }

    fn start(self) -> (Supervisord, Mailbox, (Scratch, Scratch)) {
        (self.builder.start(), self.mailbox, (self.folder, self._links))
    }
}

fn log(supervisord: &Supervisord) -> String {
    supervisord.process_log("memmon", Channel::Stderr)
}

fn wait_log(supervisord: &Supervisord, text: &str) {
    supervisord.wait_for_process_log("memmon", Channel::Stderr, text);
}

/// Waits until memmon has looked once more at everything.
fn wait_check(supervisord: &Supervisord) {
    let checks = || log(supervisord).matches("Checking").count();
    let before = checks();
    wait_until("the next but one check", SOON, || checks() >= before + 2);
}

#[test]
fn example_1_any_process() {
    let (supervisord, mailbox, _keep) = setting(Http::Unix)
        .program("foo", Ballast::new(LARGE), &[])
        .program("small", Ballast::new(SMALL), &[])
        .memmon("-a 50MB -m bob@example.com", &[])
        .start();
    let (foo, small) = (supervisord.pid_of("foo"), supervisord.pid_of("small"));
    supervisord.wait_restart("foo", foo);
    let mails = mailbox.wait_for(1);
    let start = "To: bob@example.com\nSubject: memmon: process foo:foo restarted\n\n\
                 memmon.py restarted the process named foo:foo at ";
    assert!(mails[0].starts_with(start), "{}", mails[0]);
    assert_eq!(supervisord.pid_of("small"), small);
    assert!(!log(&supervisord).contains("RSS of memmon:memmon"), "{}", log(&supervisord));
}

#[test]
fn example_2_a_program() {
    let (supervisord, mailbox, _keep) = setting(Http::Unix)
        .program("foo", Ballast::new(LARGE), &[])
        .program("other", Ballast::new(LARGE), &[])
        .memmon("-p foo=50MB -m bob@example.com", &[])
        .start();
    let (foo, other) = (supervisord.pid_of("foo"), supervisord.pid_of("other"));
    supervisord.wait_restart("foo", foo);
    mailbox.wait_for(1);
    assert_eq!(supervisord.pid_of("other"), other);
}

#[test]
fn example_3_a_group() {
    let (supervisord, mailbox, _keep) = setting(Http::Unix)
        .group()
        .program("heavier", Ballast::new(LARGE), &[])
        .memmon("-g bar=50MB -m bob@example.com", &[])
        .start();
    let others = ["bar:light", "heavier"].map(|name| (name, supervisord.pid_of(name)));
    supervisord.wait_restart("bar:heavy", supervisord.pid_of("bar:heavy"));
    assert!(mailbox.wait_for(1)[0].contains("Subject: memmon: process bar:heavy restarted\n"));
    for (name, pid) in others {
        assert_eq!(supervisord.pid_of(name), pid, "{name}");
    }
}

#[test]
fn example_4_only_young_processes_are_mailed_about() {
    for (limit, mailed) in [("2d", true), ("1s", false)] {
        let (supervisord, mailbox, _keep) = setting(Http::Unix)
            .program("foo", Ballast::new(LARGE), &[("startsecs", "2")])
            .memmon(&format!("-p foo=50MB -m bob@example.com -u {limit}"), &[])
            .start();
        supervisord.wait_state("foo", "RUNNING");
        supervisord.wait_restart("foo", supervisord.pid_of("foo"));
        wait_log(&supervisord, "Restarting foo:foo");
        wait_check(&supervisord);
        assert_eq!(!mailbox.mails().is_empty(), mailed, "-u {limit}");
    }
}

#[test]
fn example_5_with_a_password() {
    for http in [Http::Unix, Http::Inet] {
        let environment = "SUPERVISOR_USERNAME=\"bob\",SUPERVISOR_PASSWORD=\"secret\"";
        let mut setting = setting(http)
            .program("foo", Ballast::new(LARGE), &[])
            .memmon("-a 50MB -m bob@example.com", &[("environment", environment)]);
        setting.builder = setting.builder.login("bob", "secret");
        let (supervisord, mailbox, _keep) = setting.start();
        supervisord.wait_restart("foo", supervisord.pid_of("foo"));
        mailbox.wait_for(1);
    }
}

#[test]
fn a_wrong_password_is_said_once_and_alerted_and_ends_nothing() {
    let environment = "SUPERVISOR_USERNAME=\"bob\",SUPERVISOR_PASSWORD=\"wrong\"";
    let mut setting = setting(Http::Inet)
        .program("foo", Ballast::new(LARGE), &[])
        .memmon("-a 50MB -m bob@example.com", &[("environment", environment)]);
    setting.builder = setting.builder.login("bob", "secret");
    let (supervisord, mailbox, _keep) = setting.start();
    wait_log(&supervisord, "refused user name and password (401)");
    let memmon = supervisord.pid_of("memmon");
    let [mail] = &mailbox.wait_for(1)[..] else { panic!("one mail") };
    assert!(mail.contains("Subject: memmon: cannot check anything\n"), "{mail}");
    assert!(mail.contains("3 times in a row"), "{mail}");
    let log = log(&supervisord);
    assert_eq!(log.matches("user name and password").count(), 1, "{log}");
    assert!(!log.contains("Checking"), "no check took place: {log}");
    assert_eq!(supervisord.pid_of("memmon"), memmon);
}

#[test]
fn mail_commands_that_misbehave_do_not_stop_the_watch() {
    for command in ["echo queued as 7; echo oops >&2", "exit 75", "sleep 1000"] {
        let mut setting = setting(Http::Unix).program("foo", Ballast::new(LARGE), &[]);
        let memmon = format!("memmon -a 50MB -m bob@example.com -s \"{command}\"");
        setting.builder = setting.builder.listener("memmon", &memmon, "TICK_5", &[]);
        let (supervisord, _mailbox, _keep) = setting.start();
        let first = supervisord.wait_restart("foo", supervisord.pid_of("foo"));
        supervisord.wait_restart("foo", first);
        assert_eq!(supervisord.state_of("memmon"), "RUNNING");
        assert!(!supervisord.log().contains("UNKNOWN"), "{}", supervisord.log());
    }
}

#[test]
fn when_supervisord_is_killed_memmon_ends_well() {
    let mut setting = setting(Http::Unix);
    let status = setting.folder.join("status");
    let command = format!("/bin/sh -c 'memmon -a 50MB; echo $? > {}'", status.display());
    setting.builder = setting.builder.listener("memmon", &command, "TICK_5", &[]);
    let (mut supervisord, _mailbox, _keep) = setting.start();
    supervisord.wait_state("memmon", "RUNNING");
    supervisord.kill9();
    let code = || fs::read_to_string(&status).ok().filter(|text| text.ends_with('\n'));
    assert_eq!(try_wait(Duration::from_secs(3), code).as_deref(), Some("0\n"));
}

#[test]
fn when_supervisord_stops_the_mail_under_way_still_arrives() {
    let mut setting = setting(Http::Unix).program("foo", Ballast::new(LARGE), &[]);
    let begun = setting.folder.join("begun");
    let slow = format!("touch {}; sleep 2; {}", begun.display(), setting.mailbox.command());
    let memmon = format!("memmon -a 50MB -m bob@example.com -s \"{slow}\"");
    setting.builder = setting.builder.listener("memmon", &memmon, "TICK_5", &[]);
    let (mut supervisord, mailbox, _keep) = setting.start();
    wait_until("the mail command", SOON, || begun.exists());
    supervisord.stop();
    assert_eq!(mailbox.mails().len(), 1, "{}", log(&supervisord));
    let end = "stopped: memmon (terminated by SIGTERM)";
    assert!(supervisord.log().contains(end), "{}", supervisord.log());
}

/// supervisord ends everything while memmon waits for the start of foo.
#[test]
fn what_a_shutdown_breaks_off_is_logged_and_not_mailed() {
    let (mut supervisord, mailbox, _keep) = setting(Http::Unix)
        .program("foo", Ballast::new(LARGE), &[("startsecs", "8")])
        .memmon("-a 50MB -m bob@example.com", &[])
        .start();
    let spawned = || supervisord.log().matches("spawned: 'foo'").count() == 2;
    wait_until("the new foo", SOON, spawned);
    supervisord.stop();
    let log = log(&supervisord);
    let said = "\nFailed to start process foo:foo after stopping it: <Fault 6: 'SHUTDOWN_STATE'>\n";
    assert!(log.contains(said), "{log}");
    assert!(mailbox.mails().is_empty(), "{:?}", mailbox.mails());
}

#[test]
fn stopped_in_the_middle_of_a_restart_memmon_finishes_it() {
    let slow = Ballast::new(LARGE).stopping_for(Duration::from_secs(5));
    let (supervisord, _mailbox, _keep) = setting(Http::Unix)
        .program("foo", slow, &[("stopwaitsecs", "20")])
        .memmon("-a 50MB", &[])
        .start();
    let foo = supervisord.pid_of("foo");
    wait_log(&supervisord, "Restarting foo:foo");
    supervisord.ctl(&["stop", "memmon"]);
    assert_eq!(supervisord.state_of("memmon"), "STOPPED");
    let end = "stopped: memmon (terminated by SIGTERM)";
    assert!(supervisord.log().contains(end), "{}", supervisord.log());
    supervisord.wait_restart("foo", foo);
}

#[test]
fn stopped_for_good_in_the_middle_of_a_restart_memmon_says_what_to_do() {
    let stubborn = Ballast::new(LARGE).ignoring_term();
    let (supervisord, _mailbox, _keep) = setting(Http::Unix)
        .program("foo", stubborn, &[("stopwaitsecs", "30")])
        .memmon("-a 50MB", &[])
        .start();
    wait_log(&supervisord, "Restarting foo:foo");
    supervisord.ctl(&["stop", "memmon"]);
    assert!(
        log(&supervisord).ends_with(
            "foo:foo was stopped and is not started again yet; \
             start it with: supervisorctl start foo:foo\n\
             memmon: ended by SIGTERM\n"
        ),
        "{}",
        log(&supervisord)
    );
}

/// The next memmon takes over what this one stopped and could not start in its eight seconds.
#[test]
fn restarted_in_the_middle_of_a_restart_memmon_starts_what_was_stopped() {
    let stubborn = Ballast::new(LARGE).ignoring_term();
    let mut setting = setting(Http::Unix).program("foo", stubborn, &[("stopwaitsecs", "12")]);
    let spool = setting.folder.path().join("spool");
    let memmon = format!("memmon -a 50MB --spool {}", spool.display());
    setting.builder = setting.builder.listener("memmon", &memmon, "TICK_5", &[]);
    let (supervisord, _mailbox, _keep) = setting.start();
    let foo = supervisord.pid_of("foo");
    wait_log(&supervisord, "Restarting foo:foo");
    supervisord.ctl(&["stop", "memmon"]);
    let end = "start it with: the next start of this listener, or supervisorctl start foo:foo\n";
    assert!(log(&supervisord).contains(end), "{}", log(&supervisord));
    supervisord.wait_state("foo", "STOPPED");
    supervisord.ctl(&["start", "memmon"]);
    wait_log(&supervisord, "foo:foo was started again");
    supervisord.wait_restart("foo", foo);
}

/// `stop all` passes over what is stopping already, so that foo stays stopped. The restart of the only
/// other process and memmon looks the same at its first half. Either way people are told.
#[test]
fn what_stays_stopped_when_everything_else_is_stopped_is_told() {
    let slow = Ballast::new(LARGE).stopping_for(Duration::from_secs(4));
    let (supervisord, mailbox, _keep) = setting(Http::Unix)
        .program("foo", slow, &[("stopwaitsecs", "20")])
        .program("other", Ballast::new(SMALL), &[])
        .memmon("-a 50MB -m bob@example.com", &[])
        .start();
    let begun = |count| {
        let restarts = || log(&supervisord).matches("Restarting foo:foo").count();
        wait_until("the restart", SOON, || restarts() == count);
    };
    begun(1);
    supervisord.ctl(&["restart", "other", "memmon"]);
    assert_eq!(supervisord.state_of("foo"), "STOPPED", "{}", log(&supervisord));
    let text = "Failed to start process foo:foo after stopping it: all processes are being stopped; \
                start it with: supervisorctl start foo:foo";
    let mails = mailbox.wait_for(1);
    assert!(mails[0].contains("Subject: memmon: failed to start process foo:foo\n"), "{mails:?}");
    assert!(mails[0].contains(text), "{mails:?}");

    supervisord.ctl(&["start", "foo"]);
    begun(2);
    supervisord.ctl(&["stop", "all"]);
    for name in ["foo", "other", "memmon"] {
        assert_eq!(supervisord.state_of(name), "STOPPED", "{}", log(&supervisord));
    }
    assert!(mailbox.wait_for(2)[1].contains(text), "{}", log(&supervisord));
}

/// supervisord keeps one event here, so three ticks during the stop would overflow its buffer.
#[test]
fn a_slow_stop_neither_overflows_the_buffer_nor_brings_stale_ticks() {
    let slow = Ballast::new(LARGE).stopping_for(Duration::from_secs(17));
    let (supervisord, _mailbox, _keep) = setting(Http::Unix)
        .program("foo", slow, &[("stopwaitsecs", "60")])
        .memmon("-p foo=50MB", &[("buffer_size", "1")])
        .start();
    let foo = supervisord.pid_of("foo");
    wait_log(&supervisord, "Restarting foo:foo");
    let restarted = || supervisord.log().matches("spawned: 'foo'").count() == 2;
    wait_until("the new foo", Duration::from_secs(30), restarted);
    let fresh = supervisord.wait_restart("foo", foo);
    assert_eq!(log(&supervisord).matches("Restarting foo:foo").count(), 1);
    assert_eq!(supervisord.pid_of("foo"), fresh);
    assert!(!supervisord.log().contains("overflow"), "{}", supervisord.log());
}

#[test]
fn names_that_are_not_ascii_are_watched_like_others() {
    let mut setting = setting(Http::Unix)
        .program("café", Ballast::new(LARGE), &[])
        .memmon("-p café:café=50MB -m bob@example.com", &[]);
    setting.builder = setting.builder.identifier("my host: 1");
    let (supervisord, mailbox, _keep) = setting.start();
    wait_log(&supervisord, "Restarting café:café");
    let mail = &mailbox.wait_for(1)[0];
    assert!(mail.contains("Subject: =?utf-8?"), "{mail}");
}
