//! A look at all processes that matter.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use superlance_config::listener_groups;
use superlance_core::listener::Ctx;
use superlance_core::listener::selection::IdleSelectors;
use superlance_core::options::selector::Names;
use superlance_core::supervisor::deaf::{OWN_LOG, is_deaf};
use superlance_core::supervisor::{Configured, ProcessInfo, RpcError, State};
use superlance_core::system::log::LogOnce;

use crate::options::Selected;
use crate::rule::{Role, Seen};

/// How long the configuration is taken for what it was, unless there is a process that it lacks.
const LASTS: Duration = Duration::from_secs(60);

/// The priority that an event listener has unless its section says otherwise.
const OF_LISTENERS: i64 = -1;

/// What is needed to look at processes.
#[derive(Debug)]
pub(crate) struct Eyes {
    selected: Selected,
    own_group: Option<String>,
    /// The file, and the groups that it makes event listeners, if it can be read.
    file: Option<PathBuf>,
    listeners: Option<HashSet<String>>,
    /// The configuration by `group:name`, and when it was asked for.
    configured: HashMap<String, Configured>,
    asked: Option<Instant>,
    unasked: LogOnce,
    unread: LogOnce,
    idle: IdleSelectors,
}

impl Eyes {
    pub(crate) fn new(
        selected: Selected,
        own_namespec: Option<&str>,
        file: Option<PathBuf>,
    ) -> Self {
        let own_group = own_namespec.and_then(|own| own.split_once(':'));
        Self {
            selected,
            own_group: own_group.map(|(group, _)| group.to_owned()),
            file,
            listeners: None,
            configured: HashMap::new(),
            asked: None,
            unasked: LogOnce::default(),
            unread: LogOnce::default(),
            idle: IdleSelectors::default(),
        }
    }

    /// Why a process matters, if it does.
    pub(crate) fn role(&self, names: Names<'_>) -> Option<Role> {
        self.selected.role(names, || self.is_listener(names))
    }

    fn is_listener(&self, names: Names<'_>) -> bool {
        if self.own_group.as_deref() == Some(names.group) {
            return true;
        }
        match &self.listeners {
            Some(listeners) => listeners.contains(names.group),
            None => {
                let configured = self.configured.get(&format!("{}:{}", names.group, names.process));
                configured.is_some_and(|configured| configured.group_priority == OF_LISTENERS)
            }
        }
    }

    /// All processes that matter, as they are now.
    ///
    /// # Errors
    /// When supervisord gives no usable answer.
    pub(crate) fn look(&mut self, ctx: &mut Ctx<'_>) -> Result<Vec<Seen>, RpcError> {
        let all = ctx.supervisor.all()?;
        self.idle.report(self.selected.idle(all.iter().map(ProcessInfo::names)), ctx.log);
        self.read_configuration(&all, ctx)?;
        let matter = all.iter().filter_map(|info| Some((info, self.role(info.names())?)));
        let matter: Vec<_> = matter.collect();
        let log = match matter.iter().any(|(_, role)| *role == Role::Listener) {
            true => self.own_log(ctx)?,
            false => None,
        };
        let seen = matter.into_iter().map(|(info, role)| self.seen(info, role, log.as_deref()));
        Ok(seen.collect())
    }

    fn seen(&self, info: &ProcessInfo, role: Role, log: Option<&str>) -> Seen {
        let is_deaf = role == Role::Listener
            && info.state == State::Running
            && log.is_some_and(|log| is_deaf(log, &info.name));
        Seen {
            group: info.group.clone(),
            name: info.name.clone(),
            role,
            state: if is_deaf { State::Unknown } else { info.state },
            has_run: info.start != 0,
            ended: if info.state == State::Fatal { info.stop.max(info.start) } else { info.stop },
            lasts: (info.state == State::Exited).then(|| exited_ago(info)).flatten(),
            failed: info.state == State::Exited && self.has_failed(info),
        }
    }

    /// Whether a process exited with a status that supervisord did not expect.
    fn has_failed(&self, info: &ProcessInfo) -> bool {
        match self.configured.get(&info.namespec()) {
            Some(configured) => !configured.exit_codes.contains(&info.exit_status),
            None => info.exit_status != 0,
        }
    }

    /// Reads the configuration of all processes, if it is not known.
    pub(crate) fn read_configuration(
        &mut self,
        all: &[ProcessInfo],
        ctx: &mut Ctx<'_>,
    ) -> Result<(), RpcError> {
        let is_known = all.iter().all(|info| self.configured.contains_key(&info.namespec()));
        if is_known && self.asked.is_some_and(|asked| asked.elapsed() < LASTS) {
            return Ok(());
        }
        match ctx.supervisor.configured() {
            Ok(configured) => {
                let named = configured.into_iter().map(|configured| {
                    (format!("{}:{}", configured.group, configured.name), configured)
                });
                self.configured = named.collect();
                self.listeners = self.file.as_deref().and_then(listener_groups);
                self.asked = Some(Instant::now());
                self.unasked.clear();
            }
            Err(error) if error.is_shutdown() => return Err(error),
            Err(error) => self.unasked.report(
                ctx.log,
                format!("cannot tell event listeners from programs, nor which exits are expected: {error}"),
            ),
        }
        Ok(())
    }

    /// The end of supervisord's own log, if it has one.
    fn own_log(&mut self, ctx: &mut Ctx<'_>) -> Result<Option<String>, RpcError> {
        match ctx.supervisor.own_log(OWN_LOG) {
            Ok(log) => {
                self.unread.clear();
                Ok(log.whole_lines().map(str::to_owned))
            }
            Err(error) if error.is_shutdown() => Err(error),
            Err(error) => {
                let message = format!(
                    "--listeners sees those that are FATAL, and not those that get no more events, which \
                     only supervisord's log tells: {error}"
                );
                self.unread.report(ctx.log, message);
                Ok(None)
            }
        }
    }
}

/// Whole seconds since the exit; `None` where the clock was set back meanwhile.
fn exited_ago(info: &ProcessInfo) -> Option<Duration> {
    let seconds = info.now.checked_sub(info.stop)?;
    Some(Duration::from_secs(u64::try_from(seconds).ok()?))
}
