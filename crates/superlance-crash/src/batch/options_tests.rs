//! The command line of the batch tools, as optparse reads it.

use clap::FromArgMatches;

use super::*;
use crate::batch::plain_text;
use crate::trigger::Trigger;
use superlance_core::testing::Recorder;

const TOOL: Tool = Tool {
    name: "tool",
    trigger: Trigger::Exited,
    on: false,
    tail: false,
    about: "x",
    subject: Some("Default"),
    line: |_, _| String::new(),
    text: plain_text,
    remarks: true,
};

fn parse(arguments: &[&str]) -> Result<Options, String> {
    let all = ["tool", "-t", "a@b, root,", "-f", "x@y"].iter().chain(arguments);
    let matches = command(&TOOL).try_get_matches_from(all).map_err(|error| error.to_string())?;
    Options::from_arg_matches(&matches).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_the_original() {
    let options = parse(&[]).unwrap();
    assert_eq!(options.addresses().unwrap().1, ["a@b", "root"]);
    assert_eq!((options.interval, options.tick.minutes), (1.0, 1.0));
    assert_eq!((options.tick.event.as_str(), options.subject.clone()), ("TICK_60", None));
    let settings = options.settings(None);
    assert_eq!(settings.server.to_string(), "localhost:25");
    assert_eq!((settings.credentials, settings.tls), (None, Tls::Off));
}

#[test]
fn prefixes_keep_their_meaning() {
    let options = parse(&[
        "--i",
        "2",
        "--to=bob",
        "--f=eve",
        "--su",
        "S",
        "--sm=h:1",
        "--ti=TICK_5",
        "--u",
        "me",
        "--p",
        "secret",
        "--tl",
    ]);
    let options = options.unwrap();
    assert_eq!((options.interval, options.tick.event.as_str()), (2.0, "TICK_5"));
    assert_eq!(options.addresses(), Some(("eve".to_owned(), vec!["bob".to_owned()])));
    let settings = options.settings(None);
    assert_eq!((settings.server.to_string().as_str(), settings.tls), ("h:1", Tls::Required));
    assert_eq!(settings.credentials, Some(("me".to_owned(), "secret".into())));
    for ambiguous in ["--t=x", "--s=x"] {
        assert!(parse(&[ambiguous]).is_err(), "{ambiguous}");
    }
}

#[test]
fn positionals_are_ignored_wherever_they_stand_and_named() {
    let mut options = parse(&["one", "-i", "3", "two"]).unwrap();
    assert_eq!(options.interval, 3.0);
    let recorder = Recorder::default();
    options.warn("tool", &Log::new(recorder.clone()));
    assert_eq!(
        recorder.text(),
        "tool: ignored, since no option takes the first of them: one and 1 more\n"
    );
}

#[test]
fn values_that_mean_nothing_are_named_and_replaced() {
    for (arguments, said) in [
        (&["-i", "nan"][..], "-i NaN is ignored, since it never ends: mails go out every minute"),
        (&["-i", "inf"], "-i inf is ignored, since it never ends: mails go out every minute"),
        (&["-H", ""], "-H without a host is ignored: mails go to localhost"),
        (
            &["-e", "TICK_60_x"],
            "supervisord has no TICK_60_x event, only TICK_5, TICK_60, TICK_3600",
        ),
    ] {
        let mut options = parse(arguments).unwrap();
        let recorder = Recorder::default();
        options.warn("tool", &Log::new(recorder.clone()));
        assert_eq!(recorder.text(), format!("tool: {said}\n"));
        assert_eq!(options.interval, 1.0);
        assert_eq!(options.settings(None).server.to_string(), "localhost:25");
    }
}

#[test]
fn a_password_comes_from_the_command_line_or_the_environment() {
    let credentials = |arguments: &[&str], variable: Option<&str>| {
        parse(arguments).unwrap().settings(variable.map(Secret::from)).credentials
    };
    let expect = |password: &str| Some(("me".to_owned(), password.into()));
    assert_eq!(credentials(&["-u", "me"], Some("env")), expect("env"));
    assert_eq!(credentials(&["-u", "me", "-p", "-x"], Some("env")), expect("-x"));
    assert_eq!(credentials(&["-u", "me"], None), None);
    assert_eq!(credentials(&["-p", "x"], Some("env")), None);
}

#[test]
fn verification_implies_encryption() {
    assert_eq!(parse(&["--tls-verify"]).unwrap().settings(None).tls, Tls::Verified);
    assert_eq!(parse(&["--tls", "--tls-verify"]).unwrap().settings(None).tls, Tls::Verified);
}

#[test]
fn intervals_are_pythons_floats() {
    for (text, minutes) in [("0", 0.0), (".5", 0.5), ("1e3", 1000.0), (" 1 ", 1.0), ("1_0", 10.0)] {
        assert_eq!(parse_interval(text), Ok(minutes), "{text}");
    }
    for bad in ["-1", "-inf", "x", "", "1m", "0x1"] {
        assert!(parse(&["-i", bad]).unwrap_err().contains("expected a number of minutes"), "{bad}");
    }
}

#[test]
fn bad_values_say_what_was_expected() {
    for (arguments, expected) in [
        (&["-t", " ,"][..], "expected an address"),
        (&["-f", ""], "expected an address"),
        (&["-e", "TICK_x"], "TICK_5, TICK_60 or TICK_3600"),
        (&["-e", "PROCESS_STATE"], "TICK_5, TICK_60 or TICK_3600"),
        (&["-H", "smtp://host"], "expected host, host:port or [IPv6 address]:port"),
        (&["--tls=x"], "unexpected value"),
        (&["-x"], "unexpected argument"),
    ] {
        let error = parse(arguments).unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn a_tick_that_supervisord_does_not_have_is_named() {
    for (tick, said) in [
        ("TICK_3600", ""),
        ("TICK_10", "tool: supervisord has no TICK_10 event, only TICK_5, TICK_60, TICK_3600\n"),
    ] {
        let recorder = Recorder::default();
        parse(&["-e", tick]).unwrap().warn("tool", &Log::new(recorder.clone()));
        assert_eq!(recorder.text(), said);
    }
}

#[test]
fn what_is_not_for_every_tool_is_unknown_to_the_others() {
    let command_of = |on, tail| command(&Tool { on, tail, ..TOOL });
    let accepts = |on, tail, option: [&str; 2]| {
        let all = ["tool", "-t", "a", "-f", "b"].into_iter().chain(option);
        command_of(on, tail).try_get_matches_from(all).map(drop)
    };
    assert!(accepts(false, false, ["--program", "web*"]).is_ok());
    assert!(accepts(true, false, ["--on", "fatal"]).is_ok());
    assert!(accepts(false, true, ["--tail", "0"]).is_ok());
    for (on, tail, option) in [
        (false, true, ["--on", "fatal"]),
        (true, false, ["--tail", "0"]),
        (true, true, ["--on", "x"]),
    ] {
        assert_eq!(accepts(on, tail, option).unwrap_err().exit_code(), 2, "{option:?}");
    }
    // As with the password.
    let matches = command_of(true, true);
    let matches = matches.try_get_matches_from(["tool", "-t", "a", "-f", "b", "--p", "x"]).unwrap();
    assert_eq!(Options::from_arg_matches(&matches).unwrap().password, Some("x".into()));
}
