//! The spool, for the threads that share it. What is wrong with it is said once, and without it
//! everything goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

use super::spool::{Opened, Spool, SpoolError, Stored};
use superlance_core::listener::alert::Alert;
use superlance_core::spool::diary::Diary;
use superlance_core::system::log::{Log, LogOnce};

/// Where alerts are kept until everyone has them.
pub(super) struct Store {
    parent: PathBuf,
    name: String,
    log: Arc<Log>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    spool: Option<Spool>,
    /// The keys of those who lack an alert, by its id.
    lacking: BTreeMap<String, BTreeSet<String>>,
    complaint: LogOnce,
}

/// What became of an alert that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// It is on the disk.
    Kept,
    /// It was there already, and is on its way.
    Known,
    /// It is not kept.
    Not,
}

impl Store {
    /// A store for the listener `name`. It is not open yet.
    pub(super) fn new(parent: PathBuf, name: String, log: Arc<Log>) -> Self {
        Self { parent, name, log, state: Mutex::default() }
    }

    /// Opens it, and returns what is there; `None` if it is open already, or cannot be opened now.
    pub(super) fn open(&self) -> Option<Vec<Stored>> {
        let mut state = self.lock();
        if state.spool.is_some() {
            return None;
        }
        match Spool::open(&self.parent, &self.name) {
            Ok(Opened { spool, backlog, strange }) => {
                strange.into_iter().for_each(|strange| self.log.line(strange));
                state.spool = Some(spool);
                Some(backlog)
            }
            Err(error) => {
                self.complain(&mut state, &error);
                None
            }
        }
    }

    /// The journal `name` with what is in it: `what`, in words.
    pub(super) fn diary<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &'static str,
    ) -> (Diary, Vec<T>) {
        let state = self.lock();
        let open = |spool: &Spool| Diary::open(spool.journal(name), what, &self.log);
        state.spool.as_ref().map_or_else(|| (Diary::default(), Vec::new()), open)
    }

    /// Keeps an alert.
    pub(super) fn put(&self, alert: &Alert) -> Keeping {
        let mut state = self.lock();
        let Some(spool) = &mut state.spool else { return Keeping::Not };
        match spool.put(alert) {
            Ok(new) => {
                if state.complaint.clear() {
                    self.log.line("alerts are kept on disk again");
                }
                if new { Keeping::Kept } else { Keeping::Known }
            }
            Err(error) => {
                self.complain(&mut state, &error);
                Keeping::Not
            }
        }
    }

    /// From now on, an alert is kept until those with these keys have it.
    pub(super) fn expect(&self, alert: &Alert, keys: BTreeSet<String>) {
        let mut state = self.lock();
        if keys.is_empty() {
            self.remove(&mut state, alert);
        } else if state.spool.as_ref().is_some_and(|spool| spool.has(&alert.id)) {
            state.lacking.insert(alert.id.clone(), keys);
        }
    }

    /// Whoever has this key lacks the alert no longer, or is never to get it.
    pub(super) fn settle(&self, alert: &Alert, key: &str) {
        let mut state = self.lock();
        let State { spool: Some(spool), lacking, .. } = &mut *state else { return };
        let Some(keys) = lacking.get_mut(&alert.id) else { return };
        keys.remove(key);
        if keys.is_empty() {
            return self.remove(&mut state, alert);
        }
        if let Err(error) = spool.accept(alert, key) {
            self.complain(&mut state, &error);
        }
    }

    /// Whether another listener would find it.
    pub(super) fn keeps(&self, alert: &Alert) -> bool {
        self.lock().lacking.contains_key(&alert.id)
    }

    fn remove(&self, state: &mut State, alert: &Alert) {
        state.lacking.remove(&alert.id);
        let removed = state.spool.as_mut().map_or(Ok(()), |spool| spool.remove(&alert.id));
        if let Err(error) = removed {
            self.complain(state, &error);
        }
    }

    fn complain(&self, state: &mut State, error: &SpoolError) {
        state.complaint.report(&self.log, format!("alerts are not kept on disk: {error}"));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
