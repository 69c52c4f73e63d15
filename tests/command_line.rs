//! Mistakes on a command line: a message on stderr that helps, after the name of the command, exit
//! status 2 (1 for what the environment lacks), and nothing on stdout, which is the protocol.

use std::time::Duration;

use superlance_testing::Subject;

use crate::ours;

const SOON: Duration = Duration::from_secs(10);

/// `name` with these arguments ends with `code` and says all of `texts`.
#[track_caller]
fn check(subject: Subject, arguments: &[&str], code: i32, texts: &[&str]) {
    let name = subject.name().to_owned();
    let output = subject.args(arguments.iter().copied()).output(SOON);
    let said = String::from_utf8_lossy(&output.stderr);
    // supervisord's log may be one for all, so an error begins with the name. Help does not.
    let start = if said.contains("\nOptions:\n") { "" } else { &format!("{name}: ") };
    assert!(said.starts_with(start), "{arguments:?} should say {start:?} first, but says:\n{said}");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed to stdout");
    for text in texts {
        assert!(said.contains(text), "{arguments:?} should say {text:?}, but says:\n{said}");
    }
}

fn memmon() -> Subject {
    Subject::ours(ours(), "memmon").server_url("unix:///nonexistent")
}

fn httpok() -> Subject {
    Subject::ours(ours(), "httpok").server_url("unix:///nonexistent")
}

const URL: &str = "http://127.0.0.1:1/";

#[test]
fn httpok_says_what_it_expected() {
    let time = "is not a time such as 90, 30m, 12h, 2d or 1h30m";
    let status = "expected an HTTP status such as 200 or 404";
    for (arguments, texts) in [
        (&[][..], &["expected a URL, such as http://localhost:8080/health"][..]),
        (&["-a", "-p", "foo"], &["expected a URL"]),
        (&[URL, "http://b/"], &["expected one URL, and every option before it", "http://b…"]),
        (&[URL, "http://u:secret@b/"], &["after it stands: http://b…"]),
        (&[URL, "-p", "foo"], &["expected one URL, and every option before it", "-p and 1 more"]),
        (&["localhost:80/"], &["\"localhost:80/\" has no scheme; expected http:// or https://"]),
        (&["ftp://h/"], &["\"ftp://h/\" has a scheme other than http, https, tcp and file"]),
        (&["http://"], &["\"http://\" has no host"]),
        (&["http:///x"], &["\"http:///x\" has no host"]),
        (&["http://h:x/"], &["has a port that is not a number"]),
        (&["http://h:99999/"], &["has a port that is not between 1 and 65535"]),
        (&["http://u:secret@h:x/"], &["\"http://u:***@h:x/\" has a port"]),
        (&["http://h/a b"], &["contains blanks; a blank in a URL is written %20"]),
        (&["-t", "soon", URL], &["'soon'", "--timeout <TIME>", time]),
        (&["-t", "0", URL], &["'0'", "--timeout <TIME>", "expected one second or more"]),
        (&["-t", "-5", URL], &["\"-5\" is negative"]),
        (&["-t", "", URL], &["--timeout <TIME>", "time"]),
        (&["-c", "ok", URL], &["'ok'", "--code <STATUS>", status]),
        (&["-c", "20", URL], &["'20'", "--code <STATUS>", status]),
        (&["-p"], &["--program <NAME>"]),
        (&["--co", "200", URL], &["'--co'", "exist: '--code', '--coredir'\n", "--help"]),
        (&["--tmieout", "5", URL], &["exists: '--timeout'\n"]),
        (&["--nonsense", URL], &["'--nonsense'", "--help"]),
        (&["-x", URL], &["'-x'", "--help"]),
    ] {
        check(httpok(), arguments, 2, texts);
    }
}

