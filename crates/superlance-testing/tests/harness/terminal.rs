//! The terminal, proved with the shell.

use std::process::Command;

use superlance_testing::{SOON, Terminal, wait_until};

fn shell(script: &str) -> Terminal {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Terminal::spawn(command, 70, 20)
}

#[test]
fn it_has_a_size_and_a_keyboard() {
    let script = "stty size; read line; echo \"got $line\"; trap 'stty size; exit 3' WINCH; \
                  while :; do sleep 0.1; done";
    let mut terminal = shell(script);
    terminal.wait_for("20 70");
    assert!(terminal.is_ordinary());
    terminal.press("it\n");
    terminal.wait_for("got it");
    // The trap may not be set yet.
    wait_until("the new size", SOON, || {
        terminal.resize(50, 10);
        terminal.text().contains("10 50")
    });
    assert_eq!(terminal.wait_exit().code(), Some(3));
}

#[test]
fn it_shows_whether_a_program_changed_it_and_what_was_drawn_last() {
    let mut terminal =
        shell("stty -echo -icanon; printf '\\033[Hold\\033[Ha\\n\\033[1mb\\033[m'; read x");
    terminal.wait_for("\x1b[m");
    assert!(!terminal.is_ordinary());
    assert_eq!(terminal.page(), ["a", "b"]);
    terminal.press("\n");
    assert!(terminal.wait_exit().success());
}
