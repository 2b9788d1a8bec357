//! What became of the files of a corpus.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of a set of a corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetReport {
    /// Files listed or found.
    pub files: usize,
    /// Songs kept, by split.
    pub kept: BTreeMap<String, usize>,
    /// Songs kept, by metre.
    pub meters: BTreeMap<String, usize>,
    /// What is odd about songs that are kept.
    pub remarks: BTreeMap<String, usize>,
    /// Files left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

/// What `prepare` did; written to `report.json` in the cache, with the files one by one in `left_out.csv`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PrepareReport {
    /// Fingerprint of data and options, hexadecimal.
    pub fingerprint: String,
    /// Whether the cache was up to date and nothing was done; the other figures are then those of the run
    /// that made it.
    #[serde(skip)]
    pub up_to_date: bool,
    /// By set.
    pub sets: BTreeMap<String, SetReport>,
    /// Songs kept, by "tier-split".
    pub songs: BTreeMap<String, usize>,
    /// Bars of the songs kept, by "tier-split".
    pub bars: BTreeMap<String, usize>,
    /// What went wrong with whole archives and folders.
    pub warnings: Vec<String>,
}

impl std::fmt::Display for PrepareReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, set) in &self.sets {
            let kept: usize = set.kept.values().sum();
            writeln!(f, "{name}: {kept} of {} files kept", set.files)?;
            for (meter, n) in &set.meters {
                writeln!(f, "    {n:6}  kept in {meter}")?;
            }
            for (remark, n) in &set.remarks {
                writeln!(f, "    {n:6}  of these: {remark}")?;
            }
            for (reason, n) in &set.left_out {
                writeln!(f, "    {n:6}  left out: {reason}")?;
            }
        }
        for (key, n) in &self.songs {
            writeln!(f, "{key}: {n} songs, {} bars", self.bars.get(key).copied().unwrap_or(0))?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
