//! The start of a real supervisord.

use std::fs::File;
use std::process::{Command, Stdio};

use super::rpc::Client;
use super::{Builder, Http, Supervisord};
use crate::leash::Leash;
use crate::scratch::Scratch;
use crate::venv;
use crate::wait::{SOON, try_wait};
use crate::wire::socket::Address;

impl Builder {
    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up; the message tells what it said.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Supervisord {
        let started = match self.try_start() {
            // Another program may take a free port before supervisord does.
            Err(said) if said.contains("already listening") => self.try_start(),
            started => started,
        };
        match started {
            Ok(supervisord) => supervisord,
            Err(said) => panic!("supervisord does not come up:\n{said}"),
        }
    }

    #[track_caller]
    fn try_start(&self) -> Result<Supervisord, String> {
        let scratch = Scratch::new();
        let login = self.login.clone();
        let client = self.address(&scratch).map(|address| Client { address, login });
        let config = scratch.write("supervisord.conf", self.render(client.as_ref()));
        let out = File::create(scratch.join("supervisord.out")).expect("the folder is ours");
        let supervisord = venv::program("supervisord").into();
        let mut words = self.wrapper.iter().chain([&supervisord]);
        let mut command = Command::new(words.next().expect("there is supervisord's own"));
        command.args(words);
        command
            .arg("-c")
            .arg(config)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stderr(out.try_clone().expect("files can be opened"));
        let process = Leash::spawn(command.stdout(out));
        let mut supervisord = Supervisord { process, client, scratch };
        let up = try_wait(SOON, || match &supervisord.client {
            _ if !matches!(supervisord.process.child.try_wait(), Ok(None)) => Some(false),
            Some(client) => client.call("supervisor.getState", &[]).ok().map(|_| true),
            None => supervisord.scratch.join("supervisord.pid").exists().then_some(true),
        });
        match up {
            Some(true) => Ok(supervisord),
            _ => Err(supervisord.read("supervisord.out")),
        }
    }

    fn address(&self, scratch: &Scratch) -> Option<Address> {
        match self.http {
            Http::Unix => Some(Address::Unix(scratch.join("s.sock"))),
            Http::Inet => Some(Address::free_port()),
            Http::None => None,
        }
    }
}
