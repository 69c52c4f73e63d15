//! The fake supervisord, called by the client that supervisor itself offers.

use std::process::Command;

use superlance_testing::{FakeProcess, FakeSupervisor, ProcessState, venv};

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
}
