//! A supervisor that refuses every call.

use crate::supervisor::{Channel, Configured, Details, LogEnd, ProcessInfo, RpcError, Supervisor};

/// A supervisor that refuses every call.
///
/// Listeners that only send mail must also work where supervisord serves no RPC.
pub struct NoSupervisor;

fn not_asked<T>() -> Result<T, RpcError> {
    Err(RpcError::Unreachable("this listener has no connection to supervisord".to_owned()))
}

impl Supervisor for NoSupervisor {
    fn all(&mut self) -> Result<Vec<ProcessInfo>, RpcError> {
        not_asked()
    }

    fn info(&mut self, _: &str) -> Result<ProcessInfo, RpcError> {
        not_asked()
    }

    fn details(&mut self, _: &str) -> Result<Details, RpcError> {
        not_asked()
    }

    fn configured(&mut self) -> Result<Vec<Configured>, RpcError> {
        not_asked()
    }

    fn pid(&mut self) -> Result<u32, RpcError> {
        not_asked()
    }

    fn tail(&mut self, _: &str, _: Channel, _: u32) -> Result<LogEnd, RpcError> {
        not_asked()
    }

    fn own_log(&mut self, _: u32) -> Result<LogEnd, RpcError> {
        not_asked()
    }

    fn stop(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn begin_stop(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn start(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn begin_start(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn signal(&mut self, _: &str, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn shut_down(&mut self) -> Result<(), RpcError> {
        not_asked()
    }
}
