//! When a webhook that did not arrive is tried again.

/// How often a webhook is tried, the first time included: the queue's `maxReceiveCount` in infra/template.yaml.
pub const TRIES: u32 = 19;

/// The first pause, in seconds.
const FIRST_PAUSE: u32 = 30;
/// The longest pause, in seconds.
const LONGEST_PAUSE: u32 = 2 * 60 * 60;

/// How many seconds to wait after the `tries`-th try, counted from 1: half a minute, then twice as long each time, two hours at most. All
/// of them together are a day, less an hour or two.
pub fn pause_after(tries: u32) -> u32 {
    let doublings = tries.saturating_sub(1).min(16);
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_try_comes_almost_a_day_after_the_first() {
        let pauses: Vec<u32> = (1..TRIES).map(pause_after).collect();
        assert_eq!(pauses[..9], [30, 60, 120, 240, 480, 960, 1920, 3840, 7200]);
        let hours = pauses.iter().sum::<u32>() / 3600;
        assert!((21..24).contains(&hours), "{hours}");
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
        assert_eq!(pause_after(0), FIRST_PAUSE);
    }
}