#[test]
fn httpok_needs_a_supervisord() {
    let outside = || {
        Subject::ours(ours(), "httpok")
            .env_remove("SUPERVISOR_ENABLED")
            .env_remove("SUPERVISOR_PROCESS_NAME")
            .env_remove("SUPERVISOR_GROUP_NAME")
    };
    let output = outside().args(["-E", URL]).output(SOON);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let message = "httpok: must be run as a supervisor event listener: put it into an \
                   [eventlistener:x] section of supervisord.conf\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), message);
    // What is wrong with the command line is said first.
    for (arguments, text) in [
        (&["-a"][..], "expected a URL"),
        (&[URL, URL], "expected one URL"),
        (&["ftp://h/"], "has a scheme other than http, https, tcp and file"),
        (&["-t", "x", URL], "is not a time"),
    ] {
        check(outside(), arguments, 2, &[text]);
    }
    let inside = || Subject::ours(ours(), "httpok");
    check(inside(), &[URL], 1, &["httpok: ", "[unix_http_server] or [inet_http_server]"]);
    let bad = inside().server_url("nonsense");
    check(bad, &[URL], 1, &["SUPERVISOR_SERVER_URL: \"nonsense\" is not a server URL"]);
}

#[test]
fn httpok_that_trusts_nobody_says_so() {
    let subject = httpok().env("SSL_CERT_FILE", "/nonexistent");
    let said = "--tls-verify needs the certificates that this system trusts, and there are none";
    check(subject, &["--tls-verify", "https://127.0.0.1:1/"], 1, &[said]);
}

#[test]
fn a_bad_value_is_shown_with_what_was_expected() {
    let size = "is not a size such as 200MB (B, KB, MB, GB or TB, in steps of 1024)";
    for (arguments, texts) in [
        (
            &["-p", "foo"][..],
            &["'foo'", "--program <NAME=SIZE>", "expected NAME=SIZE, such as foo=200MB"][..],
        ),
        (&["-p", "foo=abc"], &["\"abc\"", size]),
        (&["-a", "abc"], &["\"abc\"", size]),
        (&["-a", "-5MB"], &["\"-5MB\" is negative", "a size such as 200MB"]),
        (&["-a", "99999999999GB"], &["\"99999999999GB\" is too large", "2^64"]),
        (
            &["-a", "5MB", "-u", "soon"],
            &["\"soon\" is not a time such as 90, 30m, 12h, 2d or 1h30m"],
        ),
        (&["-a"], &["--any <SIZE>"]),
        (&["--nonsense"], &["'--nonsense'", "--help"]),
        (&["--emial", "x"], &["'--emial'", "exists: '--email'\n"]),
        // Similar to the prefix `--emai` rather than to the whole.
        (&["--emia", "x"], &["exists: '--email'\n"]),
        (&["-x"], &["'-x'", "--help"]),
        (&[], &["Usage: memmon", "--program <NAME=SIZE>", "200MB"]),
    ] {
        check(memmon(), arguments, 2, texts);
    }
}

const BATCHES: [&str; 3] = ["crashmailbatch", "fatalmailbatch", "crashsms"];

/// A batch tool with addresses, and these arguments.
#[track_caller]
fn check_batch(tool: &str, arguments: &[&str], code: i32, texts: &[&str]) {
    let arguments = [&["-t", "a@b", "-f", "c@d"], arguments].concat();
    check(Subject::ours(ours(), tool), &arguments, code, texts);
}

#[test]
fn crashmail_says_what_it_does_not_understand() {
    for (arguments, texts) in [
        (&["-p", "~("][..], &["\"~(\" is not ~ and a regular expression such as ~^web"][..]),
        (&["-m"], &["--email <ADDRESS>"]),
        (&["--any=yes"], &["'yes'", "--any"]),
        (&["--nonsense"], &["'--nonsense'", "--help"]),
        (&["-x"], &["'-x'", "--help"]),
    ] {
        check(Subject::ours(ours(), "crashmail"), arguments, 2, texts);
    }
}

#[test]
fn batch_tools_say_what_they_do_not_understand() {
    let minutes = "expected a number of minutes such as 1, 0.5 or 60";
    let server = "is not an SMTP server: expected host, host:port or [IPv6 address]:port";
    let tick = "expected the name of an event: TICK_5, TICK_60 or TICK_3600";
    for (number, (arguments, texts)) in [
        (&["-i", "soon"][..], &["'soon'", "--interval <MINUTES>", minutes][..]),
        (&["-i", "-1"], &["'-1'", minutes]),
        (&["-i", ""], &[minutes]),
        (&["-H", "host:smtp"], &["\"host:smtp\"", server]),
        (&["-H", "smtp://host"], &["\"smtp://host\"", server]),
        (&["-e", "60"], &["'60'", "--tickEvent <EVENT>", tick]),
        (&["-e", "TICK_soon"], &["'TICK_soon'", tick]),
        (&["-e", "TICK_-5"], &["'TICK_-5'", tick]),
        (&["-t", " , "], &["expected an address, or several separated by commas"]),
        (&["-f", " "], &["expected an address"]),
        (&["--tls=yes"], &["'yes'", "--tls"]),
        (&["-u"], &["--userName <NAME>"]),
        (&["--nonsense"], &["'--nonsense'", "--help"]),
    ]
    .into_iter()
    .enumerate()
    {
        check_batch(BATCHES[number % BATCHES.len()], arguments, 2, texts);
    }
}

