//! memmon beside the original, and under a real supervisord.

mod deviations;
mod measuring;
mod numbers;
mod options;
mod options_under_supervisord;
mod transcripts;
mod under_supervisord;

use superlance_testing::{
    Ballast, FakeProcess, FakeSupervisor, Listener, Mailbox, RunningBallast, SOON, Subject,
    Transcript, wait_until,
};

use crate::ours;

/// The calls of a check that restarts `foo`.
const RESTART: [&str; 4] = [
    "getAllProcessInfo()",
    "getProcessInfo(foo:foo)",
    "stopProcess(foo:foo)",
    "startProcess(foo:foo)",
];

/// A process of about twenty megabytes.
fn twenty_megabytes(namespec: &str) -> (RunningBallast, FakeProcess) {
    let ballast = Ballast::new(10).spawn();
    let process = FakeProcess::running(namespec, ballast.pid());
    (ballast, process)
}

/// A memmon with these arguments that sees `processes`.
fn memmon(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    Transcript::new("memmon", title)
        .args(arguments.iter().copied())
        .processes(processes.iter().cloned())
}

/// The same, and it gets one tick.
fn one_tick(title: &str, arguments: &[&str], processes: &[FakeProcess]) -> Transcript {
    memmon(title, arguments, processes).event("TICK_60", "when:1201063880")
}

/// Our memmon beside a fake supervisord; the test is the clock.
struct Clockwork {
    memmon: Listener,
    fake: FakeSupervisor,
    mailbox: Mailbox,
}

impl Clockwork {
    /// A memmon with these arguments, and an address to mail to.
    fn new(arguments: &[&str], processes: &[FakeProcess]) -> Clockwork {
        let (fake, mailbox) = (FakeSupervisor::unix(), Mailbox::new());
        processes.iter().for_each(|process| fake.add(process.clone()));
        let mail = ["-m", "bob@example.com", "-s", &mailbox.command()].map(str::to_owned);
        let memmon = Subject::ours(ours(), "memmon").args(mail).args(arguments.iter().copied());
        let memmon = memmon.server_url(&fake.server_url()).spawn();
        Clockwork { memmon, fake, mailbox }
    }

    /// Sends a tick, waits until memmon has done what comes of it, and returns what it logged about it.
    #[track_caller]
    fn tick(&mut self) -> String {
        let before = self.memmon.stderr().len();
        let checks = |fake: &FakeSupervisor| {
            fake.calls().iter().filter(|call| *call == "getAllProcessInfo()").count()
        };
        let seen = checks(&self.fake);
        self.memmon.event("TICK_5", "when:1");
        self.memmon.wait_result();
        wait_until("the check", SOON, || checks(&self.fake) > seen);
        self.memmon.wait_idle();
        self.memmon.stderr().split_off(before)
    }

    /// How often a method was called.
    fn count(&self, method: &str) -> usize {
        self.fake.calls().iter().filter(|call| call.starts_with(method)).count()
    }
}
