//! Every way to write an option that the original understands: both do the same.

use superlance_testing::{FakeProcess, HttpServer, ProcessState, same};

use super::{check, httpok, ill, running};
use crate::ours;

#[test]
fn options_are_read_as_getopt_reads_them() {
    let foo = [running("foo")];
    for arguments in [
        &["-pfoo"][..],
        &["-ap", "foo"],
        &["-Eap", "foo"],
        &["--program=foo"],
        &["--program", "foo"],
        &["-a", "-n", "x", "-nProject 1"],
        &["-a", "-n", ""],
        &["-a", "-n", "--any"],
        &["-a", "--name=a]b: %s"],
        &["-a", "-m", "a@b, c@d"],
        &["-a", "-m", ""],
        &["-a", "-c", " 201 ", "-t", " 5 "],
        &["-a", "--"],
    ] {
        check(&format!("{arguments:?}"), arguments, &foo);
    }
}

/// Every beginning of a long option that getopt accepts: in each round one of each option.
#[test]
fn prefixes_of_options_with_a_value() {
    let options = [
        ("program", 1, "foo"),
        ("timeout", 1, "9"),
        ("code", 3, "404"),
        ("body", 1, "x"),
        ("sendmail_program", 1, "{mailbox}"),
        ("email", 2, "alice@example.com"),
        ("gcore", 1, "echo"),
        ("coredir", 3, "{scratch}"),
        ("name", 2, "x"),
    ];
    for round in 0.."sendmail_program".len() {
        let argument = |(option, first, value): (&str, usize, &str)| {
            let length = first + round % (option.len() + 1 - first);
            format!("--{}={value}", &option[..length])
        };
        let arguments = options.map(argument);
        let words = arguments.iter().map(String::as_str).chain(["{http}/"]);
        let transcript =
            httpok(&arguments.join(" "), &words.collect::<Vec<_>>(), &[running("foo")])
                .http(HttpServer::builder().usually(ill()))
                .event("TICK_60", "when:1201063880");
        same(&transcript, ours());
    }
}

#[test]
fn prefixes_of_flags() {
    let foo = [FakeProcess::not_running("foo", ProcessState::Stopped), running("bar")];
    for (option, first, rest) in
        [("any", 1, &[][..]), ("eager", 2, &["-E", "-p", "foo"]), ("not-eager", 2, &["-p", "foo"])]
    {
        for length in first..=option.len() {
            let argument = format!("--{}", &option[..length]);
            check(&argument, &[rest, &[&argument]].concat(), &foo);
        }
    }
}
