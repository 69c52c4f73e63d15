//! What crashmail does otherwise than the original, on purpose: each test shows both. The numbers are
//! the headings of docs/compatibility.md.

use super::{Events, crashmail};
use crate::verdict::{MAIL, deviates};

const TEXT: &str = "Process foo in group foo exited unexpectedly (pid [PID]) from state RUNNING";

#[test]
fn d7_p_selects() {
    for arguments in [&["-p", "bar"][..], &["--program=bar:foo"], &["-p", "bar:*", "-p", "fo"]] {
        let arguments = [&MAIL, arguments].concat();
        let transcript = crashmail(&arguments[4..].join(" "), &arguments).crash("foo");
        deviates("D7", &transcript, |theirs, ours| {
            assert_eq!((theirs.mails.len(), ours.mails.len()), (1, 0));
            let crash = format!("not mailed, since no -p selects it: {TEXT}\n");
            let idle = "No process of supervisord matches -p bar";
            assert!(ours.log.starts_with(&format!("{crash}{idle}")), "{}", ours.log);
        });
    }
}

#[test]
fn d8_without_an_address_the_default_command_is_not_run() {
    for arguments in [&[][..], &["-m", ""]] {
        let transcript = crashmail("without -m and -s", arguments).crash("foo");
        deviates("D8", &transcript, |theirs, ours| {
            assert!(theirs.log.contains("unexpected exit, mailing\n"), "{}", theirs.log);
            let warning = "crashmail: neither -m nor -s is given, so nothing is mailed\n";
            let crash = format!("not mailed, since neither -m nor -s is given: {TEXT}\n");
            assert_eq!(ours.log, format!("{warning}{crash}"));
        });
    }
}

#[test]
fn d8_without_an_address_a_command_that_is_given_is_run() {
    for (arguments, to) in
        [(&["-s", "{mailbox}"][..], "To: None\n"), (&["-m", "", "-s", "{mailbox}"], "To: \n")]
    {
        let transcript = crashmail("without -m", arguments).crash("foo");
        deviates("D8", &transcript, |theirs, ours| {
            let mail = theirs.mails[0].strip_prefix(to).unwrap();
            assert!(mail.starts_with("Subject:  foo crashed at "), "{mail}");
            assert_eq!(ours.mails, [mail]);
            let log = format!("unexpected exit, mailing\nMailed:\n\n{mail}\n");
            assert_eq!(ours.log, log);
        });
    }
}

#[test]
fn d32_every_message_ends_its_line() {
    let transcript = crashmail("two mails in the log", &MAIL).crash("foo").crash("foo");
    deviates("D32", &transcript, |theirs, ours| {
        let mailed = "Mailed:\n\nTo: bob@example.com\nSubject:  foo crashed at [TIME]\n\n";
        let message = format!("unexpected exit, mailing\n{mailed}{TEXT}");
        assert_eq!(theirs.log, format!("{message}{message}"));
        assert_eq!(ours.log, format!("{message}\n{message}\n"));
        assert_eq!(theirs.mails, ours.mails);
    });
}
