//! A step of the band and a second of the listener beside the same networks in another runtime, tract, in turns; and
//! the networks as ONNX files, for runtimes that are not Rust. `cargo bench -p sideman-nets --features runtimes --bench runtimes`.
//!
//! The other runtime has the better of it: it computes the trunk and each head once, while the band's step also
//! writes its inputs, draws, and computes a head again for each note of a chord and for what is played early.

mod file;
mod listener;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use sideman_inference::band::{Band, Dials, NeuralBand, Rests, StepContext, StepPosition};
use sideman_inference::weights;
use sideman_music::PianoFrame;
use tract_onnx::prelude::*;

/// A piano that strikes a triad on every beat and moves on every bar.
fn context(step: i64) -> StepContext {
    let root = [48u8, 53, 55, 45][(step / 16 % 4) as usize];
    let pcs = [0, 4, 7].iter().fold(0u16, |m, i| m | 1 << ((root + i) % 12));
    let struck = step % 4 == 0;
    StepContext {
        place: StepPosition {
            step,
            in_bar: (step % 16) as u16,
            bar: step / 16,
            bar_steps: 16,
            half_steps: 8,
        },
        heard: PianoFrame {
            sounding: pcs,
            struck: if struck { pcs } else { 0 },
            lowest: root,
            highest: root + 19,
            struck_lowest: if struck { root } else { 255 },
            struck_highest: if struck { root + 19 } else { 0 },
            struck_count: if struck { 4 } else { 0 },
            velocity: if struck { 80 } else { 0 },
            keys: 4,
        },
        parts: [true; 4],
        bpm: 120.0,
        dials: Dials::default(),
        rests: Rests::default(),
        forced: None,
    }
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

/// Microseconds a call.
fn each(n: u32, mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..n {
        f()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(n))
}

fn main() -> Result<()> {
    let loaded = weights::embedded()?;
    let (config, values) = weights::read_tensors(weights::EMBEDDED)?;
    let graph = file::Graph::band(&config, &values);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("band.onnx");
    std::fs::write(&path, graph.bytes()).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    println!("the network as ONNX, f32: {}", path.display());

    let network = onnx().model_for_read(&mut &graph.bytes()[..])?.into_optimized()?.into_runnable()?;
    let mut inputs: Vec<TValue> = vec![];
    for (name, shape) in &graph.inputs {
        // Flags and the like; not zeros, which could be had for less.
        let ones = shape[1].div_ceil(3);
        let row: Vec<f32> = (0..shape[1]).map(|i| if i < ones && name != "h" { 1.0 } else { 0.1 }).collect();
        inputs.push(Tensor::from_shape(shape, &row)?.into());
    }
    let state = |name: &str| graph.inputs.iter().position(|i| i.0 == name).ok_or("no such input");
    let (h, c) = (state("h")?, state("c")?);
    let mut tract = || -> Result<()> {
        // The state is carried: the first two outputs are h and c.
        let mut out = network.run(inputs.iter().cloned().collect())?;
        inputs[c] = out.remove(1);
        inputs[h] = out.remove(0);
        black_box(&out);
        Ok(())
    };

    let mut band = NeuralBand::new(loaded.kernel.clone(), &loaded.styles[0].code, 1);
    let mut step = 0;
    let mut own = || -> Result<()> {
        step += 1;
        black_box(band.decide(&context(step)));
        Ok(())
    };

    let mut times = [vec![], vec![]];
    for _ in 0..300 {
        times[0].push(each(40, &mut own)?);
        times[1].push(each(20, &mut tract)?);
    }
    let [own, tract] = times.map(median);
    println!("medians of 300 turns, {} instructions", loaded.kernel.instructions());
    println!(
        "a step of the band: {own:.1} us; tract, its network alone: {tract:.1} us, {:.2} times",
        tract / own
    );
    listener::measure()
}
