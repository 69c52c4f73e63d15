//! How status finds supervisord, and what it says when it does not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;
use superlance_testing::{Answer, FakeSupervisor, Http, Scratch, Supervisord, venv};

use super::{printed, run, status};
use crate::ours;

/// A user without rights.
const NOBODY: u32 = 65534;

/// The same command for nobody, if the test is run by root, whom no permission stops.
fn powerless(mut command: Command, folder: &Scratch) -> Command {
    if geteuid().is_root() {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut other = Command::new(folder.executable("superlance", fs::read(ours()).unwrap()));
        other.args(command.get_args()).env_clear().uid(NOBODY).gid(NOBODY);
        other.current_dir(command.get_current_dir().unwrap());
        command = other;
    }
    command
}

/// It prints nothing, exits with `code`, and says all of `texts`.
#[track_caller]
fn check(command: Command, code: i32, texts: &[&str]) {
    let shown = format!("{command:?}");
    let (printed, said, ended) = run(command);
    assert_eq!((printed.as_str(), ended), ("", code), "{shown}: {said}");
    for text in texts {
        assert!(said.contains(text), "{shown} should say {text:?}, but says:\n{said}");
    }
}

#[test]
fn a_configuration_in_this_folder_or_with_c_says_where() {
    let supervisord = Supervisord::builder().login("bob", "s3cret").start();
    assert_eq!(printed(&supervisord, &[]), "0 processes, 0 running\n");
    let elsewhere = Scratch::new();
    let file = supervisord.scratch().join("supervisord.conf");
    let url = supervisord.server_url();
    for arguments in
        [&["-c", file.to_str().unwrap()][..], &["-s", &url, "-u", "bob", "-p", "s3cret"]]
    {
        let (printed, said, code) = run(status(&elsewhere, arguments));
        assert_eq!((printed.as_str(), code), ("0 processes, 0 running\n", 0), "{said}");
    }
    let advice = "refused user name and password (401): give them with -u and -p, or as username= \
                  and password= in the [supervisorctl] section";
    check(status(&elsewhere, &["-s", &url]), 1, &[advice, "the address is from -s"]);
    check(status(supervisord.scratch(), &["-p", "x"]), 1, &[advice]);
}

#[test]
fn over_tcp() {
    let supervisord = Supervisord::builder().http(Http::Inet).program("foo", "sleep 1000", &[]);
    let supervisord = supervisord.start();
    supervisord.wait_state("foo", "RUNNING");
    let text = printed(&supervisord, &[]);
    assert!(text.contains("\nfoo      RUNNING  "), "{text}");
    assert!(!text.contains("\n-:"), "{text}");
}

#[test]
fn without_a_supervisord_it_says_what_was_tried() {
    let folder = Scratch::new();
    let config = folder.write("supervisord.conf", "[supervisorctl]\nserverurl=unix://run/s.sock\n");
    let socket = folder.join("run/s.sock");
    let tried = format!("cannot talk to supervisord at unix://{}: No such file", socket.display());
    let origin = format!("the address is from {}", config.display());
    check(status(&folder, &[]), 1, &["superlance status: ", &tried, &origin]);
    check(status(&folder, &["--json"]), 1, &[&tried]);
    check(status(&folder, &["--watch"]), 1, &[&tried]);
    check(
        status(&folder, &["-s", "http://127.0.0.1:1"]),
        1,
        &[
            "cannot talk to supervisord at http://127.0.0.1:1: Connection refused",
            "the address is from -s",
        ],
    );
    check(status(&folder, &["-c", "nix.conf"]), 1, &["nix.conf: there is no such configuration"]);
    fs::write(&config, "[supervisord]\n").unwrap();
    check(status(&folder, &[]), 1, &["supervisord.conf: the configuration has no [supervisorctl]"]);
    fs::write(&config, "[supervisorctl]\nserverurl=localhost:9001\n").unwrap();
    check(status(&folder, &[]), 1, &["\"localhost:9001\" is not a server URL such as unix:///run"]);
}

#[test]
fn a_socket_that_may_not_be_opened() {
    let (fake, folder) = (FakeSupervisor::unix(), Scratch::new());
    let url = fake.server_url();
    let socket = Path::new(url.strip_prefix("unix://").unwrap());
    fs::set_permissions(socket, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let command = powerless(status(&folder, &["-s", &url]), &folder);
    check(
        command,
        1,
        &["Permission denied", "(sudo)", "chmod= or chown= in the [unix_http_server]"],
    );
    assert_eq!(fake.calls(), Vec::<String>::new());
}

#[test]
fn a_configuration_that_may_not_be_read() {
    let folder = Scratch::new();
    let config = folder.write("supervisord.conf", "[supervisorctl]\n");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o000)).unwrap();
    let command = powerless(status(&folder, &[]), &folder);
    check(command, 1, &["supervisord.conf: this user may not read the configuration"]);
}

