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
            assert_eq!(ours.log, format!("not mailed, since no -p selects it: {TEXT}\n"));
        });
    }
}

#[test]
fn d8_without_an_address_nothing_is_mailed() {
    let transcript = crashmail("without -m", &["-s", "{mailbox}"]).crash("foo");
    deviates("D8", &transcript, |theirs, ours| {
        assert!(theirs.mails[0].starts_with("To: None\n"), "{}", theirs.mails[0]);
        let warning = "crashmail: -m is not given, so nothing is mailed\n";
        let crash = format!("not mailed, since -m is not given: {TEXT}\n");
        assert_eq!(ours.log, format!("{warning}{crash}"));
        assert!(ours.mails.is_empty());
    });
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
