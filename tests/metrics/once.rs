//! What is printed once.

use superlance_testing::{
    Ballast, FakeProcess, FakeSupervisor, SOON, Scratch, Supervisord, wait_until,
};

use super::{metrics, run, value};

#[test]
fn processes_in_all_states_and_their_memory() {
    let folder = Scratch::new();
    let large = Ballast::new(20).command(&folder);
    let once = [("startsecs", "0"), ("autorestart", "false")];
    let supervisord = Supervisord::builder()
        .program("large", &large, &[("numprocs", "2"), ("process_name", "large_%(process_num)02d")])
        .program("once", "/bin/sh -c 'exit 4'", &once)
        .program("bad", "/no/such/program", &[("startretries", "0")])
        .start();
    for (name, state) in [("large:large_01", "RUNNING"), ("once", "EXITED"), ("bad", "FATAL")] {
        supervisord.wait_state(name, state);
    }
    let rss = "superlance_process_memory_bytes{children=\"no\",group=\"large\",metric=\"rss\",name=\"large_01\"}";
    let mut text = String::new();
    wait_until("large to be large", SOON, || {
        let (printed, said, code) = run(metrics(supervisord.scratch(), &[]));
        assert_eq!((said.as_str(), code), ("", 0), "{printed}");
        text = printed;
        value(&text, rss).is_some_and(|rss| rss > 20e6)
    });
    for (series, expected) in [
        ("node_supervisord_up{group=\"large\",name=\"large_00\"}", 1.0),
        ("node_supervisord_up{group=\"once\",name=\"once\"}", 0.0),
        ("node_supervisord_exit_status{group=\"once\",name=\"once\"}", 4.0),
        ("node_supervisord_state{group=\"once\",name=\"once\"}", 100.0),
        ("node_supervisord_state{group=\"bad\",name=\"bad\"}", 200.0),
        ("superlance_supervisord_up", 1.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}: {text}");
    }
    assert!(!text.contains("restarts_total"), "{text}");
}

#[test]
fn without_supervisord_what_is_known_is_printed() {
    let folder = Scratch::new();
    let url = format!("unix://{}", folder.join("no.sock").display());
    let (printed, said, code) = run(metrics(&folder, &["-s", &url]));
    assert_eq!((value(&printed, "superlance_supervisord_up"), code), (Some(0.0), 1), "{printed}");
    assert!(printed.contains("superlance_build_info{version="), "{printed}");
    assert!(!printed.contains("node_"), "{printed}");
    let expected = format!("superlance metrics: cannot talk to supervisord at {url}: No such file");
    assert!(said.starts_with(&expected) && said.contains("(the address is from -s)"), "{said}");
}

#[test]
fn under_supervisord_it_asks_the_one_that_runs_it() {
    let (fake, folder) = (FakeSupervisor::unix(), Scratch::new());
    fake.add(FakeProcess::running("foo:foo", 7));
    let mut command = metrics(&folder, &[]);
    command.env("SUPERVISOR_SERVER_URL", fake.server_url());
    let (printed, _, code) = run(command);
    assert_eq!(code, 0);
    assert_eq!(value(&printed, "node_supervisord_up{group=\"foo\",name=\"foo\"}"), Some(1.0));
}
