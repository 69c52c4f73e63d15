//! The loads of `make soak`, and the servers around a listener under load.

use std::time::{Duration, Instant};
use std::{fs, iter};

use superlance_testing::{
    Ballast, FakeProcess, FakeSupervisor, HttpAnswer, HttpServer, RunningBallast, SOON, Scratch,
    SmtpServer, Subject, try_wait, wait_until,
};

use crate::plug::Plug;
use crate::row::{Figures, Row};

/// A day of TICK_5.
const DAY: usize = 24 * 60 * 60 / 5;

/// Of so many events of the day, one brings a restart or a crash.
const SELDOM: usize = 100;

const FLOOD: usize = 100_000;

/// Events of a flood of which many are written to the disk.
const FLOOD_TO_DISK: usize = 20_000;

/// Ticks before the first look at a day, so that everything has been done that is done but once.
const WARM_UP: usize = 2_000;

const TICK: (&str, &str) = ("TICK_5", "when:1201063880");
const MINUTE: (&str, &str) = ("TICK_60", "when:1201063880");

/// Two programs for dependent-startup, one of which waits for the other.
const PROGRAMS: &str = "[supervisord]
[program:foo]
command=foo
autostart=false
dependent_startup=true
[program:web]
command=web
autostart=false
dependent_startup=true
dependent_startup_wait_for=foo
";

/// What is there for all loads.
pub(crate) struct Loads {
    program: &'static str,
    light: RunningBallast,
    heavy: RunningBallast,
}

/// Whether it collects lines. The load does not wait for such a listener between events, so mails and their
/// sessions pile up; how high is chance, and the allocator keeps the room.
fn is_batch(listener: &str) -> bool {
    ["crashmailbatch", "crashsms", "fatalmailbatch"].contains(&listener)
}

/// What a listener needs for one load.
struct World {
    fake: FakeSupervisor,
    http: HttpServer,
    smtp: SmtpServer,
    scratch: Scratch,
}

/// A listener under load.
struct Soaked<'a> {
    loads: &'a Loads,
    world: World,
    listener: &'a str,
    plug: Plug,
}

impl Loads {
    pub(crate) fn new(program: &'static str) -> Loads {
        Loads { program, light: Ballast::new(1).spawn(), heavy: Ballast::new(60).spawn() }
    }

    /// A hundred thousand events as fast as they are accepted.
    pub(crate) fn flood<'a>(&'a self, listener: &'a str) -> Row {
        // After a flood like it: lines pile up while a mail is under way, and the allocator keeps the
        // room of the largest pile.
        self.soak(listener, "a flood", [FLOOD, FLOOD], &[], Soaked::flood)
    }

    /// Events as fast as they are accepted, with `--spool`.
    pub(crate) fn flood_to_disk<'a>(&'a self, listener: &'a str) -> Row {
        let folder = Scratch::new();
        let options = ["--spool".to_owned(), folder.path().display().to_string()];
        self.soak(listener, "--spool", [FLOOD_TO_DISK; 2], &options, Soaked::flood)
    }

    /// A day of ticks, each handled before the next one comes, with restarts and mails in between.
    pub(crate) fn day<'a>(&'a self, listener: &'a str) -> Row {
        let warm_up = if is_batch(listener) { DAY } else { WARM_UP };
        self.soak(listener, "a day", [warm_up, DAY], &[], Soaked::tick)
    }

    fn soak<'a>(
        &'a self,
        listener: &'a str,
        what: &str,
        [warm_up, events]: [usize; 2],
        options: &[String],
        event: fn(&mut Soaked<'a>, usize),
    ) -> Row {
        let mut soaked = Soaked::start(self, listener, options);
        (0..warm_up).for_each(|number| event(&mut soaked, number));
        soaked.settle();
        let (restarts, mails) = (soaked.restarts(), soaked.mails());
        let (before, started) = (Figures::of(&soaked.plug), Instant::now());
        (0..events).for_each(|number| event(&mut soaked, number));
        let seconds = started.elapsed().as_secs_f64();
        soaked.settle();
        // A thread or a connection may take a moment to end.
        let looks = iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(50));
            Figures::of(&soaked.plug)
        });
        let after = looks.take(100).find(|figures| figures.is_settled(&before));
        Row {
            title: format!("{listener}, {what}"),
            bound: if is_batch(listener) { 3.0 } else { 1.0 },
            events,
            restarts: soaked.restarts() - restarts,
            mails: soaked.mails() - mails,
            seconds,
            before,
            after: after.unwrap_or_else(|| Figures::of(&soaked.plug)),
        }
    }
}

