//! The measurements, one function for each group of rows. Programs take turns, round by round, so that
//! what else the machine does meets all of them. Times in milliseconds, memory in megabytes.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use superlance_testing::{
    HttpAnswer, HttpServer, SmtpServer, Subject, Supervisord, Who, wait_until,
};

use crate::plug::Plug;
use crate::table::{Row, Target};

/// Each listener with a command line. The mail command reads its input: with one that does not, such as
/// /bin/true, the original dies of a broken pipe sooner or later.
const LISTENERS: [(&str, &[&str]); 6] = [
    ("crashmail", &["-a", "-m", "a@example.com", "-s", "cat > /dev/null"]),
    ("crashmailbatch", &["-t", "a@example.com", "-f", "b@example.com"]),
    ("crashsms", &["-t", "a@example.com", "-f", "b@example.com"]),
    ("fatalmailbatch", &["-t", "a@example.com", "-f", "b@example.com"]),
    ("httpok", &["-a", "http://127.0.0.1:1/"]),
    ("memmon", &["-a", "100GB"]),
];

const EXITED: &str = "PROCESS_STATE_EXITED";

/// A payload as supervisord sends it.
fn exited(expected: u8) -> String {
    format!("processname:foo groupname:foo from_state:RUNNING expected:{expected} pid:12345")
}

/// The two to compare.
pub(crate) struct Bench {
    both: [Who; 2],
}

impl Bench {
    pub(crate) fn new(ours: &str) -> Bench {
        Bench { both: [Who::Theirs, Who::Ours(ours.into())] }
    }

    fn plug(&self, who: usize, name: &str, args: &[&str], url: &str) -> Plug {
        let subject = Subject::new(&self.both[who], name).args(args.iter().copied());
        Plug::start(subject.server_url(url).command())
    }

    /// From the start of a program to its first READY.
    pub(crate) fn start(&self) -> Vec<Row> {
        let mut samples: [Vec<f64>; 3] = Default::default();
        for _ in 0..9 {
            for (who, samples) in samples.iter_mut().enumerate() {
                let started = Instant::now();
                let _plug = match who {
                    2 => floor(None),
                    _ => self.plug(who, "memmon", LISTENERS[5].1, "unix:///nonexistent"),
                };
                samples.push(milliseconds(started));
            }
        }
        vec![Row::new("start to READY", "ms", samples).target(Target::Better(25.0))]
    }

    /// What listeners that wait for their first event occupy, alone and all six at a time.
    pub(crate) fn idle(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let idle = |who, (name, args): (&str, &[&str])| {
            let plug = self.plug(who, name, args, "unix:///nonexistent");
            // After READY, threads may still be about to go to sleep.
            thread::sleep(Duration::from_millis(100));
            plug
        };
        for listener in LISTENERS {
            let [mut rss, mut pss]: [[Vec<f64>; 3]; 2] = Default::default();
            for _ in 0..3 {
                for who in [0, 1] {
                    let plug = idle(who, listener);
                    rss[who].push(plug.memory("Rss:"));
                    pss[who].push(plug.memory("Pss:"));
                }
            }
            let name = listener.0;
            rows.push(Row::new(format!("{name}, RSS"), "MB", rss).target(Target::Better(9.0)));
            rows.push(Row::new(format!("{name}, PSS"), "MB", pss));
        }
        let mut six: [Vec<f64>; 3] = Default::default();
        for _ in 0..3 {
            for who in [0, 1] {
                let plugs = LISTENERS.map(|listener| idle(who, listener));
                six[who].push(plugs.iter().map(|plug| plug.memory("Pss:")).sum());
            }
        }
        rows.push(Row::new("all six, PSS", "MB", six).target(Target::Better(20.0)));
        rows
    }

    /// memmon's look at so many processes, plain and `-c`: rounds for the original, rounds for ours.
    pub(crate) fn ticks(&self, processes: usize, [theirs, ours]: [usize; 2]) -> Vec<Row> {
        let supervisord = supervisord_with(processes);
        let mut rows = self.tick(&supervisord, processes, [theirs, ours], &["-a", "100GB"], "");
        // The original runs a ps for each process: once is enough to know how slow that is.
        let rounds = [theirs.min(if processes < 500 { 3 } else { 1 }), ours];
        let crowd = (processes == 500).then(|| Crowd::new(2_000));
        let what = if crowd.is_some() { " -c, beside 2,000 others" } else { " -c" };
        rows.extend(self.tick(&supervisord, processes, rounds, &["-c", "-a", "100GB"], what));
        rows
    }

    fn tick(
        &self,
        supervisord: &Supervisord,
        processes: usize,
        [theirs, ours]: [usize; 2],
        args: &[&str],
        what: &str,
    ) -> Vec<Row> {
        let url = supervisord.server_url();
        let [mut time, mut cpu]: [[Vec<f64>; 3]; 2] = Default::default();
        let mut plugs = [
            (self.plug(0, "memmon", args, &url), processes),
            (self.plug(1, "memmon", args, &url), processes),
            (floor(Some(&url)), 1),
        ];
        for round in 0..=ours {
            for (who, (plug, lines)) in plugs.iter_mut().enumerate() {
                // The first round connects and warms caches. The original's are not worth its minutes.
                let (rounds, warm) = if who == 0 { (theirs, 0) } else { (ours, 1) };
                if round >= rounds + warm {
                    continue;
                }
                let (spent, started) = (plug.cpu(), Instant::now());
                plug.send("TICK_60", "when:1201063880");
                plug.log("RSS of ", *lines);
                let elapsed = milliseconds(started);
                plug.acknowledged();
                if round >= warm {
                    time[who].push(elapsed);
                    cpu[who].push((plug.cpu() - spent) * 1e3);
                }
            }
        }
        let mut time = Row::new(format!("memmon{what}, {processes} processes"), "ms", time);
        let mut cpu = Row::new(format!("memmon{what}, {processes} processes, CPU"), "ms", cpu);
        if processes == 500 {
            time = time.target(Target::Better(300.0));
            cpu = cpu.target(Target::Better(300.0));
            if what.is_empty() {
                time = time.target(Target::Floor(2.0));
            }
        }
        vec![time, cpu]
    }