#[test]
fn batch_tools_need_both_addresses() {
    for tool in BATCHES {
        for (arguments, missing) in [
            (&[][..], &["--toEmail <ADDRESSES>", "--fromEmail <ADDRESS>"][..]),
            (&["-t", "a@b"], &["--fromEmail <ADDRESS>"]),
            (&["-f", "c@d", "-s", "x"], &["--toEmail <ADDRESSES>"]),
        ] {
            check(Subject::ours(ours(), tool), arguments, 2, missing);
        }
    }
}

#[test]
fn outside_supervisord_every_mailer_says_where_it_belongs() {
    for tool in ["crashmail", "crashmailbatch", "fatalmailbatch", "crashsms"] {
        let addresses = ["-t", "a@b", "-f", "c@d"];
        let arguments = if tool == "crashmail" { &["-m", "a@b"][..] } else { &addresses };
        let outside = Subject::ours(ours(), tool).env_remove("SUPERVISOR_ENABLED");
        let output = outside.args(arguments.iter().copied()).output(SOON);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = format!("{tool}: must be run as a supervisor event listener: ");
        assert!(said.starts_with(&start) && said.lines().count() == 1, "{said}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    }
}

#[test]
fn outside_supervisord_it_says_where_it_belongs() {
    let outside = || {
        Subject::ours(ours(), "memmon")
            .env_remove("SUPERVISOR_ENABLED")
            .env_remove("SUPERVISOR_PROCESS_NAME")
            .env_remove("SUPERVISOR_GROUP_NAME")
    };
    let message = "memmon: must be run as a supervisor event listener: put it into an \
                   [eventlistener:x] section of supervisord.conf\n";
    check(outside(), &["-a", "5MB"], 1, &[message]);
    // What is wrong with the command line is said first.
    check(outside(), &["-a", "x"], 2, &["is not a size"]);
}

#[test]
fn a_server_that_cannot_be_is_said() {
    let subject = || Subject::ours(ours(), "memmon");
    check(subject(), &["-a", "5MB"], 1, &["memmon: ", "[unix_http_server] or [inet_http_server]"]);
    let bad = subject().server_url("nonsense");
    check(bad, &["-a", "5MB"], 1, &["SUPERVISOR_SERVER_URL: \"nonsense\" is not a server URL"]);
}

#[test]
fn help_goes_to_stdout_everywhere() {
    for arguments in [["-h"], ["--help"], ["--he"]] {
        let subject = Subject::ours(ours(), "memmon").env_remove("SUPERVISOR_ENABLED");
        let output = subject.args(arguments).output(SOON);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Usage: memmon"), "{arguments:?}");
        assert!(output.stderr.is_empty());
    }
    for tool in ["crashmail", "crashmailbatch", "fatalmailbatch", "crashsms"] {
        for argument in ["-h", "--help", "--h"] {
            let subject = Subject::ours(ours(), tool).env_remove("SUPERVISOR_ENABLED");
            let output = subject.args([argument]).output(SOON);
            assert_eq!(output.status.code(), Some(0), "{tool} {argument}");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.contains(&format!("Usage: {tool}")), "{said}");
            assert!(output.stderr.is_empty());
        }
    }
}

#[test]
fn a_warning_is_no_end() {
    for (arguments, text) in [
        (
            &["-a", "5MB", "bar=2MB", "-x"][..],
            "memmon: ignored, since no option takes the first of them: bar=2MB and 1 more",
        ),
        (&["-m", "bob"], "memmon: none of -p, -g and -a is given, so no process is watched"),
        (&["-E", URL], "httpok: -E without -p or -a: no process is watched, so nothing is checked"),
        (
            &["-p", "=1KB", "-a", "5MB"],
            "memmon: -p without a name is ignored: no process has an empty one",
        ),
        (
            &["-g", " =1KB", "-g", "=2KB", "-a", "5MB"],
            "memmon: -g without a name is ignored: no process has an empty one",
        ),
        (&["-p", "", URL], "httpok: -p without a name is ignored: no process has an empty one"),
        (
            &["-p", "", "-m", "a"],
            "crashmail: -p without a name is ignored: no process has an empty one",
        ),
        (
            &["-t", "a", "-f", "b", "-i", "nan"],
            "crashmailbatch: -i NaN is ignored, since it never ends: mails go out every minute",
        ),
        (
            &["-t", "a", "-f", "b", "-e", "TICK_60_x"],
            "crashsms: supervisord has no TICK_60_x event, only TICK_5, TICK_60, TICK_3600",
        ),
        (
            &["-t", "a", "-f", "b", "-H", ""],
            "fatalmailbatch: -H without a host is ignored: mails go to localhost",
        ),
    ] {
        let name = text.split(':').next().unwrap();
        let subject = Subject::ours(ours(), name).server_url("unix:///nonexistent");
        // With nothing on stdin, it ends after READY.
        let output = subject.args(arguments.iter().copied()).output(SOON);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "READY\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{text}\n"));
    }
}

