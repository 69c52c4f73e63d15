//! The measurements, one function for each group of rows. Programs take turns, round by round, so that
//! what else the machine does meets all of them. Times in milliseconds, memory in megabytes.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use superlance_testing::{SmtpServer, Subject, Who};

use crate::memory::{self, Occupied};
use crate::plug::Plug;
use crate::table::{Row, Target};
use crate::tick::supervisord_with;

/// Each listener with a command line. The mail command reads its input: with one that does not, such as
/// /bin/true, the original dies of a broken pipe sooner or later.
pub(crate) const LISTENERS: [(&str, &[&str]); 6] = [
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
    pub(crate) fn new(ours: PathBuf) -> Bench {
        Bench { both: [Who::Theirs, Who::Ours(ours)] }
    }

    pub(crate) fn plug(&self, who: usize, name: &str, args: &[&str], url: &str) -> Plug {
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
        vec![Row::new("start to READY", "ms", samples).target(Target::Better(25.0)).headline()]
    }

    /// Events acknowledged in a second: those that need nothing, and those that are mailed.
    pub(crate) fn events(&self) -> Vec<Row> {
        let plug = |who| self.plug(who, "crashmail", LISTENERS[0].1, "unix:///none");
        let mut plugs = [plug(0), plug(1), floor(None)];
        let mut nothing: [Vec<f64>; 3] = Default::default();
        for _ in 0..41 {
            for (plug, samples) in plugs.iter_mut().zip(&mut nothing) {
                samples.push(rate(plug, 500, &exited(1)));
            }
        }
        let mut mailed: [Vec<f64>; 3] = Default::default();
        for _ in 0..5 {
            for (plug, samples) in plugs.iter_mut().zip(&mut mailed).take(2) {
                let started = Instant::now();
                rate(plug, 100, &exited(0));
                plug.log("Mailed:", 100);
                samples.push(100.0 / started.elapsed().as_secs_f64());
            }
        }
        let after = [0, 1].map(|who| vec![Occupied::by(&plugs[who])]);
        let nothing = Row::new("crashmail, expected exits", "1/s", nothing);
        let mut rows = vec![
            nothing.target(Target::OfFloor(0.8)),
            Row::new("crashmail, crashes, each mailed", "1/s", mailed),
        ];
        rows.extend(memory::after_work("crashmail after 500 mails", after));
        rows
    }

    /// Ten thousand crashes in one mail: how fast they are acknowledged, and how long it takes from the
    /// first event to the mail at the server.
    pub(crate) fn batch(&self) -> Vec<Row> {
        let smtp = SmtpServer::new();
        let address = smtp.address();
        let args = ["-t", "a@example.com", "-f", "b@example.com", "-H", &address];
        let [mut time, mut rates]: [[Vec<f64>; 3]; 2] = Default::default();
        let (mut after, mut mails): ([Vec<Occupied>; 2], _) = (Default::default(), 0);
        for _ in 0..5 {
            for who in 0..3 {
                let mut plug = match who {
                    2 => floor(Some(&address)),
                    _ => self.plug(who, "crashmailbatch", &args, "unix:///none"),
                };
                let started = Instant::now();
                rates[who].push(rate(&mut plug, 10_000, &exited(0)));
                plug.event("TICK_60", "when:1201063880");
                mails += 1;
                smtp.wait_for(mails);
                time[who].push(milliseconds(started));
                if let Some(after) = after.get_mut(who) {
                    after.push(Occupied::by(&plug));
                }
            }
        }
        let time = Row::new("crashmailbatch, 10,000 crashes in one mail", "ms", time);
        let mut rows = vec![
            Row::new("crashmailbatch, crashes acknowledged", "1/s", rates),
            time.target(Target::OfFloor(1.5)),
        ];
        rows.extend(memory::after_work("crashmailbatch after 10,000 crashes", after));
        rows
    }

    /// A look of httpok at a server that is well: until that has answered, and CPU.
    pub(crate) fn httpok(&self) -> Vec<Row> {
        let (url, answered) = http_server();
        let supervisord = supervisord_with(1);
        let rpc = supervisord.server_url();
        let [mut time, mut cpu]: [[Vec<f64>; 3]; 2] = Default::default();
        let mut plugs = [0, 1].map(|who| self.plug(who, "httpok", &["-a", &url], &rpc));
        for round in 0..=21 {
            for (who, plug) in plugs.iter_mut().enumerate() {
                let (spent, started) = (plug.cpu(), Instant::now());
                plug.event("TICK_60", "when:1201063880");
                let end: Instant = answered.recv_timeout(Duration::from_secs(60)).unwrap();
                plug.wait_until_idle();
                // The first round warms caches.
                if round > 0 {
                    time[who].push((end - started).as_secs_f64() * 1e3);
                    cpu[who].push((plug.cpu() - spent) * 1e3);
                }
            }
        }
        let cpu = Row::new("httpok, a good answer, CPU", "ms", cpu);
        let mut rows = vec![
            Row::new("httpok, a good answer", "ms", time),
            cpu.target(Target::Better(4.0)).headline(),
        ];
        let after = plugs.map(|plug| vec![Occupied::by(&plug)]);
        rows.extend(memory::after_work("httpok after 21 good answers", after));
        rows
    }

    /// The program with everything in it.
    pub(crate) fn size(&self) -> Vec<Row> {
        let Who::Ours(program) = &self.both[1] else { return Vec::new() };
        let bytes = std::fs::metadata(program).unwrap().len();
        let samples = [Vec::new(), vec![bytes as f64 / 1e6], Vec::new()];
        vec![Row::new("program", "MB", samples).target(Target::AtMost(5.0)).headline()]
    }
}

/// Events that are acknowledged in a second.
fn rate(plug: &mut Plug, events: u32, payload: &str) -> f64 {
    let started = Instant::now();
    for _ in 0..events {
        plug.event(EXITED, payload);
    }
    f64::from(events) / started.elapsed().as_secs_f64()
}

/// A server that answers 200 to everything, and says when it has.
fn http_server() -> (String, Receiver<Instant>) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let (answered, receiver) = channel();
    thread::spawn(move || {
        for connection in server.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                connection.read_line(&mut line).unwrap();
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            connection.get_mut().write_all(answer).unwrap();
            let _ = answered.send(Instant::now());
        }
    });
    (url, receiver)
}

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The floor, which is this program, with its work.
pub(crate) fn floor(work: Option<&str>) -> Plug {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("floor").args(work);
    Plug::start(command)
}
