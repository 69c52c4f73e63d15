//! Times as the original prints them: local, by `TZ` or `/etc/localtime`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, Offset as _, Utc};
use tz::TimeZone;

/// A moment on both clocks: the wall clock for texts, the monotonic clock for durations.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub wall: SystemTime,
    pub instant: Instant,
}

impl Moment {
    #[must_use]
    pub fn now() -> Self {
        Self { wall: SystemTime::now(), instant: Instant::now() }
    }

    /// The moment after `time`. A longer time than can be counted is a century.
    #[must_use]
    pub fn after(self, time: Duration) -> Instant {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.instant.checked_add(time).unwrap_or(self.instant + century)
    }
}

/// Seconds since 1970; 0 for a time before.
#[must_use]
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// As Python's `time.asctime()` and `time.strftime('%Z')`: `Sun Nov  2 17:04:24 2026 CET`.
#[must_use]
pub fn asctime_and_zone(time: SystemTime) -> String {
    let (local, zone) = local(time);
    format!("{} {zone}", local.format("%a %b %e %H:%M:%S %Y"))
}

/// As supervisor's `childutils.get_asctime`: `2026-11-02 17:04:24,123`.
#[must_use]
pub fn log_time(time: SystemTime) -> String {
    local(time).0.format("%Y-%m-%d %H:%M:%S,%3f").to_string()
}

/// The day in UTC: `2026-11-02`.
#[must_use]
pub fn utc_day(time: SystemTime) -> String {
    let seconds = i64::try_from(unix_seconds(time)).unwrap_or(i64::MAX);
    let time = DateTime::<Utc>::from_timestamp(seconds, 0);
    time.map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// Local time and the zone's abbreviation, which chrono does not know; UTC where there is no zone.
fn local(time: SystemTime) -> (DateTime<FixedOffset>, String) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    let zone = match std::env::var("TZ") {
        Ok(name) => TimeZone::from_posix_tz(&name),
        Err(_) => TimeZone::local(),
    };
    let zone = zone.unwrap_or_else(|_| TimeZone::utc());
    let kind = zone.find_local_time_type(seconds);
    let (offset, name) =
        kind.map_or((0, ""), |kind| (kind.ut_offset(), kind.time_zone_designation()));
    // UTC has no name in tz-rs.
    let name = if name.is_empty() { "UTC" } else { name };
    let utc = DateTime::from_timestamp(seconds, since.subsec_nanos()).unwrap_or_default();
    let offset = FixedOffset::east_opt(offset).unwrap_or_else(|| Utc.fix());
    (utc.with_timezone(&offset), name.to_owned())
}
