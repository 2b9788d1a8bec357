//! Says what a file holds.

use std::fmt::Write;

use anyhow::{Context, Result};
use sideman_inference::weights::{Card, card};
use sideman_music::smf::MidiFile;
use sideman_music::summary::Summary;

use crate::args::InspectArgs;
use crate::render::read_input;

/// First bytes of a weights file.
const GGUF: &[u8] = b"GGUF";

/// The text to print for a MIDI file or a weights file.
pub(crate) fn inspect(args: &InspectArgs) -> Result<String> {
    let bytes = read_input(&args.file)?;
    let cannot = || format!("cannot read {}", args.file.display());
    if bytes.starts_with(GGUF) {
        let card = card(&bytes).with_context(cannot)?;
        return Ok(if args.json { serde_json::to_string_pretty(&card)? } else { describe(&card)? });
    }
    let file = MidiFile::parse(&bytes).with_context(cannot)?;
    let summary = Summary::of(&file);
    Ok(if args.json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() })
}

/// The card as text: a field a line, lists indented below their name.
fn describe(card: &Card) -> Result<String> {
    let mut out = format!("Sideman weights '{}'\n", card.name);
    let facts = [
        ("what", card.description.clone()),
        ("size", format!("{} parameters, {}", card.parameters, card.quantisation)),
        ("licence", card.licence.clone()),
        ("training", card.training.clone()),
        ("made by", format!("version {}, commit {}, seed {}", card.version, card.commit, card.seed)),
        ("sha256", card.sha256.clone()),
    ];
    for (name, value) in facts {
        writeln!(out, "{name:<9} {value}")?;
    }
    for (name, lines) in [("data", &card.data), ("scores", &card.scores), ("commands", &card.commands)] {
        writeln!(out, "{name}")?;
        for line in lines {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(out)
}
