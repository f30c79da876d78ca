//! How much memory this process has, which is the driver's process.

use std::fs;

/// Growth that is no leak, as a share and in KiB: an allocator that does not give back, caches that
/// are filling.
const SHARE: f64 = 0.2;
const SLACK: u64 = 8 * 1024;

/// Samples of the resident set, in KiB, one a second.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    samples: Vec<u64>,
}

impl Memory {
    pub(crate) fn sample(&mut self) {
        self.samples.extend(resident());
    }

    /// The usual size in the second and in the last quarter of the time; `None` for too short a time,
    /// and where there is no `/proc`.
    pub(crate) fn growth(&self) -> Option<(u64, u64)> {
        let quarter = self.samples.len() / 4;
        if quarter < 5 {
            return None;
        }
        let before = median(&self.samples[quarter..2 * quarter]);
        let after = median(&self.samples[3 * quarter..]);
        Some((before, after))
    }

    /// Whether it grew as a process that leaks does.
    pub(crate) fn leaks(&self) -> bool {
        self.growth().is_some_and(|(before, after)| {
            #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
            let allowed = before as f64 * (1.0 + SHARE) + SLACK as f64;
            #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
            let is = after as f64;
            is > allowed
        })
    }
}

fn median(samples: &[u64]) -> u64 {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples[samples.len() / 2]
}

/// `VmRSS`, in KiB.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_all_the_time_is_a_leak_and_what_fills_once_is_none() {
        let of = |samples: Vec<u64>| Memory { samples };
        let leak = of((0..100).map(|second| 50_000 + 1000 * second).collect());
        assert_eq!(leak.growth(), Some((87_000, 137_000)));
        assert!(leak.leaks());
        let fills = of((0..100)
            .map(|second| 50_000 + second.min(20) * 1000)
            .collect());
        assert!(!fills.leaks());
        assert!(!of(vec![1; 10]).leaks());
    }
}
