//! Checkpoints that are damaged or foreign.

use sideman_trainer::recipes::band::{self, Checkpoint, TrainArgs, network_of};
use sideman_trainer::train::CheckpointError;

use crate::bench::{Bench, files, last, message};

/// Cuts and altered bytes of a file: its header, its middle and its end.
fn damages(good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let cuts = [0, 1, 7, 8, 100, header - 1, header, header + 1, good.len() / 2, good.len() - 1];
    let cut = cuts.map(|n| (format!("cut to {n}"), good[..n].to_vec()));
    let places =
        (0..header).step_by(61).chain((header..good.len()).step_by(good.len() / 40)).chain([good.len() - 1]);
    let altered = places.map(|i| {
        let mut bytes = good.to_vec();
        bytes[i] ^= 0x11;
        (format!("byte {i} altered"), bytes)
    });
    let mut longer = good.to_vec();
    longer.push(0);
    cut.into_iter().chain(altered).chain([("a byte too many".to_owned(), longer)]).collect()
}

#[test]
fn damage_is_told_and_left_alone() {
    let bench = Bench::new();
    let run = bench.train("run");
    let path = run.join("last.safetensors");
    let good = std::fs::read(&path).unwrap();
    for (what, bytes) in damages(&good) {
        std::fs::write(&path, &bytes).unwrap();
        let error = Checkpoint::load(&path).err().unwrap_or_else(|| panic!("{what} went unnoticed"));
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{what}: {error}");
    }

    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    let before = files(&run);
    let error = message(band::run(&TrainArgs { resume: true, ..bench.args("run") }));
    assert!(error.contains("last.safetensors is not a checkpoint of this trainer"), "{error}");
    assert!(error.contains("remove it to start anew"), "{error}");
    let error = message(band::run(&bench.args("run")));
    assert!(error.contains("holds a run already"), "{error}");
    assert_eq!(files(&run), before, "nothing was overwritten");
}

#[test]
fn foreign_files_are_told() {
    let bench = Bench::new();
    let path = bench.path("foreign.safetensors");
    let reason = || Checkpoint::load(&path).err().unwrap().to_string();
    let one = candle_core::Tensor::zeros(3, candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
    candle_core::safetensors::save(&[("w", one)].into_iter().collect(), &path).unwrap();
    assert!(reason().contains("it has no progress"), "{}", reason());
    std::fs::write(&path, "MThd").unwrap();
    assert!(reason().contains("is not a checkpoint"), "{}", reason());
    std::fs::remove_file(&path).unwrap();
    assert!(reason().contains("cannot read the checkpoint"), "{}", reason());
}

#[test]
fn a_checkpoint_comes_back_as_it_was_saved() {
    let bench = Bench::new();
    let run = bench.train("run");
    let checkpoint = last(&run);
    let copy = bench.path("copy.safetensors");
    checkpoint.save(&copy).unwrap();
    let again = Checkpoint::load(&copy).unwrap();
    assert_eq!(crate::bench::bits(&again), crate::bench::bits(&checkpoint));
    assert_eq!(again.config, checkpoint.config);
    assert_eq!((again.mean, again.deviation), (checkpoint.mean.clone(), checkpoint.deviation.clone()));
    assert!(!bench.path("copy.partial").exists());

    // Tensors that do not fit the sizes are refused.
    network_of(&checkpoint).unwrap();
    let mut larger = checkpoint;
    larger.config.network.hidden += 1;
    assert!(message(network_of(&larger)).contains("lstm.wx"), "the tensor is named");
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_older_one() {
    let bench = Bench::new();
    let checkpoint = last(&bench.train("run"));
    let error = checkpoint.save(&bench.path("nowhere/last.safetensors")).unwrap_err();
    assert!(error.to_string().contains("cannot write the checkpoint"), "{error}");
}
