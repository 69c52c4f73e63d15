//! The names under which the commands are found.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use superlance_testing::Scratch;

use crate::ours;

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_list_names_all_listeners_a_line_each() {
    // Not `status`: what is in the list may be a link.
    let all = "crashmail\ncrashmailbatch\ncrashsms\ndependent-startup\nexitmon\nfatalmailbatch\n\
               httpok\nmemmon\n";
    assert_eq!(stdout(&run(ours(), &["--list"])), all);
}

#[test]
fn help_is_found_in_every_way() {
    let of_memmon = stdout(&run(ours(), &["memmon", "--help"]));
    assert!(of_memmon.contains("Usage: memmon"));
    assert_eq!(stdout(&run(ours(), &["help", "memmon"])), of_memmon);
    let of_status = stdout(&run(ours(), &["status", "--help"]));
    assert!(of_status.contains("Usage: superlance status"));
    assert_eq!(stdout(&run(ours(), &["help", "status"])), of_status);
    let general = stdout(&run(ours(), &["--help"]));
    assert!(general.contains("\n  status "), "{general}");
    for command in stdout(&run(ours(), &["--list"])).lines() {
        assert!(general.contains(&format!("\n  {command} ")), "{general}");
    }
    assert_eq!(stdout(&run(ours(), &["-h"])), general);
    assert_eq!(stdout(&run(ours(), &["help"])), general);
}

/// README tells this memmon from the original by the first line of its help.
#[test]
fn every_help_begins_with_what_the_command_does() {
    for (command, about) in [
        ("crashmail", "Mail when a process under supervisord exits unexpectedly"),
        (
            "crashmailbatch",
            "Mail about processes under supervisord that exit unexpectedly, several at a time",
        ),
        (
            "crashsms",
            "Send short messages about processes under supervisord that exit unexpectedly",
        ),
        ("dependent-startup", "Start programs under supervisord once others have reached a state"),
        ("exitmon", "End supervisord when a process that matters is gone, with an exit status"),
        ("fatalmailbatch", "Mail about processes that supervisord cannot start, several at a time"),
        ("httpok", "Restart processes under supervisord when a URL does not answer as it should"),
        ("memmon", "Restart processes under supervisord that use too much memory"),
        ("metrics", "Give Prometheus the metrics of the processes under supervisord"),
        ("run", "Run supervisord in a container: reap, stop quickly, hand on the exit status"),
        ("status", "Show how much memory the processes under supervisord use"),
    ] {
        let help = stdout(&run(ours(), &[command, "--help"]));
        assert_eq!(help.lines().next(), Some(about), "{command}");
    }
}

#[test]
fn every_command_has_the_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(stdout(&run(ours(), &["--version"])), format!("superlance {version}\n"));
    let listeners = stdout(&run(ours(), &["--list"]));
    for command in listeners.lines().chain(["status"]) {
        let expected = format!("{command} (superlance) {version}\n");
        for option in ["-V", "--version"] {
            assert_eq!(stdout(&run(ours(), &[command, option])), expected);
        }
    }
}

#[test]
fn a_link_is_the_command_it_is_named_after() {
    let folder = Scratch::new();
    let direct = stdout(&run(ours(), &["memmon", "--help"]));
    for name in ["memmon", "superlance"] {
        symlink(ours(), folder.join(name)).unwrap();
    }
    assert_eq!(stdout(&run(&folder.join("memmon"), &["--help"])), direct);
    assert_eq!(stdout(&run(&folder.join("superlance"), &["memmon", "--help"])), direct);
    // A link of a link, with a path that has more parts.
    let deeper = folder.join("bin");
    std::fs::create_dir(&deeper).unwrap();
    symlink("../memmon", deeper.join("memmon")).unwrap();
    assert_eq!(stdout(&run(&deeper.join("memmon"), &["--help"])), direct);
}

#[test]
fn a_link_is_never_a_command_for_the_terminal() {
    let folder = Scratch::new();
    let link = folder.join("status");
    symlink(ours(), &link).unwrap();
    assert_eq!(stdout(&run(&link, &["--help"])), stdout(&run(ours(), &["--help"])));
}

#[test]
fn an_unknown_command_says_which_exist() {
    for arguments in [&["nonsense"][..], &["help", "nonsense"], &["--nonsense"], &[]] {
        let output = run(ours(), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let names_all = said.contains("memmon") && said.contains("status");
        assert!(names_all && output.stdout.is_empty(), "{said}");
        if let Some(name) = arguments.last() {
            assert!(said.contains(&format!("{name:?}")), "{said}");
        }
    }
}
