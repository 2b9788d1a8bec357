//! What was measured, in words.

use std::fmt::Write as _;

/// Values in order of size.
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self(values)
    }

    /// The value that a share of all, 0 to 1, does not exceed; not a number when there are none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(place.clamp(1, self.0.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// p50, p99, p99.9 and the greatest, with so many decimals.
    pub(crate) fn line(&self, decimals: usize) -> String {
        let mut line = String::new();
        for share in [0.5, 0.99, 0.999, 1.0] {
            let _ = write!(line, " {:>9.decimals$}", self.quantile(share));
        }
        line
    }

    /// How many values lie in each of the intervals between these edges, below and above them.
    pub(crate) fn histogram(&self, edges: &[f64], unit: &str) -> String {
        let mut text = String::new();
        let mut below = 0;
        let total = self.0.len().max(1);
        for i in 0..=edges.len() {
            let upto = edges.get(i).map_or(self.0.len(), |e| self.0.partition_point(|v| v < e));
            let count = upto - below;
            below = upto;
            let low = if i == 0 { 0.0 } else { edges[i - 1] };
            let high = edges.get(i).map_or("     ".to_owned(), |e| format!("{e:>5}"));
            let bar = "#".repeat((count * 60).div_ceil(total));
            let _ = writeln!(text, "  {low:>5} to {high} {unit} {count:>8} {bar}");
        }
        text
    }
}

/// Heads of [`Figures::line`].
pub(crate) const HEADS: &str = "       p50       p99     p99.9   longest";

/// The machine and how busy it is.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
    format!("{cores} cores ({}), load average {load}", model.trim_start_matches([' ', '\t', ':']))
}

/// Seconds of processor time of this thread.
pub(crate) fn thread_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written where it lives.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Seconds of processor time of this process, all threads.
pub(crate) fn process_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written where it lives.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// BandHistory of this process that is resident, in MB.
pub(crate) fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
