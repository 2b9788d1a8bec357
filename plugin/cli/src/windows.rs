//! P2's band, which plays window by window: its weights, which only this program carries, and how it plays along.

use anyhow::{Context, Result};
use sideman_inference::papers::p2::{Live, VaeRnn};
use sideman_music::{Note, Part};

use crate::args::BandArgs;
use crate::render::Played;

/// General MIDI programs of drums (kit), bass, guitar and strings: it knows of none.
pub(crate) const PROGRAMS: [u8; 4] = [0, 33, 25, 48];

/// The weights in the order of [`sideman_music::encoding::piano_roll::RollTrack::ALL`].
const WEIGHTS: [&[u8]; 5] = [
    include_bytes!("../../../models/weights/p2-drums.gguf"),
    include_bytes!("../../../models/weights/p2-piano.gguf"),
    include_bytes!("../../../models/weights/p2-guitar.gguf"),
    include_bytes!("../../../models/weights/p2-bass.gguf"),
    include_bytes!("../../../models/weights/p2-strings.gguf"),
];

/// The band.
pub(crate) fn band() -> Result<VaeRnn> {
    VaeRnn::load(WEIGHTS).context("the built-in weights of the VAE-RNN")
}

/// Has it play to a piano.
pub(crate) fn play(args: &BandArgs, piano: &[Note]) -> Result<Played> {
    let live = Live {
        seed: args.seed,
        temperature: args.controls().temperature,
        parts: Part::ALL.map(|p| args.parts.contains(&p)),
        ..Live::default()
    };
    Ok(Played {
        engine: "vae-rnn".to_owned(),
        style: "none".to_owned(),
        programs: PROGRAMS,
        changes: vec![],
        parts: band()?.play(piano, &live),
    })
}
