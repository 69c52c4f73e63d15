//! The last readings of each process, and how it grew. Pure.

use std::collections::{HashMap, VecDeque};

use superlance_core::options::units::duration_text;
use superlance_core::system::clock::{Moment, log_time};

use crate::decide::measured::Measured;

/// Characters of a sparkline, from low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Longest sparkline.
const WIDTH: usize = 60;

/// The last readings of all processes.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    /// How many are kept of each; none without `--history`.
    keep: usize,
    /// By `group:name`.
    processes: HashMap<String, History>,
}

#[derive(Debug, Default)]
struct History {
    instance: (u32, i64),
    readings: VecDeque<(Moment, u64)>,
}

/// How a process grew.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    first: (Moment, u64),
    last: (Moment, u64),
    /// Bytes in an hour, by the line that fits best.
    slope: i64,
    sparkline: String,
}

impl Histories {
    pub(crate) fn new(keep: usize) -> Self {
        Self { keep, processes: HashMap::new() }
    }

    /// Takes note of a check. A new instance of a process begins anew, who is gone is forgotten.
    pub(crate) fn note(&mut self, now: Moment, processes: &[Measured]) {
        if self.keep == 0 {
            return;
        }
        let mut before = std::mem::take(&mut self.processes);
        for process in processes {
            let name = process.namespec();
            let instance = process.instance.identity();
            let mut history = before
                .remove(&name)
                .filter(|history| history.instance == instance)
                .unwrap_or(History { instance, readings: VecDeque::new() });
            if history.readings.len() == self.keep {
                history.readings.pop_front();
            }
            history.readings.push_back((now, process.bytes));
            self.processes.insert(name, history);
        }
    }

    /// The readings of a process, the oldest first.
    pub(crate) fn readings(&self, namespec: &str) -> impl Iterator<Item = (Moment, u64)> + '_ {
        self.processes
            .get(namespec)
            .into_iter()
            .flat_map(|history| history.readings.iter().copied())
    }

    /// How a process grew, once there are two readings.
    pub(crate) fn growth(&self, namespec: &str) -> Option<Growth> {
        let readings: Vec<_> = self.readings(namespec).collect();
        let (first, last) = (*readings.first()?, *readings.last()?);
        if readings.len() < 2 {
            return None;
        }
        let bytes: Vec<u64> = readings.iter().map(|(_, bytes)| *bytes).collect();
        Some(Growth { first, last, slope: slope(&readings), sparkline: sparkline(&bytes) })
    }
}

impl Growth {
    /// For the log: a line without its beginning, which names the process.
    pub(crate) fn line(&self) -> String {
        let time = self.last.0.instant.saturating_duration_since(self.first.0.instant);
        format!(
            "went from {} to {} in {} ({:+} per hour) {}",
            self.first.1,
            self.last.1,
            duration_text(time),
            self.slope,
            self.sparkline
        )
    }

    /// For mails.
    pub(crate) fn text(&self) -> String {
        let row = |name: &str, (at, bytes): (Moment, u64)| {
            format!("{name} {bytes} bytes at {}\n", log_time(at.wall))
        };
        format!(
            "{}{}slope {:+} bytes per hour\n\n{}\n",
            row("first", self.first),
            row("last ", self.last),
            self.slope,
            self.sparkline
        )
    }
}

/// The slope in an hour of the line with the least squares; 0 when no time has passed.
fn slope(readings: &[(Moment, u64)]) -> i64 {
    let Some((first, _)) = readings.first() else { return 0 };
    let hours = |moment: &Moment| {
        moment.instant.saturating_duration_since(first.instant).as_secs_f64() / 3600.0
    };
    let points = readings.iter().map(|(moment, bytes)| (hours(moment), *bytes as f64));
    let points: Vec<(f64, f64)> = points.collect();
    let count = points.len() as f64;
    let (mean_x, mean_y) =
        points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if variance > 0.0 { (covariance / variance).round() as i64 } else { 0 }
}

