//! One run of a transcript: the program and its surroundings.

use std::time::Duration;

use super::outcome::{Afterwards, Outcome};
use super::world::World;
use super::{Server, Step, Transcript, Until};
use crate::idle::Watch;
use crate::listener::Listener;
use crate::protocol::ListenerState;
use crate::subject::{Subject, Who};
use crate::wait::{SOON, try_wait};

/// How long a program may take for one event, and for its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much had come out after a step: of calls, mails, requests, and lines of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    calls: usize,
    mails: usize,
    requests: usize,
    lines: usize,
}

pub(super) struct Stage<'a> {
    transcript: &'a Transcript,
    subject: Subject,
    world: World,
}

impl<'a> Stage<'a> {
    #[track_caller]
    pub(super) fn new(transcript: &'a Transcript, who: &Who) -> Stage<'a> {
        let world = World::new(transcript);
        let mut subject = Subject::new(who, &transcript.program);
        subject = subject.args(transcript.args.iter().map(|arg| world.fill(arg)));
        if transcript.server != Server::Absent {
            subject = subject.server_url(&world.fake.server_url());
        }
        for (name, value) in &transcript.env {
            subject = subject.env(name, &world.fill(value));
        }
        Stage { transcript, subject, world }
    }

    /// Plays all steps. With an empty `pace`, notes how far the program got at each of them; with
    /// another one, waits at each until the program has got that far, if it does in time.
    #[track_caller]
    pub(super) fn play(mut self, pace: &mut Vec<Progress>) -> Outcome {
        let leading = pace.is_empty();
        let mut listener = None;
        let mut sent = 0;
        for step in &self.transcript.steps {
            let (frame, until) = match step {
                Step::Act(act) => {
                    act(&mut self.world);
                    continue;
                }
                Step::Send(frame, until) => (frame, until),
            };
            let listener = listener.get_or_insert_with(|| self.subject.spawn());
            self.settle(listener, None, None);
            if listener.is_running() && listener.state() == ListenerState::Ready {
                listener.send(frame);
                self.settle(listener, until.as_ref(), pace.get(sent).filter(|_| !leading));
            }
            if leading {
                pace.push(self.progress(listener));
            }
            sent += 1;
        }
        let listener = listener.unwrap_or_else(|| self.subject.spawn());
        self.finish(listener)
    }

    /// Waits until the program is done with what it has got: it has answered, rests, and has
    /// nothing to wait for. Or it has died, or said something that ends the protocol.
    #[track_caller]
    fn settle(&self, listener: &mut Listener, until: Option<&Until>, pace: Option<&Progress>) {
        let expecting = [ListenerState::Acknowledged, ListenerState::Busy];
        let mut watch = Watch::default();
        let mut at_rest = |listener: &mut Listener| {
            !listener.is_running()
                || !expecting.contains(&listener.state())
                    && self.world.is_idle()
                    && listener.is_resting(&mut watch)
        };
        let came = |listener: &Listener| {
            until.is_none_or(|until| self.world.has(until, &listener.stderr()))
        };
        let settled = try_wait(PATIENCE, || {
            (at_rest(listener) && (came(listener) || !listener.is_running())).then_some(())
        });
        if settled.is_none() {
            let state = listener.state();
            panic!("waited in vain for {until:?} and rest in {state:?}\n{}", listener.stderr());
        }
        let Some(pace) = pace else { return };
        // Ours may do less on purpose, so it is no failure here when it does not get as far.
        let _ = try_wait(SOON, || {
            let now = self.progress(listener);
            let far = now.calls >= pace.calls
                && now.mails >= pace.mails
                && now.requests >= pace.requests
                && now.lines >= pace.lines;
            (!listener.is_running() || far && at_rest(listener)).then_some(())
        });
    }

    fn progress(&self, listener: &Listener) -> Progress {
        Progress {
            calls: self.transcript.compared_calls(&self.world.fake.calls()).len(),
            mails: self.world.mails(),
            requests: self.world.requests().len(),
            lines: listener.stderr().lines().count(),
        }
    }

    #[track_caller]
    fn finish(self, mut listener: Listener) -> Outcome {
        self.settle(&mut listener, None, None);
        let World { fake, mailbox, .. } = &self.world;
        let filters = self.world.filters();
        let (calls, mails, log) = (fake.calls(), mailbox.mails(), listener.stderr());
        let received = self.world.received();
        let mut outcome = Outcome {
            calls: calls.clone(),
            mails: mails.iter().map(|mail| filters.apply(mail)).collect(),
            received: received.iter().map(|mail| filters.apply_to_mail(mail)).collect(),
            requests: self.world.requests(),
            log: filters.apply(&log),
            protocol: listener.stdout(),
            alive: listener.is_running(),
            unknown: listener.state() == ListenerState::Unknown,
            afterwards: Afterwards::default(),
            exit: None,
        };
        listener.close_stdin();
        outcome.exit = listener.wait_exit(PATIENCE).code();
        outcome.afterwards = Afterwards {
            calls: fake.calls().split_off(calls.len()),
            mails: mailbox.mails().iter().skip(mails.len()).map(|m| filters.apply(m)).collect(),
            received: (self.world.received().iter().skip(received.len()))
                .map(|mail| filters.apply_to_mail(mail))
                .collect(),
            log: filters.apply(listener.stderr().get(log.len()..).unwrap_or_default()),
        };
        outcome
    }
}
