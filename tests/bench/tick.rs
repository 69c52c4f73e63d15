//! memmon's look at many processes, with a real supervisord that runs them.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use superlance_testing::{Supervisord, wait_until};

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

impl Bench {
    /// memmon's look at so many processes, plain and `-c`.
    pub(crate) fn ticks(&self, size: Size) -> Vec<Row> {
        let supervisord = supervisord_with(size.processes);
        let count = match size.processes {
            1 => "1 process".to_owned(),
            1_000 => "1,000 processes".to_owned(),
            count => format!("{count} processes"),
        };
        let mut plain = self.tick(&supervisord, size, &format!("memmon, {count}"), None);
        let crowd = (size.processes == LARGE).then(|| Crowd::new(2_000));
        let beside = if crowd.is_some() { " beside 2,000 others" } else { "" };
        let what = format!("memmon -c, {count}{beside}");
        let mut cumulative = self.tick(&supervisord, size, &what, Some("-c"));
        plain[0].headline = [100, LARGE].contains(&size.processes);
        if size.processes == LARGE {
            let [time, cpu] = plain.map(|row| row.target(Target::Better(300.0)));
            plain = [time.target(Target::OfFloor(2.0)), cpu];
            cumulative = cumulative.map(|row| row.target(Target::Better(300.0)));
        }
        plain.into_iter().chain(cumulative).collect()
    }

    /// Time from an event to the last action, and CPU.
    fn tick(
        &self,
        supervisord: &Supervisord,
        size: Size,
        what: &str,
        cumulative: Option<&str>,
    ) -> [Row; 2] {
        let theirs = if cumulative.is_some() { size.theirs_cumulative } else { size.theirs };
        let args: Vec<_> = cumulative.into_iter().chain(["-a", "100GB"]).collect();
        let url = supervisord.server_url();
        let [mut time, mut cpu]: [[Vec<f64>; 3]; 2] = Default::default();
        let mut plugs = [
            (self.plug(0, "memmon", &args, &url), size.processes),
            (self.plug(1, "memmon", &args, &url), size.processes),
            (floor(Some(&url)), 1),
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
        [Row::new(what, "ms", time), Row::new(format!("{what}, CPU"), "ms", cpu)]
    }
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