    /// CPU of a look of httpok at a server that is well.
    pub(crate) fn httpok(&self) -> Vec<Row> {
        let server = HttpServer::builder().start();
        server.usually(HttpAnswer::status(200));
        let (url, supervisord) = (server.url(), supervisord_with(1));
        let rpc = supervisord.server_url();
        let mut cpu: [Vec<f64>; 3] = Default::default();
        let mut plugs = [0, 1].map(|who| self.plug(who, "httpok", &["-a", &url], &rpc));
        let mut requests = 0;
        for _ in 0..15 {
            for (plug, cpu) in plugs.iter_mut().zip(&mut cpu) {
                let spent = plug.cpu();
                plug.event("TICK_60", "when:1201063880");
                requests += 1;
                server.wait_for(requests);
                // Ours has acknowledged before it looked, and reads the answer yet.
                thread::sleep(Duration::from_millis(20));
                cpu.push((plug.cpu() - spent) * 1e3);
            }
        }
        vec![Row::new("httpok, a good answer, CPU", "ms", cpu)]
    }

    /// Events that need nothing, and crashes that are mailed.
    pub(crate) fn crashmail(&self) -> Vec<Row> {
        let [mut nothing, mut mailed]: [[Vec<f64>; 3]; 2] = Default::default();
        for _ in 0..7 {
            for (who, samples) in nothing.iter_mut().enumerate() {
                let mut plug = match who {
                    2 => floor(None),
                    _ => self.plug(who, "crashmail", LISTENERS[0].1, "unix:///none"),
                };
                let started = Instant::now();
                for _ in 0..3_000 {
                    plug.event(EXITED, &exited(1));
                }
                samples.push(3_000.0 / started.elapsed().as_secs_f64());
            }
        }
        for _ in 0..3 {
            for (who, samples) in mailed.iter_mut().enumerate().take(2) {
                let mut plug = self.plug(who, "crashmail", LISTENERS[0].1, "unix:///none");
                let started = Instant::now();
                for _ in 0..200 {
                    plug.event(EXITED, &exited(0));
                }
                plug.log("Mailed:", 200);
                samples.push(200.0 / started.elapsed().as_secs_f64());
            }
        }
        let nothing = Row::new("crashmail, expected exits", "1/s", nothing);
        vec![
            nothing.target(Target::Floor(1.25)),
            Row::new("crashmail, crashes, each mailed", "1/s", mailed),
        ]
    }

    /// Ten thousand crashes in one mail: from the first event to the mail at the server.
    pub(crate) fn batch(&self) -> Vec<Row> {
        let smtp = SmtpServer::new();
        let address = smtp.address();
        let args = ["-t", "a@example.com", "-f", "b@example.com", "-H", &address];
        let (mut time, mut mails) = (<[Vec<f64>; 3]>::default(), 0);
        for _ in 0..3 {
            for (who, samples) in time.iter_mut().enumerate().take(2) {
                let mut plug = self.plug(who, "crashmailbatch", &args, "unix:///none");
                let started = Instant::now();
                for _ in 0..10_000 {
                    plug.event(EXITED, &exited(0));
                }
                plug.event("TICK_60", "when:1201063880");
                mails += 1;
                smtp.wait_for(mails);
                samples.push(milliseconds(started));
            }
        }
        vec![Row::new("crashmailbatch, 10,000 crashes, one mail", "ms", time)]
    }

    /// The program with everything in it.
    pub(crate) fn size(&self) -> Vec<Row> {
        let Who::Ours(program) = &self.both[1] else { return Vec::new() };
        let bytes = std::fs::metadata(program).unwrap().len();
        let samples = [Vec::new(), vec![bytes as f64 / 1e6], Vec::new()];
        vec![Row::new("program", "MB", samples).target(Target::AtMost(4.0))]
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The floor, which is this program.
fn floor(url: Option<&str>) -> Plug {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("floor").args(url);
    Plug::start(command)
}

fn supervisord_with(processes: usize) -> Supervisord {
    let count = processes.to_string();
    let lines = [
        ("numprocs", count.as_str()),
        ("process_name", "%(program_name)s_%(process_num)04d"),
        ("startsecs", "0"),
        ("stdout_logfile", "NONE"),
        ("stderr_logfile", "NONE"),
    ];
    let supervisord = Supervisord::builder()
        .main("minfds", "8192")
        .program("sleep", "/bin/sleep 100000", &lines)
        .start();
    wait_until("all processes", Duration::from_secs(120), || {
        let all = supervisord.call("supervisor.getAllProcessInfo", &[]);
        all.matches("<string>RUNNING</string>").count() == processes
    });
    supervisord
}

/// Processes that are none of supervisord's; killed when the value goes.
struct Crowd(Child);

impl Crowd {
    fn new(count: usize) -> Crowd {
        let script = format!("for i in $(seq {count}); do sleep 100000 & done; wait");
        let crowd = Command::new("sh").args(["-c", &script]).process_group(0).spawn().unwrap();
        let path = format!("/proc/{0}/task/{0}/children", crowd.id());
        wait_until("the crowd", Duration::from_secs(60), || {
            std::fs::read_to_string(&path).unwrap().split(' ').count() >= count
        });
        Crowd(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}
