//! What a block costs the audio thread.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::card::{BLOCK, Card, RATE, as_audio_thread};
use crate::clap_host::{Bundle, Instance, transport};
use crate::figures::{Figures, HEADS, thread_seconds};
use crate::piano::{Piano, Playing};

const BPM: f64 = 120.0;
/// Seconds before it counts: the band enters, and everything has been touched once.
const WARM_UP: f64 = 10.0;

struct Row {
    name: &'static str,
    instance: Instance,
    /// Microseconds on the clock and of processor time.
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

/// Times the call of `process` of three instances, one after another in every block, live-paced.
pub(crate) fn run(sideman: &Path, empty: &Path, seconds: f64) -> Result<()> {
    let (sideman, empty) = (Bundle::load(sideman)?, Bundle::load(empty)?);
    // With room for all, touched: growing would cost the plugins their place in the caches.
    let room = vec![1.0; (seconds * RATE / f64::from(BLOCK)) as usize + 1];
    let row = |name, instance| Row { name, instance, wall: room.clone(), cpu: room.clone() };
    let mut rows = [
        row("empty plugin", empty.start()?),
        row("Sideman, sound off", sideman.start()?),
        row("Sideman, sound on", sideman.start()?),
    ];
    rows[1].instance.set("Sound", 0.0)?;
    let blocks = ((WARM_UP + seconds) * RATE / f64::from(BLOCK)) as u64;
    rows.iter_mut().for_each(|row| {
        row.wall.clear();
        row.cpu.clear();
    });
    let (rows, priority, overruns) = as_audio_thread(|priority| -> Result<_> {
        let (piano, mut card) = (Piano::calm(), Card::new());
        let mut playing = Playing::new(&piano, BPM);
        for _ in 0..blocks {
            let sample = card.sample();
            card.wait();
            let transport = transport(&playing, sample, BPM, true);
            playing.until(sample + u64::from(BLOCK), |at, key| {
                rows.iter_mut().for_each(|row| row.instance.key((at - sample) as u32, key));
            });
            for row in &mut rows {
                let (cpu, wall) = (thread_seconds(), Instant::now());
                row.instance.process(sample, &transport)?;
                let (wall, cpu) = (wall.elapsed().as_secs_f64(), thread_seconds() - cpu);
                if sample as f64 >= WARM_UP * RATE {
                    row.wall.push(wall * 1e6);
                    row.cpu.push(cpu * 1e6);
                }
                row.instance.listen();
            }
        }
        Ok((rows, priority.to_owned(), card.overruns))
    })?;
    println!(
        "process() of a block of {BLOCK} at {RATE} Hz through CLAP, live-paced at {BPM} BPM, {} blocks,\n\
         audio thread: {priority}, {overruns} blocks came too late; microseconds:",
        rows[0].wall.len()
    );
    println!("{:<34}{HEADS}", "");
    for row in &rows {
        println!("{:<34}{}", format!("{}, on the clock", row.name), Figures::new(row.wall.clone()).line(2));
    }
    for row in &rows {
        println!("{:<34}{}", format!("{}, processor time", row.name), Figures::new(row.cpu.clone()).line(2));
    }
    for row in &rows[1..] {
        println!("{}: {} notes of the band, peak {:.3}", row.name, row.instance.notes, row.instance.peak);
        ensure!(row.instance.notes > 0, "the band did not play");
    }
    ensure!(rows[2].instance.peak > 0.0 && rows[1].instance.peak == 0.0, "the sound was not on, or not off");
    Ok(())
}
