//! The listener: new columns and a whole clip.
//!
//! Another runtime keeps no columns between calls. For new ones it runs over the shortest stretch of columns that
//! ends in as many new results of every layer; the means and deviations over 30 s, which it would then have to
//! put together outside, are not counted.

use std::hint::black_box;
use std::sync::Arc;

use sideman_inference::genre::CLIP_COLUMNS;
use sideman_inference::genre::audio::MelClassifier;
use sideman_inference::genre::audio::{ListenerKernel, ListenerStream};
use sideman_nets::genre::fold;
use sideman_nets::nn::{Network, Parameters};
use tract_onnx::prelude::*;

use super::file::Graph;
use super::{Result, each, median};

/// New results of the last layer.
const RESULTS: usize = 4;
/// Times that each is measured.
const TURNS: usize = 60;

/// Columns that so many results of the last layer are made of.
fn stretch(config: &MelClassifier, results: usize) -> usize {
    config.stages.iter().rev().fold(results + 2, |columns, stage| columns * stage.pool.1 + 2)
}

pub(crate) fn measure() -> Result<()> {
    let config = MelClassifier::product(10);
    let fresh = Parameters::fresh(&config.specs(), 1)?;
    let tensors = fold(&config, &fresh)?;
    let kernel = Arc::new(sideman_nets::genre::kernel_of(&config, &fresh)?);
    let new = RESULTS * config.stages.iter().map(|s| s.pool.1).product::<usize>();
    let columns: Vec<f32> = (0..config.bands * CLIP_COLUMNS).map(|i| (i as f32 * 0.37).sin()).collect();
    let mut stream = ListenerStream::new(kernel, CLIP_COLUMNS, 32);
    let mut tract = vec![];
    for count in [stretch(&config, RESULTS), CLIP_COLUMNS] {
        let graph = Graph::listener(&config, &tensors, count);
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("listener-{count}.onnx"));
        std::fs::write(&path, graph.bytes()).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        println!("the listener over {count} columns as ONNX, f32: {}", path.display());
        let runnable = onnx().model_for_read(&mut &graph.bytes()[..])?.into_optimized()?.into_runnable()?;
        let bands: Vec<f32> = (0..config.bands)
            .flat_map(|band| columns.chunks_exact(config.bands).take(count).map(move |c| c[band]))
            .collect();
        let x: TValue = Tensor::from_shape(&graph.inputs[0].1, &bands)?.into();
        // The same numbers, or the figures mean nothing.
        let said = runnable.run(tvec![x.clone()])?;
        let said = said[0].to_plain_array_view::<f32>()?.iter().copied().collect::<Vec<f32>>();
        stream.reset();
        stream.push(&columns[..count * config.bands]);
        let own = stream.logits().ok_or("too few columns")?;
        let apart = own.iter().zip(&said).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if apart > 1e-3 {
            return Err(format!("tract and the kernel are {apart} apart").into());
        }
        tract.push((count, runnable, x));
    }
    let mut times = [const { vec![] }; 4];
    for _ in 0..TURNS {
        times[0].push(each(4, || {
            stream.push(&columns[..new * config.bands]);
            black_box(stream.logits());
            Ok(())
        })?);
        times[1].push(each(1, || {
            stream.reset();
            stream.push(&columns);
            black_box(stream.logits());
            Ok(())
        })?);
        for (i, (_, runnable, x)) in tract.iter().enumerate() {
            times[2 + i].push(each(1, || {
                black_box(runnable.run(tvec![x.clone()])?);
                Ok(())
            })?);
        }
    }
    let [own, own_clip, other, other_clip] = times.map(median);
    println!("medians of {TURNS} turns");
    println!(
        "{new} new columns of the listener: {own:.0} us; tract over the {} that yield the same: {other:.0} us, {:.2} times",
        tract[0].0,
        other / own
    );
    println!(
        "a clip of {CLIP_COLUMNS} columns: {own_clip:.0} us; tract {other_clip:.0} us, {:.2} times",
        other_clip / own_clip
    );
    Ok(())
}