const SECRET: &str = "hunter2";

#[test]
fn no_secret_is_shown() {
    for (name, line) in [
        ("memmon", "-a 5MB stray --webhook https://h/hunter2 --webhook-header hunter2"),
        ("memmon", "-a 5MB https://u:hunter2@h/hunter2?hunter2"),
        ("memmon", "-a 5MB --smtp-password hunter2"),
        ("memmon", "-a 5MB --smtp-password=hunter2"),
        ("memmon", "-a 5MB --smtp-pass=hunter2"),
        ("memmon", "-a 5MB --webhook hunter2"),
        ("memmon", "-a 5MB --webhook ftp://hunter2"),
        ("memmon", "-a 5MB --webhook https://127.0.0.1:1/ --webhook-header hunter2"),
        ("memmon", "-a 5MB -m a --smtp-url smtp://me:hunter2@h"),
        ("memmon", "-a 5MB --webhok=https://h/hunter2"),
        ("httpok", "http://h/ stray --webhook https://h/hunter2"),
        ("httpok", "http://u:hunter2@h:x/"),
        ("crashmail", "-m a stray --webhook https://h/hunter2"),
        ("crashmailbatch", "-t a -f b stray --webhook=https://h/hunter2 -p hunter2"),
        ("crashmailbatch", "-t a -f b -H smtp://u:hunter2@h"),
        ("crashsms", "-t a -f b --smtp-password hunter2"),
        ("status", "-p a=2 -s http://u:hunter2@[x"),
        ("status", "-p hunter2=5MB"),
    ] {
        let subject = Subject::ours(ours(), name).server_url("unix:///nonexistent");
        let output = subject.args(line.split(' ')).output(SOON);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(SECRET), "{name} {line}: {said}");
        assert!(!said.is_empty(), "{name} {line} says nothing");
    }
}

#[test]
fn a_tip_helps_or_is_not_given() {
    for (name, argument, tip) in [
        ("memmon", "-x", None),
        ("memmon", "-=", None),
        ("memmon", "--nonsense", None),
        ("memmon", "--zzz", None),
        ("memmon", "--emial", Some("a similar argument exists: '--email'")),
        ("memmon", "--smtp-", Some("arguments exist: '--smtp-url', '--smtp-password-file'")),
        ("httpok", "--e", Some("some similar arguments exist: '--email', '--eager'")),
        ("crashmailbatch", "-x", None),
        ("status", "-x", None),
        ("status", "--e", None),
        ("status", "--jsn", Some("a similar argument exists: '--json'")),
    ] {
        let output = Subject::ours(ours(), name).args([argument]).output(SOON);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.matches("tip: ").count(), usize::from(tip.is_some()), "{argument}: {said}");
        assert!(said.contains(tip.unwrap_or_default()), "{argument}: {said}");
        let usage = ["memmon [OPTIONS]\n", "httpok [OPTIONS] URL\n", "crashmailbatch [OPTIONS]\n"];
        let usage = usage.iter().any(|usage| said.contains(&format!("Usage: {usage}")));
        assert!(usage || name == "status", "{said}");
    }
}