impl<'a> Soaked<'a> {
    fn start(loads: &'a Loads, listener: &'a str, further: &[String]) -> Soaked<'a> {
        let world = World {
            fake: FakeSupervisor::unix(),
            http: HttpServer::builder().usually(HttpAnswer::status(200)).start(),
            smtp: SmtpServer::new(),
            scratch: Scratch::new(),
        };
        for name in ["foo", "web"] {
            world.fake.add(FakeProcess::running(name, loads.light.pid()));
        }
        let configuration = world.scratch.write("supervisord.conf", PROGRAMS);
        let (folder, url, smtp) =
            (world.scratch.path().display().to_string(), world.http.url(), world.smtp.address());
        let options = match listener {
            "memmon" => format!("-a 50MB -m bob --history 100 --status-file {folder}/status"),
            "httpok" => format!("-p foo -m bob {url}"),
            "crashmail" => "-a -m bob".to_owned(),
            // It runs again before each look, so that nothing ends.
            "exitmon" => "-p foo -m bob --after 1".to_owned(),
            "dependent-startup" => {
                format!("-c {} -m bob --restart-dependents", configuration.display())
            }
            _ => format!("-t a@example.com -f b@example.com -H {smtp}"),
        };
        let mail =
            (!is_batch(listener)).then(|| ["-s".to_owned(), format!("cat >> {folder}/mails")]);
        let args = mail.into_iter().flatten().chain(options.split(' ').map(str::to_owned));
        let args = further.iter().cloned().chain(args);
        let subject = Subject::ours(loads.program.as_ref(), listener).args(args);
        let plug = Plug::start(subject.server_url(&world.fake.server_url()).command());
        Soaked { loads, world, listener, plug }
    }
}

impl Soaked<'_> {
    /// The next event of a flood.
    fn flood(&mut self, number: usize) {
        match self.listener {
            "memmon" | "httpok" => self.event(TICK),
            "crashmail" | "exitmon" if number % SELDOM > 0 => self.exit(true),
            "dependent-startup" if number % SELDOM > 0 => self.change("RUNNING", "other"),
            "dependent-startup" => self.start_anew(),
            "crashmail" => self.exit(false),
            _ => self.trouble(),
        }
        if number % 1_000 == 999 {
            // It asks supervisord at each event, so that more would pile up.
            if self.listener == "dependent-startup" {
                self.rest();
            }
            self.event(MINUTE);
            self.world.fake.forget_calls();
            self.world.http.forget_requests();
        }
    }

    /// The next tick of a day.
    fn tick(&mut self, number: usize) {
        let now_and_then = number % SELDOM == 0;
        match self.listener {
            "memmon" => {
                if now_and_then {
                    let (light, heavy) = (self.loads.light.pid(), self.loads.heavy.pid());
                    self.world.fake.update("foo:foo", |process| {
                        (process.pid, process.next_pid) = (heavy, Some(light));
                    });
                }
                self.handled(|world| !world.fake.calls().is_empty());
            }
            "httpok" => {
                if now_and_then {
                    self.world.http.then(HttpAnswer::status(500));
                }
                self.handled(|world| !world.http.requests().is_empty());
            }
            "dependent-startup" if now_and_then => {
                self.start_anew();
                self.rest();
            }
            "dependent-startup" => self.change("RUNNING", "other"),
            _ => {
                self.event(TICK);
                if now_and_then {
                    self.trouble();
                }
                if number % 12 == 0 {
                    self.event(MINUTE);
                }
            }
        }
    }

    /// Sends a tick until it is handled: one that comes while the listener acts is dropped.
    fn handled(&mut self, seen: fn(&World) -> bool) {
        loop {
            self.event(TICK);
            let handled = || seen(&self.world).then_some(());
            if try_wait(Duration::from_millis(200), handled).is_some() {
                break;
            }
        }
        self.rest();
        self.world.fake.forget_calls();
        self.world.http.forget_requests();
    }

    fn rest(&self) {
        let World { fake, http, smtp, .. } = &self.world;
        wait_until("all answers", SOON, || fake.is_idle() && http.is_idle() && smtp.is_idle());
        self.plug.wait_until_idle();
    }

    fn event(&mut self, (name, payload): (&str, &str)) {
        self.plug.event(name, payload);
    }

    fn exit(&mut self, expected: bool) {
        let payload = format!(
            "processname:foo groupname:foo from_state:RUNNING expected:{} pid:12345",
            u8::from(expected)
        );
        self.plug.event("PROCESS_STATE_EXITED", &payload);
    }

    /// A process has come into a state.
    fn change(&mut self, state: &str, process: &str) {
        let payload =
            format!("processname:{process} groupname:{process} from_state:STARTING pid:7");
        self.plug.event(&format!("PROCESS_STATE_{state}"), &payload);
    }

    /// foo was started anew, after web, which waits for it.
    fn start_anew(&mut self) {
        let start = self.world.fake.process("web:web").start + 1;
        self.world.fake.update("foo:foo", |process| process.start = start);
        self.world.fake.update("web:web", |process| process.now = Some(start + 1));
        self.change("RUNNING", "foo");
    }

    /// What the listener mails about.
    fn trouble(&mut self) {
        match self.listener {
            "fatalmailbatch" => {
                let payload = "processname:foo groupname:foo from_state:BACKOFF";
                self.plug.event("PROCESS_STATE_FATAL", payload);
            }
            _ => self.exit(false),
        }
    }

    /// Waits until all that was begun is done.
    fn settle(&mut self) {
        self.rest();
        let mut before = usize::MAX;
        wait_until("all mails", SOON, || {
            let now = self.mails();
            std::thread::sleep(Duration::from_millis(300));
            std::mem::replace(&mut before, now) == now
        });
        self.rest();
    }

    fn restarts(&self) -> usize {
        let started = ["foo:foo", "web:web"].map(|name| self.world.fake.process(name).started);
        started.iter().sum::<u32>() as usize
    }

    fn mails(&self) -> usize {
        let sent = fs::read_to_string(self.world.scratch.join("mails")).unwrap_or_default();
        sent.matches("Subject:").count() + self.world.smtp.mails().len()
    }
}
