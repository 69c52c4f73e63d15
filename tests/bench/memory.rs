//! What listeners occupy, in megabytes: when they wait for their first event, and after work.

use crate::plug::Plug;
use crate::rows::{Bench, LISTENERS};
use crate::table::{Row, Target};

/// The memory of a process.
#[derive(Clone, Copy)]
pub(crate) struct Occupied {
    /// Resident, with what it shares.
    rss: f64,
    /// Its own share.
    pss: f64,
    /// Written by it, and in no file.
    anonymous: f64,
}

impl Occupied {
    /// By a listener as soon as it rests: the work may not be over with its last line in the log.
    pub(crate) fn by(plug: &Plug) -> Occupied {
        plug.wait_until_idle();
        let [rss, pss, anonymous] = ["Rss:", "Pss:", "Anonymous:"].map(|key| plug.memory(key));
        Occupied { rss, pss, anonymous }
    }
}

impl Bench {
    /// Of listeners that wait for their first event, alone and all six at a time.
    pub(crate) fn idle(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let idle =
            |who, (name, args): (&str, &[&str])| self.plug(who, name, args, "unix:///nonexistent");
        for listener in LISTENERS {
            let mut occupied: [Vec<Occupied>; 2] = Default::default();
            for _ in 0..3 {
                for (who, occupied) in occupied.iter_mut().enumerate() {
                    occupied.push(Occupied::by(&idle(who, listener)));
                }
            }
            let name = listener.0;
            let [mut rss, anonymous] = rows_of(&format!("{name} waits"), &occupied);
            rss.headline = name == "memmon";
            rows.push(rss.target(Target::Better(9.0)));
            rows.push(anonymous.target(Target::Better(50.0)));
        }
        let mut six: [Vec<f64>; 3] = Default::default();
        for _ in 0..3 {
            for who in [0, 1] {
                let plugs = LISTENERS.map(|listener| idle(who, listener));
                plugs.iter().for_each(Plug::wait_until_idle);
                six[who].push(plugs.iter().map(|plug| Occupied::by(plug).pss).sum());
            }
        }
        let six = Row::new("all six wait, PSS", "MB", six);
        rows.push(six.target(Target::Better(22.0)).headline());
        rows
    }
}

/// Of a listener that has worked.
pub(crate) fn after_work(what: &str, occupied: [Vec<Occupied>; 2]) -> Vec<Row> {
    let [rss, anonymous] = rows_of(what, &occupied);
    vec![rss.target(Target::Better(9.0)), anonymous.target(Target::Better(20.0))]
}

fn rows_of(what: &str, occupied: &[Vec<Occupied>; 2]) -> [Row; 2] {
    let row = |name: &str, value: fn(&Occupied) -> f64| {
        let [theirs, ours] = occupied.each_ref().map(|samples| samples.iter().map(value).collect());
        Row::new(format!("{what}, {name}"), "MB", [theirs, ours, Vec::new()])
    };
    [row("RSS", |occupied| occupied.rss), row("anonymous", |occupied| occupied.anonymous)]
}
