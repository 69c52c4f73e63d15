//! Command lines, with what Python's getopt makes of the original's beside them.

use clap::FromArgMatches;
use superlance_core::testing::Recorder;

use super::*;

fn parse(arguments: &[&str]) -> Result<Options, String> {
    let arguments = ["httpok"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments).map_err(|error| error.to_string())?;
    let options = Options::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    options.request().map(|_| options)
}

#[test]
fn defaults() {
    let options = parse(&["http://h/"]).unwrap();
    assert_eq!((options.timeout, options.expected()), (Duration::from_secs(10), vec![200]));
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
    assert_eq!((programs, options.codes.clone()), (vec!["foo", "g:bar"], vec![404, 200]));
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
        (&["-p"], "a value is required"),
    ] {
        let message = parse(arguments).unwrap_err();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn blanks_around_the_url_are_trimmed() {
    let target = |url: &str| parse(&[url]).unwrap().target().unwrap();
    assert_eq!(format!("{:?}", target(" http://h/ ")), format!("{:?}", target("http://h/")));
}

#[test]
fn a_time_without_end_is_cut() {
    let options = parse(&["-t", "9999999999999999999", "http://h/"]).unwrap();
    assert_eq!(options.timeout, LONGEST_TIMEOUT);
}

#[test]
fn not_eager_about_nothing_is_worth_a_warning() {
    for (arguments, lines) in
        [(&["-E", "http://h/"][..], 1), (&["-Ea", "http://h/"], 0), (&["http://h/"], 0)]
    {
        let recorder = Recorder::default();
        parse(arguments).unwrap().warn(&Log::new(recorder.clone()));
        assert_eq!(recorder.text().lines().count(), lines, "{arguments:?}");
    }
}
