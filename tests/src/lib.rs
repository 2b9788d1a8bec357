//! Tests that cross crates, in one binary: from a MIDI file through the engine and back, goldens, that
//! playing allocates nothing, and the plugin in real hosts.

#![cfg(test)]

mod allocation;
mod golden;
// Bundles are laid out differently elsewhere, and what is asked of processes and threads is asked of /proc.
#[cfg(target_os = "linux")]
mod hosts;
mod networks;
mod whole_way;

use sideman_music::{Note, Pulse};

/// Rounds of a test that takes long: `full` in `cargo xtask soak`, `usual` otherwise. The assertions are the same,
/// and the usual rounds cover every format, rate and block length.
fn soak(full: usize, usual: usize) -> usize {
    if std::env::var_os("SIDEMAN_SOAK").is_some() { full } else { usual }
}

fn note(onset: Pulse, pitch: u8, length: Pulse, velocity: u8) -> Note {
    Note { onset, pitch, length, velocity }
}

/// A piano for so many bars of 4/4: broken chords and a tune above them.
fn piano(bars: i64) -> Vec<Note> {
    let roots = [48, 45, 41, 43];
    let mut notes = Vec::new();
    for bar in 0..bars {
        let (root, at) = (roots[(bar % 4) as usize], bar * 1920);
        for (i, interval) in [0, 7, 12, 16].into_iter().enumerate() {
            notes.push(note(at + i as i64 * 480, root + interval, 460, 64 + (bar % 4) as u8 * 8));
        }
        for eighth in 0..8 {
            let pitch = root + [24, 28, 31, 28, 24, 26, 28, 31][eighth as usize];
            notes.push(note(at + eighth * 240 + 10, pitch, 200, 80));
        }
    }
    notes.sort_unstable();
    notes
}
