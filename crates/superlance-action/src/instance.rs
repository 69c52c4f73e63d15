//! An instance of a process. Pure.

use serde::Serialize;
use superlance_core::listener::Ctx;
use superlance_core::supervisor::ProcessInfo;
use superlance_core::system::log::About;

/// A process as it was started once: pids are used again, so the start tells instances apart, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instance {
    pub group: String,
    pub name: String,
    pub pid: u32,
    /// When it was started, by supervisord's clock.
    pub start: i64,
    /// Seconds since then.
    pub uptime: i64,
}

impl Instance {
    /// The instance that supervisord tells of, which has been up for so many seconds.
    #[must_use]
    pub fn new(info: &ProcessInfo, uptime: i64) -> Self {
        let (group, name) = (info.group.clone(), info.name.clone());
        Self { group, name, pid: info.pid, start: info.start, uptime }
    }

    /// `group:name`.
    #[must_use]
    pub fn namespec(&self) -> String {
        format!("{}:{}", self.group, self.name)
    }

    /// Pid and start, which no other instance has.
    #[must_use]
    pub fn identity(&self) -> (u32, i64) {
        (self.pid, self.start)
    }

    /// Whether supervisord tells of this instance.
    #[must_use]
    pub fn is(&self, info: &ProcessInfo) -> bool {
        self.identity() == (info.pid, info.start)
    }

    /// The log, for messages about it.
    #[must_use]
    pub fn log<'a>(&'a self, ctx: &'a Ctx<'_>) -> About<'a> {
        ctx.log.about(&self.group, &self.name, Some(self.pid))
    }
}

/// With the uptime that supervisord tells.
impl From<&ProcessInfo> for Instance {
    fn from(info: &ProcessInfo) -> Self {
        Self::new(info, info.uptime())
    }
}
