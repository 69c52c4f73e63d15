//! Commands: their input, output and end, and what they leave in the background.

use std::time::Instant;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn run(command: &str, input: &str, limit: Duration) -> Result<(), CommandError> {
    Shell::new(command).input(input).limit(limit).run()
}

fn output(shell: Shell) -> (String, Result<(), CommandError>) {
    let Finished { output, result } = shell.output();
    (output, result)
}

#[track_caller]
fn check(command: &str, expected: &str) {
    let text = run(command, "input", LIMIT).map_err(|error| error.to_string());
    assert_eq!(text.unwrap_err(), expected);
}

#[test]
fn the_input_arrives_whole() {
    let large = "x".repeat(1 << 20);
    run("test $(wc -c) -eq 1048576", &large, LIMIT).unwrap();
}

#[test]
fn a_command_need_not_read_its_input() {
    run("true", &"x".repeat(1 << 20), LIMIT).unwrap();
}

#[test]
fn failures_say_what_happened() {
    check("exit 3", "the command failed with exit status 3");
    check("/no/such/sendmail 2>&-", "the command was not found (exit status 127)");
    check("kill -TERM $$", "the command was ended by SIGTERM");
}

#[test]
fn a_command_that_never_ends_is_killed_with_its_children() {
    let started = Instant::now();
    let limit = Duration::from_millis(200);
    let error = run("sleep 600 & sleep 600", "", limit).unwrap_err();
    assert!(matches!(error, CommandError::TimeUp(_)), "{error}");
    assert!(started.elapsed() < LIMIT);
}

#[test]
fn output_is_stdout_even_of_a_failure_and_there_is_no_input() {
    let (text, ending) = output(Shell::new("cat; echo out; printf '\\377'; exit 3"));
    assert_eq!(text, "out\n\u{fffd}");
    assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
}

#[test]
fn output_is_bounded_and_does_not_wait_for_the_background() {
    let started = Instant::now();
    let command = "head -c 3000000 /dev/zero | tr '\\0' x; sleep 30 & exit 0";
    let (text, ending) = output(Shell::new(command));
    assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
    assert!(started.elapsed() < LIMIT);
}

#[test]
fn within_its_time_a_command_prints_on_both_channels_and_sees_its_variables() {
    let variables = [("SUPERLANCE_X", "a \"b\" $c".to_owned())];
    let command = "cat; echo \"$SUPERLANCE_X\"; echo oops >&2; exit 3 # a comment";
    let (text, ending) =
        output(Shell::new(command).variables(variables).with_errors().limit(LIMIT));
    assert_eq!(text, "a \"b\" $c\noops\n");
    assert_eq!(ending.unwrap_err().to_string(), "the command failed with exit status 3");
    let (text, ending) = output(Shell::new("head -c 3000000 /dev/zero; sleep 30 &").limit(LIMIT));
    assert_eq!((text.len(), ending.is_ok()), (MAX_OUTPUT, true));
}

#[test]
fn when_its_time_is_up_what_it_printed_is_kept() {
    let started = Instant::now();
    let limit = Duration::from_millis(500);
    let (text, ending) = output(Shell::new("echo begun; sleep 600 & sleep 600").limit(limit));
    assert_eq!(text, "begun\n");
    assert!(matches!(ending, Err(CommandError::TimeUp(_))), "{ending:?}");
    assert!(started.elapsed() < LIMIT);
}

#[test]
fn what_it_leaves_in_the_background_is_not_waited_for() {
    let started = Instant::now();
    run("sleep 30 & exit 0", "x", LIMIT).unwrap();
    assert!(started.elapsed() < LIMIT);
}

#[test]
fn what_it_leaves_in_the_background_with_its_pipes_does_not_change_how_it_ended() {
    let status = "the command failed with exit status 3";
    let (text, ending) =
        output(Shell::new("echo x; sleep 30 & exit 3").limit(Duration::from_millis(900)));
    assert_eq!((text.as_str(), ending.unwrap_err().to_string().as_str()), ("x\n", status));
    let large = "x".repeat(1 << 20);
    let started = Instant::now();
    let error = run("exec 3<&0; sleep 30 <&3 & exit 3", &large, LIMIT).unwrap_err();
    assert_eq!(error.to_string(), status);
    assert!(started.elapsed() < LIMIT);
}

#[test]
fn messages_have_its_first_word_alone() {
    for (command, shown) in [
        ("sendmail", "\"sendmail\""),
        ("/usr/bin/curl -H 'Authorization: Bearer SECRET' https://h/SECRET", "\"/usr/bin/curl …\""),
        ("TOKEN='SECRET SECRET' curl x", "\"TOKEN=…\""),
        ("", "\"\""),
    ] {
        assert_eq!(first_word(command), shown);
    }
}
