//! A finding, as a value.

use superlance_config::{Place, Refusal};

use crate::codes;
use crate::severity::Severity;

/// Something that is wrong, or that deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) place: Place,
    pub(crate) section: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
    /// What to write, in a line.
    pub(crate) fix: Option<String>,
}

impl Finding {
    /// With the severity that the table of codes gives it.
    pub(crate) fn new(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        let severity = codes::find(code).map_or(Severity::Error, |entry| entry.severity);
        let message = message.into();
        Self { code, severity, place, section: None, key: None, message, fix: None }
    }

    pub(crate) fn about(mut self, section: &str, key: Option<&str>) -> Self {
        self.section = Some(section.to_owned());
        self.key = key.filter(|key| !key.is_empty()).map(str::to_owned);
        self
    }

    pub(crate) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    pub(crate) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Of what supervisord refuses.
    pub(crate) fn refused(code: &'static str, refusal: &Refusal, main: &Place) -> Self {
        let place = refusal.place.as_ref().unwrap_or(main).clone();
        let message = format!("supervisord refuses this: {}", refusal.reason);
        let mut finding = Self::new(code, place, message).severity(Severity::Error);
        finding.section.clone_from(&refusal.section);
        finding.key = refusal.key.clone().filter(|key| !key.is_empty());
        finding
    }
}
