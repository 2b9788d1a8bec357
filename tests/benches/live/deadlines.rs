//! How many notes come too late while somebody plays fast for a long time.

use anyhow::{Result, ensure};

use crate::band::{Live, band_priority};
use crate::card::{BLOCK, Card, RATE, as_audio_thread};
use crate::figures::machine;
use crate::piano::{Piano, Playing};

const BPM: f64 = 200.0;

/// Plays for so long and says every minute what came too late so far.
pub(crate) fn run(minutes: f64, watched: bool, ordinary: bool) -> Result<()> {
    println!(
        "fast playing at {BPM} BPM in blocks of {BLOCK} at {RATE} Hz, live-paced, for {minutes} minutes, {}",
        if watched { "an editor being open" } else { "no editor being open" }
    );
    println!(
        "{:>7} {:>9} {:>7} {:>7} {:>7} {:>6} {:>9}",
        "minute", "notes", "late", "missed", "echoed", "lost", "overruns"
    );
    let mut live = Live::new(BPM, watched, ordinary);
    let (notes, missed, priority) = as_audio_thread(|priority| {
        let (piano, mut card) = (Piano::fast(), Card::new());
        let mut playing = Playing::new(&piano, BPM);
        let blocks = (minutes * 60.0 * RATE / f64::from(BLOCK)) as u64;
        let minute = (60.0 * RATE / f64::from(BLOCK)) as u64;
        for block in 1..=blocks {
            let sample = card.sample();
            card.wait();
            live.block(&mut playing, sample, |_| {});
            if block % minute == 0 || block == blocks {
                let (s, n) = (live.shared.status(), live.notes);
                println!(
                    "{:>7.1} {n:>9} {:>7} {:>7} {:>7} {:>6} {:>9}   {}",
                    block as f64 / minute as f64,
                    s.late,
                    s.missed,
                    s.echoed,
                    s.overflowed,
                    card.overruns,
                    machine()
                );
            }
        }
        let status = live.shared.status();
        (live.notes, status.missed, priority.to_owned())
    });
    ensure!(notes > 0, "the band did not play");
    println!(
        "priority of the audio thread: {priority}, of the band's: {}; missed: {missed} of {} notes, {:.2} in 100,000",
        band_priority(),
        notes + missed,
        missed as f64 * 1e5 / (notes + missed) as f64
    );
    Ok(())
}
