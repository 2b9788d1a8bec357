//! From a key to the decision that heard it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sideman_music::Pulse;

use crate::band::{Live, band_priority};
use crate::card::{BLOCK, Card, Load, RATE, as_audio_thread};
use crate::figures::{Figures, HEADS, machine};
use crate::piano::{Piano, Playing};

/// A tempo at which the steps fall anywhere in the blocks.
const BPM: f64 = 183.0;
const WARM_UP: f64 = 10.0;
/// How often the decision is looked for: what is measured is too long by up to this and a switch of threads.
const LOOK: Duration = Duration::from_micros(50);
/// Edges of the histogram in milliseconds.
const EDGES: [f64; 10] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0];

/// Measures on the machine as it is, and with a busy thread of normal priority on every core.
pub(crate) fn run(seconds: f64, ordinary: bool) -> Result<()> {
    println!(
        "from the call of process() that brings a key, struck exactly on a step's decision point, until that step is\n\
         decided; blocks of {BLOCK} at {RATE} Hz, live-paced at {BPM} BPM; milliseconds:"
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (name, threads) in [("nothing else to do", 0), ("all cores loaded", cores)] {
        let load = Load::on(threads);
        let mut live = Live::new(BPM, false, ordinary);
        let (took, priority, overruns, longest) = as_audio_thread(|priority| {
            let (took, overruns, longest) = decisions(&mut live, seconds);
            (took, priority.to_owned(), overruns, longest)
        });
        drop(load);
        ensure!(!took.is_empty(), "nothing was decided");
        let band = band_priority();
        println!(
            "\n{name}: {} keys; priority of the audio thread: {priority}, of the band's: {band}",
            took.len()
        );
        println!("{}; {overruns} blocks came too late; longest decision of late: {longest} us", machine());
        let figures = Figures::new(took);
        println!("{HEADS}\n{}", figures.line(3));
        print!("{}", figures.histogram(&EDGES, "ms"));
    }
    Ok(())
}

/// Milliseconds from each key to its decision, blocks that were too late, and the band's own longest decision in
/// microseconds.
fn decisions(live: &mut Live, seconds: f64) -> (Vec<f64>, u64, u32) {
    let (piano, mut card) = (Piano::exact(), Card::new());
    let mut playing = Playing::new(&piano, BPM);
    let mut waiting: VecDeque<(Pulse, Instant)> = VecDeque::new();
    let mut took = Vec::new();
    let blocks = ((WARM_UP + seconds) * RATE / f64::from(BLOCK)) as u64;
    for _ in 0..blocks {
        let sample = card.sample();
        card.wait();
        let began = Instant::now();
        live.block(&mut playing, sample, |key| {
            if key.velocity > 0 && sample as f64 >= WARM_UP * RATE {
                waiting.push_back((key.at, began));
            }
        });
        while let Some(&(at, began)) = waiting.front() {
            if live.shared.status().decided >= at {
                took.push(began.elapsed().as_secs_f64() * 1000.0);
                waiting.pop_front();
            } else if Instant::now() + LOOK >= card.due() {
                break;
            } else {
                std::thread::sleep(LOOK);
            }
        }
    }
    let longest = live.shared.status().decision_us;
    // What was not decided by the end took at least as long.
    took.extend(waiting.iter().map(|(_, began)| began.elapsed().as_secs_f64() * 1000.0));
    (took, card.overruns, longest)
}
