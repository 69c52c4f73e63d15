//! The calls that the fake supervisord has received.

use super::FakeSupervisor;
use super::answer::matches;
use crate::wait::{SOON, try_wait};

impl FakeSupervisor {
    /// All calls so far in order, like `getProcessInfo(foo:foo)`; without those refused with 401.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.state().calls.clone()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.shared.state().calls.clear();
    }

    /// How many requests were refused for want of the right login.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.shared.state().refused
    }

    /// Whether no call is being answered now.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shared.connections.is_idle()
    }

    /// Waits for a call; `call` is as in [`on`](FakeSupervisor::on).
    #[track_caller]
    pub fn wait_for_call(&self, call: &str) {
        self.wait_for_calls(call, 1);
    }

    /// Waits until there have been this many such calls.
    #[track_caller]
    pub fn wait_for_calls(&self, call: &str, count: usize) {
        let seen = || self.calls().iter().filter(|seen| matches(call, seen)).count();
        let enough = try_wait(SOON, || (seen() >= count).then_some(()));
        assert!(enough.is_some(), "not {count} times {call} in {:#?}", self.calls());
    }
}
