//! What stands where a listener has no need of supervisord, or of a mailer.

use crate::mail::{Mail, Mailer};
use crate::supervisor::{ProcessInfo, RpcError, Supervisor};

/// A supervisord that is never asked and a mailer that is never given anything.
///
/// The listeners that only send mail must also work where supervisord serves no RPC.
pub struct Unneeded;

fn not_asked<T>() -> Result<T, RpcError> {
    Err(RpcError::Unreachable("this listener has no connection to supervisord".to_owned()))
}

impl Supervisor for Unneeded {
    fn all(&mut self) -> Result<Vec<ProcessInfo>, RpcError> {
        not_asked()
    }

    fn info(&mut self, _: &str) -> Result<ProcessInfo, RpcError> {
        not_asked()
    }

    fn stop(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn start(&mut self, _: &str) -> Result<(), RpcError> {
        not_asked()
    }

    fn signal(&mut self, _: &str, _: &str) -> Result<(), RpcError> {
        not_asked()
    }
}

impl Mailer for Unneeded {
    fn send(&mut self, _: Mail, _: Option<String>) {}
}
