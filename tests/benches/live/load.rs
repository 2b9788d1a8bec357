//! How long it takes until the first block has been processed, and what memory it takes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::card::{BLOCK, Card, RATE};
use crate::figures::{Figures, resident_mb};
use crate::piano::{Piano, Playing};
use crate::{clap_host, vst3_host};

/// A plugin format.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

/// Seconds of music before memory is looked at again.
const MUSIC: f64 = 5.0;
/// What the line of a case begins with.
const FIGURES: &str = "figures:";

/// Measures each case some times, each time in a process of its own.
pub(crate) fn run(sideman: &Path, empty: &Path, rounds: usize) -> Result<()> {
    println!(
        "from loading the library to the end of the first block, milliseconds, and what memory is resident more than\n\
         before, MB, after that block and after {MUSIC} s at the pace of music; median of {rounds} processes each, the\n\
         files being in the system's cache; the library of Sideman is {:.1} MB:",
        std::fs::metadata(sideman)?.len() as f64 / 1048576.0
    );
    println!(
        "{:<22} {:>9} {:>9} {:>12} {:>9} {:>11} {:>11}",
        "", "library", "instances", "first block", "in all", "first block", "playing"
    );
    for (name, library, format, instances) in [
        ("CLAP, one empty", empty, Format::Clap, 1),
        ("CLAP, one", sideman, Format::Clap, 1),
        ("CLAP, eight", sideman, Format::Clap, 8),
        ("VST3, one", sideman, Format::Vst3, 1),
        ("VST3, eight", sideman, Format::Vst3, 8),
    ] {
        let mut columns: [Vec<f64>; 6] = Default::default();
        for _ in 0..rounds {
            let mut child = Command::new(std::env::current_exe()?);
            child.arg("load-of").arg(library).arg(format!("{format:?}").to_lowercase());
            let output = child.arg(instances.to_string()).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            // The VST3 wrapper writes lines of its own.
            let text = String::from_utf8_lossy(&output.stdout);
            let (_, figures) = text.rsplit_once(FIGURES).context("the process measured nothing")?;
            for (column, word) in columns.iter_mut().zip(figures.split_whitespace()) {
                column.push(word.parse()?);
            }
        }
        let [library, instances, block, all, first, playing] = columns.map(|c| Figures::new(c).median());
        println!(
            "{name:<22} {library:>9.1} {instances:>9.1} {block:>12.2} {all:>9.1} {first:>11.1} {playing:>11.1}"
        );
    }
    Ok(())
}

/// What the two formats have in common here.
trait Played {
    fn block(&mut self, playing: &mut Playing<'_>, sample: u64) -> Result<()>;
}

impl Played for Vec<clap_host::Instance> {
    fn block(&mut self, playing: &mut Playing<'_>, sample: u64) -> Result<()> {
        let transport = clap_host::transport(playing, sample, 120.0, true);
        playing.until(sample + u64::from(BLOCK), |at, key| {
            self.iter_mut().for_each(|i| i.key((at - sample) as u32, key));
        });
        self.iter_mut().try_for_each(|i| i.process(sample, &transport))
    }
}

impl Played for Vec<vst3_host::Instance> {
    fn block(&mut self, _playing: &mut Playing<'_>, sample: u64) -> Result<()> {
        self.iter().try_for_each(|i| i.process(sample))
    }
}

/// One case, in this process: prints the columns.
pub(crate) fn one(library: &Path, format: Format, instances: usize) -> Result<()> {
    let (before, began) = (resident_mb(), Instant::now());
    let (mut all, loaded): (Box<dyn Played>, Duration) = match format {
        Format::Clap => {
            let bundle = clap_host::Bundle::load(library)?;
            let loaded = began.elapsed();
            (Box::new((0..instances).map(|_| bundle.start()).collect::<Result<Vec<_>>>()?), loaded)
        }
        Format::Vst3 => {
            let bundle = vst3_host::Bundle::load(library)?;
            let loaded = began.elapsed();
            (Box::new((0..instances).map(|_| bundle.start()).collect::<Result<Vec<_>>>()?), loaded)
        }
    };
    let started = began.elapsed();
    let piano = Piano::calm();
    let mut playing = Playing::new(&piano, 120.0);
    all.block(&mut playing, 0)?;
    let done = began.elapsed();
    let first = resident_mb() - before;
    let mut card = Card::new();
    card.wait();
    while (card.sample() as f64) < MUSIC * RATE {
        let sample = card.sample();
        card.wait();
        all.block(&mut playing, sample)?;
    }
    let playing = resident_mb() - before;
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    println!(
        "{FIGURES} {} {} {} {} {first} {playing}",
        ms(loaded),
        ms(started - loaded),
        ms(done - started),
        ms(done)
    );
    Ok(())
}
