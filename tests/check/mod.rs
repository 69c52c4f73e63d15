//! `superlance check`, and the configuration as supervisor itself reads it.

mod command;
mod documents;
mod live;
mod oracle;
mod test_alert;
mod under_supervisord;
