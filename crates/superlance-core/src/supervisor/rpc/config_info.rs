//! What supervisord knows of the configuration of its processes (`getAllConfigInfo`).

use litemap::LiteMap;
use xmlrpc::{Request, Value};

use super::answer::{integer, parse_plain};
use super::{ALL, CallError, RpcClient};
use crate::supervisor::RpcError;
use crate::system::order;

/// The configuration of a process, as supervisord has read it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigInfo {
    pub group: String,
    pub name: String,
    /// All values as texts: `True`, `10`, `[0, 2]`.
    pub values: LiteMap<String, String>,
}

impl RpcClient {
    /// All processes that supervisord has in its configuration.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub fn config_info(&mut self) -> Result<Vec<ConfigInfo>, RpcError> {
        let request = Request::new("supervisor.getAllConfigInfo");
        self.ask(&request, &ALL)
            .and_then(|answer| {
                let value = parse_plain(&request, answer)?;
                let all = value.as_array().and_then(|all| all.iter().map(config_info).collect());
                all.ok_or_else(|| CallError::Answer("expected a list of processes".to_owned()))
            })
            .map_err(|error| self.explain(error))
    }
}

fn config_info(value: &Value) -> Option<ConfigInfo> {
    let Value::Struct(values) = value else { return None };
    let values = values.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?)));
    let values: LiteMap<_, _> = order::map(values);
    Some(ConfigInfo {
        group: values.get("group")?.clone(),
        name: values.get("name")?.clone(),
        values,
    })
}

/// A value as Python prints it; `None` for what no configuration has.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Array(values) => {
            let values: Option<Vec<_>> = values.iter().map(text).collect();
            Some(format!("[{}]", values?.join(", ")))
        }
        other => integer(other).map(|number| number.to_string()),
    }
}
