//! A listener with the bench in the place of supervisord: blocking reads, so that no pause of a poll
//! is measured.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Longer than Python's memmon needs for 1,000 processes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running listener that is READY; killed when the value goes.
pub(crate) struct Plug {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    log: Receiver<String>,
    serial: u64,
}

impl Plug {
    pub(crate) fn start(mut command: Command) -> Plug {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (lines, receiver) = channel();
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|l| lines.send(l)));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut plug = Plug { child, input, output, log: receiver, serial: 0 };
        plug.expect(b"READY\n");
        plug
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends an event and waits until it is acknowledged.
    pub(crate) fn event(&mut self, name: &str, payload: &str) {
        self.send(name, payload);
        self.acknowledged();
    }

    /// Sends an event.
    pub(crate) fn send(&mut self, name: &str, payload: &str) {
        self.serial += 1;
        let (serial, length) = (self.serial, payload.len());
        let frame = format!(
            "ver:3.0 server:supervisor serial:{serial} pool:bench poolserial:{serial} \
             eventname:{name} len:{length}\n{payload}"
        );
        self.input.write_all(frame.as_bytes()).unwrap();
    }

    pub(crate) fn acknowledged(&mut self) {
        self.expect(b"RESULT 2\nOKREADY\n");
    }

    /// Waits for so many lines of the log that contain a text.
    pub(crate) fn log(&self, text: &str, mut count: usize) {
        while count > 0 {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no {text:?} in the log: {error}"));
            count -= usize::from(line.contains(text));
        }
    }

    fn expect(&mut self, bytes: &[u8]) {
        let mut said = vec![0; bytes.len()];
        if let Err(error) = self.output.read_exact(&mut said) {
            let log: Vec<_> = self.log.iter().collect();
            panic!("{error}: {:?}\n{}", self.child.wait(), log.join("\n"));
        }
        assert_eq!(String::from_utf8_lossy(&said), String::from_utf8_lossy(bytes));
    }

    /// CPU time so far in seconds: of all its threads, those that have ended too, by the nanosecond; of
    /// the children that it has waited for by the clock tick.
    pub(crate) fn cpu(&self) -> f64 {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap());
        let own = clock_getcpuclockid(pid).and_then(clock_gettime).unwrap();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // cutime and cstime, fields 16 and 17 of proc(5), in the hundredths of a second of Linux.
        let children: f64 = fields[13..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
        Duration::from(own).as_secs_f64() + children / 100.0
    }

    /// Waits until all its threads sleep. Ours acknowledges before it works, and forgets a tick that
    /// comes while it is busy, be it with its last few instructions.
    pub(crate) fn wait_until_idle(&self) {
        let states = || -> Vec<String> {
            let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
            // A thread that has ended meanwhile has no file any more.
            threads
                .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")).ok())
                .collect()
        };
        let sleeps = |stat: &String| stat.rsplit_once(") ").unwrap().1.starts_with('S');
        // Two looks, since one may meet a thread between two sleeps.
        let mut looks = 0;
        while looks < 2 {
            looks = if states().iter().all(sleeps) { looks + 1 } else { 0 };
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A value of `smaps_rollup`, in megabytes.
    pub(crate) fn memory(&self, key: &str) -> f64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid())).unwrap();
        let line = rollup.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
