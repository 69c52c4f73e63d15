//! The register of unfinished work, which is logged when time is up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The register. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    last: u64,
    texts: BTreeMap<u64, Text>,
}

/// Builds the text on demand, since it is seldom needed.
type Text = Box<dyn Fn() -> String + Send>;

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.texts.keys()).finish()
    }
}

/// A piece of work; dropping it finishes it.
#[derive(Debug)]
#[must_use = "dropped at once, it is finished at once"]
pub struct Entry {
    register: InFlight,
    number: u64,
}

impl InFlight {
    /// Registers work. `text` is logged if it is not finished in time.
    pub fn begin(&self, text: impl Into<String>) -> Entry {
        let text = text.into();
        self.begin_with(move || text.clone())
    }

    /// Registers work with a text that is long, or depends on later state. Without a text, there is
    /// nothing to log.
    pub fn begin_with(&self, text: impl Fn() -> String + Send + 'static) -> Entry {
        let mut entries = self.lock();
        entries.last += 1;
        let number = entries.last;
        entries.texts.insert(number, Box::new(text));
        Entry { register: self.clone(), number }
    }

    /// The texts of all unfinished work, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let entries = self.lock();
        let texts = entries.texts.values().map(|text| text());
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// Whether all work is finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().texts.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.register.lock().texts.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_finished() {
        let in_flight = InFlight::default();
        let first = in_flight.begin("first");
        let second = in_flight.begin("second");
        assert_eq!(in_flight.texts(), ["first", "second"]);
        drop(first);
        assert_eq!(in_flight.clone().texts(), ["second"]);
        drop(second);
        assert!(in_flight.is_empty());
    }
}