/// Needs root, since there must be processes of somebody else.
#[test]
fn memory_that_this_user_may_not_see_is_a_hyphen() {
    if !geteuid().is_root() {
        println!("not checked: only root can be somebody else");
        return;
    }
    let supervisord = Supervisord::builder().program("foo", "sleep 1000", &[]).start();
    supervisord.wait_state("foo", "RUNNING");
    let url = supervisord.server_url();
    let socket = url.strip_prefix("unix://").unwrap();
    fs::set_permissions(socket, fs::Permissions::from_mode(0o777)).unwrap();
    let folder = supervisord.scratch();
    let run_as_nobody = |arguments: &[&str]| {
        let arguments = [&["-s", &url], arguments].concat();
        let (printed, said, code) = run(powerless(status(folder, &arguments), folder));
        assert_eq!((said.as_str(), code), ("", 0), "{printed}");
        printed
    };
    let table = run_as_nobody(&[]);
    let row: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
    // RSS is for all to see, and swap is; of PSS only the user of the process is told.
    assert_eq!((row[0], row[5], row[8]), ("foo", "-", "-"), "{table}");
    assert!(row[4].ends_with(['K', 'M']) && row[6] == "0", "{table}");
    assert!(table.contains("\n-: PSS of a process is told only to root"), "{table}");
    let json = run_as_nobody(&["--json"]);
    assert!(json.contains("\"pss\": null") && !json.contains("\"rss\": null"), "{json}");
}

#[test]
fn a_supervisord_that_misbehaves_is_an_error_and_no_table() {
    let folder = Scratch::new();
    for (name, answer) in Answer::misbehaviours() {
        // What comes to a good end is no error, and a large answer takes a debug build most of a minute.
        if ["closed after the answer", "slow", "dripping", "large"].contains(&name) {
            continue;
        }
        let fake = FakeSupervisor::unix();
        fake.on("*", answer);
        let (printed, said, code) = run(status(&folder, &["-s", &fake.server_url()]));
        assert_eq!((printed.as_str(), code), ("", 1), "{name}: {said}");
        assert!(said.starts_with("superlance status: "), "{name}: {said}");
    }
    let fake = FakeSupervisor::unix();
    fake.on("*", Answer::fault(1, "UNKNOWN_METHOD"));
    let command = status(&folder, &["-s", &fake.server_url()]);
    check(command, 1, &["its configuration lacks the [rpcinterface:supervisor] section"]);
}

#[test]
fn wrong_command_lines_say_what_was_expected() {
    let folder = Scratch::new();
    for (arguments, text) in [
        (&["-p", "foo=200MB"][..], "limits go after --: superlance status -- -p NAME=SIZE"),
        (&["foo=200MB"], "superlance status -- -p foo=200MB"),
        (&["-a", "1GB"], "options of memmon go after --: superlance status -- -a 1GB"),
        (&["--", "-p", "foo"], "expected NAME=SIZE, such as foo=200MB"),
        (&["--", "-p", "foo"], "superlance help memmon"),
        (&["-s", "ftp://x"], "-s: \"ftp://x\" is not a server URL"),
        (&["--watch", "soon"], "\"soon\" is not a time such as 90"),
        (&["--watch", "--json"], "'--watch [<TIME>]' cannot be used with '--json'"),
        (&["--sort", "size"], "invalid value 'size' for '--sort <ORDER>'"),
    ] {
        check(status(&folder, arguments), 2, &[text]);
    }
}

/// What supervisorctl makes of a configuration.
const THEIRS: &str = "
import sys
from supervisor.options import ClientOptions
options = ClientOptions()
options.realize(['-c', sys.argv[1], 'status'])
print(options.serverurl)
";

#[test]
fn configurations_mean_what_they_mean_to_supervisorctl() {
    let folder = Scratch::new();
    for text in [
        "[supervisorctl]\n",
        "[supervisorctl]\nserverurl=unix:///nowhere/a.sock\n",
        "[supervisorctl]\nserverurl = unix://%(here)s/x/../a.sock ; comment\n",
        "[supervisorctl]\nServerURL: unix://a;b#c.sock # comment\n",
        "# c\n[supervisorctl] ; c\nserverurl=unix://%(ENV_NAME)s%%.sock\n",
        "[x]\ny=z\n [supervisorctl]\n[supervisorctl]\n  serverurl=unix://~/a.sock\n",
        "[supervisorctl]\nserverurl=unix://a\n[x]\nserverurl=unix://b\n[supervisorctl]\na=b\n",
        "[supervisorctl]\nserverurl=unix://a\nserverurl=unix://b\n",
        "[DEFAULT]\nserverurl=unix://a\n[supervisorctl]\n",
        "[supervisorctl]\nserverurl=unix:///a=b:c\n",
        "[supervisorctl]\nserverurl=http://127.0.0.1:2\n",
        "[supervisorctl]\r\nserverurl=unix:///nowhere/a.sock\r\n\r\n",
    ] {
        let config = folder.write("c.conf", text);
        let with = |command: &mut Command| {
            command.current_dir(folder.path()).envs([("NAME", "bob"), ("HOME", "/nowhere")]);
        };
        let mut python = Command::new(venv::python());
        with(python.args(["-c", THEIRS]).arg(&config));
        let (theirs, said, code) = run(python);
        assert_eq!(code, 0, "{text:?}: {said}");
        let mut ours = status(&folder, &["-c", config.to_str().unwrap()]);
        with(&mut ours);
        check(ours, 1, &[&format!("cannot talk to supervisord at {}: ", theirs.trim_end())]);
    }
}
