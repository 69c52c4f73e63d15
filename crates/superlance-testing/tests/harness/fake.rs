//! The fake supervisord, called by the client that supervisor itself offers.

use std::process::Command;
use std::time::Duration;

use superlance_testing::{
    Answer, FakeProcess, FakeSupervisor, ProcessState, SOON, venv, wait_until,
};

/// Runs Python with `s`, a proxy for the fake, and returns what it printed.
#[track_caller]
fn python(fake: &FakeSupervisor, code: &str) -> String {
    let prelude = "import os\nfrom supervisor import childutils\n\
                   s = childutils.getRPCInterface(os.environ).supervisor\n\
                   def attempt(f, *args):\n\
                   \x20   try: return f(*args)\n\
                   \x20   except Exception as e: return f'{type(e).__name__}: {e}'\n";
    let output = Command::new(venv::python())
        .args(["-c", &format!("{prelude}{code}")])
        .env("SUPERVISOR_SERVER_URL", fake.server_url())
        .env("SUPERVISOR_USERNAME", "bob")
        .env("SUPERVISOR_PASSWORD", "secret")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const RESTART: &str = "print(attempt(s.stopProcess, 'foo'), attempt(s.startProcess, 'foo:foo'))";

fn with_foo(fake: FakeSupervisor) -> FakeSupervisor {
    fake.add(FakeProcess::running("foo", 77).uptime(60));
    fake
}

#[test]
fn behaves_like_supervisord() {
    for fake in [FakeSupervisor::unix(), FakeSupervisor::inet()] {
        let fake = with_foo(fake);
        fake.add(FakeProcess::not_running("grp:a<b", ProcessState::Fatal));
        let said = python(
            &fake,
            "foo, ab = s.getAllProcessInfo()\n\
             print(foo['name'], foo['now'] - foo['start'], foo['statename'], ab['name'], ab['pid'])\n\
             print(attempt(s.startProcess, 'foo'), attempt(s.stopProcess, 'grp:a<b'))\n\
             print(attempt(s.getProcessInfo, 'grp'), s.stopProcess('foo:foo'))\n\
             foo = s.getProcessInfo('foo')\n\
             print(foo['statename'], foo['pid'], foo['stop'] == foo['now'], s.startProcess('foo'))\n\
             print(s.getState(), attempt(s.nonsense))\n",
        );
        let expected = "foo 60 RUNNING a<b 0\n\
            Fault: <Fault 60: 'ALREADY_STARTED: foo'> Fault: <Fault 70: 'NOT_RUNNING: grp:a<b'>\n\
            Fault: <Fault 10: 'BAD_NAME: grp'> True\n\
            STOPPED 0 True True\n\
            {'statecode': 1, 'statename': 'RUNNING'} Fault: <Fault 1: 'UNKNOWN_METHOD'>\n";
        assert_eq!(said, expected);
        assert_eq!(fake.process("foo").state, ProcessState::Running);
        assert_eq!(fake.calls()[..2], ["getAllProcessInfo()", "startProcess(foo)"]);
    }
}

/// Compares the fake's answers for a log with those of supervisor's own functions for a file.
const COMPARE_LOGS: &str = r"
import tempfile
from supervisor.options import readFile, tailFile
from supervisor.compat import as_string
file = tempfile.NamedTemporaryFile()
file.write(log)
file.flush()
def theirs(f, *args):
    try: return f(file.name, *args)
    except UnicodeDecodeError: return 'ProtocolError'
    except ValueError: return 'Fault'
def fakes(f, *args):
    try: return f(*args)
    except Exception as e: return type(e).__name__
def compare(fake, real, *context):
    text = real if isinstance(real, str) else real[0]
    # No XML parser takes an escape.
    assert fake == real or (fake == 'ExpatError' and '\x1b' in text), (*context, fake, real)
read = lambda *args: as_string(readFile(*args))
for offset in range(-19, 20, 3):
    for length in range(-2, 19, 2):
        args = offset, length
        compare(fakes(s.readLog, *args), theirs(read, *args), 'readLog', args)
        if offset >= 0 and length >= 0:
            fake = fakes(s.tailProcessStderrLog, 'foo', *args)
            compare(fake, theirs(tailFile, *args), 'tail', args)
print(s.tailProcessStdoutLog('foo', 0, 9), attempt(s.tailProcessStdoutLog, 'x', 0, 9))
";

#[test]
fn reads_logs_like_supervisord() {
    let text = "réd\nzwei\u{1b}[1m\n€";
    for log in [text.as_bytes(), b"", b"a\xffb"] {
        let fake = FakeSupervisor::unix();
        fake.add(FakeProcess::running("foo", 77).logs(b"x", log));
        fake.set_log(log);
        let said = python(&fake, &format!("log = bytes({log:?})\n{COMPARE_LOGS}"));
        assert_eq!(said, "['x', 1, False] Fault: <Fault 10: 'BAD_NAME: x'>\n");
    }
    let fake = FakeSupervisor::unix();
    fake.remove_log();
    let said = python(&fake, "print(attempt(s.readLog, -9, 0))");
    assert_eq!(said, "Fault: <Fault 20: 'NO_FILE: None'>\n");
}

#[test]
fn scripts_are_obeyed() {
    let fake = with_foo(FakeSupervisor::unix());
    fake.on("*", Answer::Slow(Duration::from_millis(1)));
    fake.once("startProcess(foo:foo)", Answer::fault(50, "SPAWN_ERROR: foo"));
    assert_eq!(python(&fake, RESTART), "True Fault: <Fault 50: 'SPAWN_ERROR: foo'>\n");
    assert_eq!(fake.process("foo").state, ProcessState::Stopped);
    assert_eq!(python(&fake, "print(s.startProcess('foo:foo'))"), "True\n");
    fake.behave();
    assert_eq!(python(&fake, RESTART), "True True\n");
}

#[test]
fn misbehaviour_is_seen_and_ends() {
    for (name, answer) in Answer::misbehaviours() {
        let fake = with_foo(FakeSupervisor::inet());
        fake.on("getProcessInfo", answer.clone());
        let said = python(&fake, "print(str(attempt(s.getProcessInfo, 'foo'))[:60])");
        let good = ["closed after the answer", "slow", "dripping"].contains(&name);
        assert_eq!(said.starts_with("{'name': 'foo'"), good, "{name}: {said}");
        // Whatever happened, the next call is served.
        assert_eq!(python(&fake, RESTART), "True True\n", "{name}");
    }
}

#[test]
fn asks_for_a_login() {
    let fake = with_foo(FakeSupervisor::unix());
    fake.require_login("bob", "secret");
    assert_eq!(python(&fake, RESTART), "True True\n");
    fake.require_login("bob", "other");
    assert!(
        python(&fake, RESTART).starts_with("ProtocolError: <ProtocolError for 127.0.0.1/RPC2: 401")
    );
    assert_eq!((fake.refused(), fake.calls().len()), (2, 2));
}

#[test]
fn holds_a_call_until_it_is_released() {
    let fake = with_foo(FakeSupervisor::unix());
    fake.once("stopProcess", Answer::Hold);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| python(&fake, RESTART));
        fake.wait_for_call("stopProcess(foo)");
        assert!(!fake.is_idle() && fake.process("foo").state == ProcessState::Running);
        fake.release();
        assert_eq!(client.join().unwrap(), "True True\n");
    });
    wait_until("the fake to be idle", SOON, || fake.is_idle());
}

#[test]
fn comes_back_at_the_same_address() {
    for fake in [FakeSupervisor::unix(), FakeSupervisor::inet()] {
        let mut fake = with_foo(fake);
        for _ in 0..3 {
            assert_eq!(python(&fake, RESTART), "True True\n");
            fake.stop();
            let said = python(&fake, "print(attempt(s.getState))");
            assert!(said.contains("Errno"), "{said}");
            fake.start();
        }
    }
}