/// The readings as a line of bars, from the lowest to the highest of them.
fn sparkline(bytes: &[u64]) -> String {
    // Of more readings than fit, the highest of each handful.
    let handful = bytes.len().div_ceil(WIDTH).max(1);
    let highest: Vec<u64> =
        bytes.chunks(handful).filter_map(|some| some.iter().max().copied()).collect();
    let low = highest.iter().min().copied().unwrap_or(0);
    let span = u128::from(highest.iter().max().copied().unwrap_or(0) - low).max(1);
    let bar = |bytes: &u64| {
        let index = u128::from(bytes - low) * (BARS.len() as u128 - 1) / span;
        usize::try_from(index).ok().and_then(|index| BARS.get(index)).copied().unwrap_or('█')
    };
    highest.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use proptest::prelude::*;
    use superlance_action::instance::Instance;

    use super::*;

    fn moment(begin: Instant, minutes: u64) -> Moment {
        let since = Duration::from_secs(60 * minutes);
        Moment { wall: UNIX_EPOCH + since, instant: begin + since }
    }

    fn process(pid: u32, bytes: u64) -> Measured {
        let (group, name) = ("g".to_owned(), "p".to_owned());
        let instance = Instance { group, name, pid, start: 0, uptime: 0 };
        Measured { instance, bytes, limits: vec![] }
    }

    /// Readings of one process, a minute apart.
    fn histories(keep: usize, readings: &[u64]) -> Histories {
        let (mut histories, begin) = (Histories::new(keep), Instant::now());
        for (minute, bytes) in (0..).zip(readings) {
            histories.note(moment(begin, minute), &[process(1, *bytes)]);
        }
        histories
    }

    #[test]
    fn growth_has_first_last_slope_and_a_picture() {
        let growth = histories(10, &[1000, 2000, 3000, 4000]).growth("g:p").unwrap();
        assert_eq!(growth.line(), "went from 1000 to 4000 in 3m (+60000 per hour) ▁▃▅█");
        let text = growth.text();
        assert!(text.starts_with("first 1000 bytes at 19"), "{text}");
        assert!(text.ends_with("\nslope +60000 bytes per hour\n\n▁▃▅█\n"), "{text}");
        let shrinking = histories(10, &[5, 3]).growth("g:p").unwrap();
        assert_eq!(shrinking.line(), "went from 5 to 3 in 1m (-120 per hour) █▁");
    }

    #[test]
    fn the_last_ones_are_kept_and_one_alone_is_no_growth() {
        let kept: Vec<u64> =
            histories(3, &[1, 2, 3, 4, 5]).readings("g:p").map(|(_, bytes)| bytes).collect();
        assert_eq!(kept, [3, 4, 5]);
        assert!(histories(3, &[1]).growth("g:p").is_none());
        assert_eq!(histories(0, &[1, 2]).readings("g:p").count(), 0);
    }

    #[test]
    fn a_new_instance_begins_anew_and_who_is_gone_is_forgotten() {
        let mut histories = histories(3, &[1, 2]);
        histories.note(Moment::now(), &[process(2, 7)]);
        assert_eq!(histories.readings("g:p").count(), 1);
        histories.note(Moment::now(), &[]);
        assert_eq!(histories.readings("g:p").count(), 0);
    }

    proptest! {
        #[test]
        fn a_sparkline_has_a_bar_for_each_reading_and_fits(
            bytes in prop::collection::vec(any::<u64>(), 1..500),
        ) {
            let line = sparkline(&bytes);
            let length = line.chars().count();
            prop_assert!(length <= WIDTH && (bytes.len() > WIDTH || length == bytes.len()));
            let even = bytes.iter().all(|b| *b == bytes[0]);
            prop_assert!(line.contains('▁') && (even || bytes.len() > WIDTH || line.contains('█')));
        }
    }
}
