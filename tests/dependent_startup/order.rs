//! The examples and scenarios of the original: both versions start the same in the same order.

use superlance_testing::{Builder, Channel, record};

use super::{BOTH, DONE, STARTUP, Who, handled, job, spawned};

const WAIT: &str = "dependent_startup_wait_for";
const INHERIT: (&str, &str) = ("dependent_startup_inherit_priority", "true");

type Scene = fn(Builder) -> Builder;

/// From example.md, with other commands.
fn ping(builder: Builder) -> Builder {
    let once = ("autorestart", "false");
    let builder = job(builder, "ping", "sleep 1.2", &[once]);
    let builder = job(builder, "ping2", "sleep 1.2", &[once, (WAIT, "sleep:running")]);
    let builder = job(builder, "ping3", "sleep 1.2", &[once, (WAIT, "ping2:exited")]);
    job(builder, "sleep", "sleep 600", &[("startsecs", "1"), (WAIT, "ping:exited")])
}

/// test_basic_config
fn priorities(builder: Builder) -> Builder {
    let builder = handled(builder, "consul", &[("priority", "5")]);
    let builder = handled(builder, "slurmd", &[("priority", "10"), (WAIT, "consul:running")]);
    let builder = handled(builder, "slurmd2", &[INHERIT, (WAIT, "consul:running")]);
    let lines = [("priority", "15"), INHERIT, (WAIT, "consul:running slurmd:running")];
    handled(builder, "slurmd3", &lines)
}

/// test_start_service_check_order, and test_run_with_two_services_started_simultaneously
fn ties(builder: Builder) -> Builder {
    let builder = handled(builder, "consul", &[]);
    let builder = handled(builder, "slurmd4", &[("priority", "15"), (WAIT, "consul")]);
    let builder = handled(builder, "consul2", &[(WAIT, "consul:running")]);
    let builder = handled(builder, "slurmd", &[(WAIT, "consul:running")]);
    let builder = handled(builder, "slurmd5", &[("priority", "0"), (WAIT, "consul:running")]);
    let builder = handled(builder, "slurmd2", &[(WAIT, "consul:running slurmd:running")]);
    let lines = [("priority", "100"), (WAIT, "consul:running slurmd:running")];
    handled(builder, "slurmd3", &lines)
}

/// test_start_service_with_numproc_two_processes, test_config_with_custom_process_name,
/// test_start_services_in_same_process_group
fn processes(builder: Builder) -> Builder {
    let several = ("process_name", "%(program_name)s_%(process_num)02d");
    let builder = handled(builder, "consul", &[("process_name", "custom")]);
    let lines = [("numprocs", "2"), several, (WAIT, "consul:running")];
    let builder = handled(builder, "slurmd", &lines);
    let builder = handled(builder, "one", &[(WAIT, "slurmd:RUNNING,fatal")]);
    let builder = handled(builder, "two", &[(WAIT, "one:running")]);
    builder.section("group:foo", &[("programs", "one, two")])
}

/// The states that may be waited for, and values out of the environment.
fn states(builder: Builder) -> Builder {
    let builder = builder.env("WHAT", "first:starting").env("YES", "true");
    let builder = handled(builder, "first", &[("dependent_startup", "%(ENV_YES)s")]);
    let builder = handled(builder, "second", &[(WAIT, "%(ENV_WHAT)s")]);
    let fails = [("startsecs", "1"), ("startretries", "0"), (WAIT, "second")];
    let builder = job(builder, "third", "/bin/false", &fails);
    let builder = handled(builder, "fourth", &[(WAIT, "third:backoff")]);
    handled(builder, "fifth", &[(WAIT, "fourth third:running,fatal")])
}

/// The order in which a version starts the programs of a scene.
fn order(who: Who, scene: Scene) -> Vec<String> {
    let supervisord = scene(who.stage()).start();
    supervisord.wait_for_process_log(STARTUP, Channel::Stderr, DONE);
    spawned(&supervisord)
}

#[test]
fn both_start_the_same_in_the_same_order() {
    let scenes: [(Scene, &[&str]); 5] = [
        (ping, &["ping", "sleep", "ping2", "ping3"]),
        (priorities, &["consul", "slurmd2", "slurmd", "slurmd3"]),
        (ties, &["consul", "slurmd4", "consul2", "slurmd", "slurmd5", "slurmd3", "slurmd2"]),
        (processes, &["custom", "slurmd_00", "slurmd_01", "one", "two"]),
        (states, &["first", "second", "third", "fourth", "fifth"]),
    ];
    std::thread::scope(|scope| {
        for who in BOTH {
            for (scene, expected) in scenes {
                scope.spawn(move || assert_eq!(order(who, scene), expected, "{who:?}"));
            }
        }
    });
    record("same", "dependent-startup", "the order of starts of its examples and tests");
}
