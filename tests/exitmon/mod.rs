//! exitmon as an event listener of a real supervisord.

mod under_supervisord;
