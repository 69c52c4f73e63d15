//! Command lines, with what Python's getopt makes of the original's beside them.

use clap::FromArgMatches;
use superlance_core::options::usage::StartError;
use superlance_core::testing::Recorder;

use super::*;
use crate::asking::plan;

fn parse(arguments: &[&str]) -> Result<Options, String> {
    let arguments = ["httpok"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments).map_err(|error| error.to_string())?;
    let options = Options::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    let plan = plan(&options, &|_, _| Ok("secret".into()));
    plan.map_err(StartError::text).map(|_| options)
}

#[test]
fn defaults() {
    let options = parse(&["http://h/"]).unwrap();
    assert_eq!((options.timeout, options.codes), (Duration::from_secs(10), vec![]));
    assert_eq!(options.mail.sendmail, None);
    assert_eq!((options.gcore.as_str(), options.coredir), ("/usr/bin/gcore -o", None));
    assert!(options.programs.is_empty() && !options.any && !options.not_eager);
    assert_eq!((options.mail.email, options.body, options.name), (None, None, None));
    assert!(!options.tls_verify);
}

#[test]
fn lists_grow_and_of_single_values_the_last_counts() {
    let options = parse(&[
        "-p",
        "foo",
        "--program=g:bar",
        "-t5",
        "-t",
        "1m",
        "-c",
        "404",
        "--code",
        " +200 ",
        "-aEeE",
        "-b",
        "-x",
        "-n",
        "a",
        "-n",
        "b",
        "http://h/",
    ]);
    let options = options.unwrap();
    let programs: Vec<_> = options.programs.iter().map(Selector::as_str).collect();
    assert_eq!(
        (programs, options.codes.clone()),
        (vec!["foo", "g:bar"], vec![404..=404, 200..=200])
    );
    assert_eq!((options.timeout, options.any), (Duration::from_secs(60), true));
    assert_eq!((options.body, options.name), (Some("-x".into()), Some("b".to_owned())));
    assert!(options.not_eager);
    assert!(!parse(&["-E", "-e", "http://h/"]).unwrap().not_eager);
    assert!(!parse(&["--not-eager", "--eager", "http://h/"]).unwrap().not_eager);
}

#[test]
fn every_prefix_of_the_original_still_means_what_it_did() {
    let value = |option: &Options| option.timeout == Duration::from_secs(7);
    for prefix in ["--t", "--ti", "--tim", "--timeo", "--timeou", "--timeout"] {
        assert!(parse(&[prefix, "7", "http://h/"]).is_ok_and(|o| value(&o)), "{prefix}");
    }
    for prefix in ["--p", "--s", "--b", "--g", "--cod", "--cor", "--em", "--na"] {
        assert!(parse(&[prefix, "200", "http://h/"]).is_ok(), "{prefix}");
    }
    for prefix in ["--a", "--ea", "--no", "--not", "--not-e"] {
        assert!(parse(&[prefix, "http://h/"]).is_ok(), "{prefix}");
    }
    for ambiguous in ["--c", "--co", "--e", "--n"] {
        assert!(parse(&[ambiguous, "200", "http://h/"]).is_err(), "{ambiguous}");
    }
}

