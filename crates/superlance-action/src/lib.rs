//! What the listeners share that act on processes because of checks (memmon, httpok): [`decide`] says
//! about which processes something is to be done, from the results of checks and what is remembered of
//! earlier ones; [`action`] and [`before`] are what may be done; [`report`] has the parts of status and
//! metrics files.

pub mod action;
pub mod before;
pub mod decide;
pub mod instance;
pub mod report;
pub mod uptime;
