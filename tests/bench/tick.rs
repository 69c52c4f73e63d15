//! memmon's look at many processes, with a real supervisord that runs them.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use superlance_testing::{Answer, FakeSupervisor, Supervisord, wait_until};

use crate::memory::{self, Occupied};
use crate::rows::{Bench, floor, milliseconds};
use crate::table::{Row, Target};

/// How many processes there are, and how often programs look at them.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) processes: usize,
    /// The original, which needs a minute for 500 or more.
    theirs: usize,
    /// The original with `-c`, which runs a ps for each process.
    theirs_cumulative: usize,
    ours: usize,
}

const fn size(processes: usize, theirs: usize, theirs_cumulative: usize, ours: usize) -> Size {
    Size { processes, theirs, theirs_cumulative, ours }
}

pub(crate) const SIZES: [Size; 5] = [
    size(1, 7, 5, 21),
    size(10, 5, 5, 21),
    size(100, 3, 3, 15),
    size(500, 3, 1, 15),
    size(1_000, 1, 1, 7),
];

/// Where more than the time is asked for.
const LARGE: usize = 500;

/// How many other processes there are where it matters.
const OTHERS: usize = 2_000;

impl Bench {
    /// memmon's look at so many processes, plain and `-c`.
    pub(crate) fn ticks(&self, size: Size) -> Vec<Row> {
        let supervisord = supervisord_with(size.processes);
        let url = supervisord.server_url();
        let count = match size.processes {
            1 => "1 process".to_owned(),
            1_000 => "1,000 processes".to_owned(),
            count => format!("{count} processes"),
        };
        let is_large = size.processes == LARGE;
        let plain = Look { url: &url, size, what: format!("memmon, {count}"), cumulative: false };
        let (mut plain, memory) = self.look(&plain);
        let crowd = is_large.then(|| Crowd::new(OTHERS));
        let beside = if crowd.is_some() { " beside 2,000 others" } else { "" };
        let what = format!("memmon -c, {count}{beside}");
        let (mut cumulative, _) = self.look(&Look { url: &url, size, what, cumulative: true });
        plain[0].headline = [100, LARGE].contains(&size.processes);
        if !is_large {
            return plain.into_iter().chain(cumulative).collect();
        }
        plain = plain.map(|row| row.target(Target::Better(300.0)));
        cumulative = cumulative.map(|row| row.target(Target::Better(300.0)));
        plain.into_iter().chain(memory).chain(cumulative).collect()
    }

    /// The look at 500 processes with a supervisord that has its answer ready, so that what is ours
    /// shows.
    pub(crate) fn answered_at_once(&self) -> Vec<Row> {
        let supervisord = supervisord_with(LARGE);
        let fake = FakeSupervisor::unix();
        let answer = supervisord.call("supervisor.getAllProcessInfo", &[]);
        fake.on("getAllProcessInfo", Answer::Garbage(answer.into_bytes()));
        let (size, url) = (size(LARGE, 0, 0, 31), fake.server_url());
        let what = "memmon, 500 processes, answered at once".to_owned();
        let (plain, _) = self.look(&Look { url: &url, size, what, cumulative: false });
        let _crowd = Crowd::new(OTHERS);
        let what = "memmon -c, 500 processes beside 2,000 others, answered at once".to_owned();
        let (cumulative, _) = self.look(&Look { url: &url, size, what, cumulative: true });
        let ([time, cpu], [slow, cumulative]) = (plain, cumulative);
        let (time, cpu) = (time.target(Target::OfFloor(1.5)), cpu.target(Target::OfFloor(2.0)));
        vec![time, cpu, slow, cumulative.target(Target::OfFloor(3.0))]
    }

    /// Time from an event to the last line of the log, and CPU; and what ours and theirs occupy then.
    fn look(&self, look: &Look<'_>) -> ([Row; 2], Vec<Row>) {
        let Look { url, size, what, cumulative } = look;
        let theirs = if *cumulative { size.theirs_cumulative } else { size.theirs };
        let args = if *cumulative { &["-c", "-a", "100GB"][..] } else { &["-a", "100GB"] };
        let [mut time, mut cpu]: [[Vec<f64>; 3]; 2] = Default::default();
        let mut plugs = [
            (self.plug(0, "memmon", args, url), size.processes),
            (self.plug(1, "memmon", args, url), size.processes),
            (floor(Some(url)), 1),
        ];
        for round in 0..=size.ours {
            for (who, (plug, lines)) in plugs.iter_mut().enumerate() {
                // The first round connects and warms caches. The original's are not worth their minutes.
                let (rounds, warm) = if who == 0 { (theirs, 0) } else { (size.ours, 1) };
                if round >= rounds + warm {
                    continue;
                }
                plug.wait_until_idle();
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
        let [theirs, ours, _] = &plugs;
        let after = [vec![Occupied::by(&theirs.0)], vec![Occupied::by(&ours.0)]];
        (
            [Row::new(what, "ms", time), Row::new(format!("{what}, CPU"), "ms", cpu)],
            memory::after_work(&format!("{what}, then"), after),
        )
    }
}

/// A look to measure: where supervisord is, at how many processes, what the row is called.
struct Look<'a> {
    url: &'a str,
    size: Size,
    what: String,
    cumulative: bool,
}

pub(crate) fn supervisord_with(processes: usize) -> Supervisord {
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