/// Such an option would change what the original means by that word.
#[test]
fn no_new_option_is_the_beginning_of_an_original_one() {
    let command = command();
    let new = command.get_arguments().filter_map(clap::Arg::get_long);
    let new: Vec<_> = new.filter(|long| !GETOPT_NAMES.contains(long)).collect();
    assert!(new.len() > 30, "{new:?}");
    for long in new {
        assert!(!GETOPT_NAMES.iter().any(|name| name.starts_with(long)), "--{long}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (arguments, expected) in [
        (&[][..], "expected a URL, such as http://localhost:8080/health"),
        (&["http://h/", "http://i/"], "expected one URL, and every option before it"),
        (&["http://h/", "-p", "foo"], "after it stands: -p and 1 more"),
        (&["h"], "\"h\" has no scheme"),
        (&["-t", "soon", "http://h/"], "\"soon\" is not a time such as"),
        (&["-t", "0", "http://h/"], "expected one second or more"),
        (&["-t", "-5", "http://h/"], "is negative"),
        (&["-c", "OK", "http://h/"], "expected an HTTP status such as 200"),
        (&["-c", "99", "http://h/"], "expected an HTTP status such as 200"),
        (&["-x", "http://h/"], "unexpected argument '-x'"),
        (&["--exec", "true", "http://h/"], "expected either --exec or a URL, and not both"),
        (&["--exec", "true", "--url", "http://h/"], "expected either --exec or a URL"),
        (&["--bearer", "hunter2", "http://h/"], "invalid --bearer: expected env:NAME or file:PATH"),
        (&["--basic", "a:hunter2", "http://h/"], "invalid --basic: expected env:NAME or file:PATH"),
        (&["--bearer", "env:A", "--basic", "env:B", "http://h/"], "cannot be used with"),
        (&["--header", "X", "http://h/"], "invalid --header: expected 'NAME: VALUE'"),
        (&["--header", "a b: c", "http://h/"], "invalid --header: expected 'NAME: VALUE'"),
        (&["--header", "Host:", "http://h/"], "HTTP/1.1 demands Host"),
        (&["--method", "HEAD", "-b", "x", "http://h/"], "an answer to --method HEAD has no body"),
        (&["--method", "get", "http://h/"], "expected a method such as HEAD or POST"),
        (&["--client-key", "k", "http://h/"], "--client-cert"),
        (&["--server-name", "a b", "http://h/"], "expected a name such as www.example.com"),
        (&["--body-regex", "(", "http://h/"], "unclosed group"),
        (&["--json", "a", "http://h/"], "does not begin with a pointer"),
        (&["--any-url", "http://h/"], "--any-url needs more than one URL"),
        (&["--expect", "x", "http://h/"], "--expect needs a tcp:// URL"),
        (&["--max-age", "1m", "http://h/"], "--max-age needs a file:// URL"),
        (&["file:///x"], "file:// needs --max-age"),
        (&["--max-age", "1m", "file://x"], "expected file:///PATH"),
        (&["-c", "200", "tcp://h:1"], "-c needs an http:// or https:// URL"),
        (&["--data", "x", "--exec", "true"], "--data needs an http:// or https:// URL"),
        (&["tcp://h"], "has no port; expected tcp://HOST:PORT"),
        (&["tcp://h:1/x"], "has more than a host and a port"),
        (&["tcp://u:hunter2@h:1"], "\"tcp://u:***@h:1\" has more than a host and a port"),
        (&["ftp://h"], "has a scheme other than http, https, tcp and file"),
        (&["--url", "http://u:hunter2@h:x/", "http://h/"], "\"http://u:***@h:x/\" has a port"),
        (&["-p"], "a value is required"),
    ] {
        let message = parse(arguments).unwrap_err();
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn blanks_around_the_url_are_trimmed() {
    let options = parse(&[" http://h/ ", "--url", " tcp://h:1"]);
    assert!(options.is_err(), "options stand before the URL");
    let options = parse(&["--url", " tcp://h:1", " http://h/ "]).unwrap();
    assert_eq!(options.urls().unwrap(), ["http://h/", "tcp://h:1"]);
}

#[test]
fn a_time_without_end_is_cut() {
    let options = parse(&["-t", "9999999999999999999", "http://h/"]).unwrap();
    assert_eq!(options.timeout, LONGEST_TIMEOUT);
}

#[test]
fn not_eager_about_nothing_is_worth_a_warning() {
    for (arguments, lines) in [
        (&["-E", "http://h/"][..], 1),
        (&["-Ea", "http://h/"], 0),
        (&["http://h/"], 0),
        (&["--each", "http://h/"], 1),
        (&["--each", "-a", "http://h/"], 0),
    ] {
        let recorder = Recorder::default();
        parse(arguments).unwrap().warn(&Log::new(recorder.clone()));
        assert_eq!(recorder.text().lines().count(), lines, "{arguments:?}");
    }
}
