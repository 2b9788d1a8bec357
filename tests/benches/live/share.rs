//! What share of a core instances take while the band plays.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::card::{BLOCK, Card, RATE, as_audio_thread};
use crate::clap_host::{Bundle, transport};
use crate::figures::{process_seconds, thread_seconds};
use crate::piano::{Piano, Playing};

const BPM: f64 = 120.0;
const WARM_UP: f64 = 5.0;

/// Measures each case in a process of its own.
pub(crate) fn run(sideman: &Path, empty: &Path, seconds: f64) -> Result<()> {
    println!(
        "share of one core, in percent, in blocks of {BLOCK} at {RATE} Hz, live-paced at {BPM} BPM, {seconds} s each, all\n\
         instances on one audio thread; the empty plugin shows what this host itself takes:"
    );
    println!("{:<40} {:>9} {:>13} {:>13}", "", "all", "audio thread", "other threads");
    for (name, library, instances, stopped) in [
        ("one empty plugin", empty, 1, false),
        ("eight empty plugins", empty, 8, false),
        ("one Sideman, playing", sideman, 1, false),
        ("eight Sidemen, playing", sideman, 8, false),
        ("one Sideman, transport stopped", sideman, 1, true),
        ("eight Sidemen, transport stopped", sideman, 8, true),
    ] {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("share-of").arg(library).arg(instances.to_string()).arg(seconds.to_string());
        if stopped {
            child.arg("--stopped");
        }
        let output = child.output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        println!("{name:<40} {}", String::from_utf8_lossy(&output.stdout).trim_end());
    }
    Ok(())
}

/// One case, in this process.
pub(crate) fn one(library: &Path, instances: usize, seconds: f64, stopped: bool) -> Result<()> {
    let bundle = Bundle::load(library)?;
    let mut all = (0..instances).map(|_| bundle.start()).collect::<Result<Vec<_>>>()?;
    let (wall, process, audio, overruns) = as_audio_thread(|_| -> Result<_> {
        let (piano, mut card) = (Piano::calm(), Card::new());
        let mut playing = Playing::new(&piano, BPM);
        let mut began = None;
        let warm_up = (WARM_UP * RATE / f64::from(BLOCK)) as u64;
        let blocks = warm_up + (seconds * RATE / f64::from(BLOCK)) as u64;
        for block in 0..blocks {
            let sample = card.sample();
            card.wait();
            if block == warm_up {
                began = Some((Instant::now(), process_seconds(), thread_seconds()));
            }
            let transport = transport(&playing, sample, BPM, !stopped);
            if !stopped {
                playing.until(sample + u64::from(BLOCK), |at, key| {
                    all.iter_mut().for_each(|i| i.key((at - sample) as u32, key));
                });
            }
            for instance in &mut all {
                instance.process(sample, &transport)?;
            }
        }
        let (clock, process, audio) = began.context("no block was measured")?;
        let wall = clock.elapsed().as_secs_f64();
        Ok((wall, process_seconds() - process, thread_seconds() - audio, card.overruns))
    })?;
    let percent = |seconds: f64| seconds / wall * 100.0;
    println!("{:>9.2} {:>13.2} {:>13.2}", percent(process), percent(audio), percent(process - audio));
    if overruns > 0 {
        println!("{:<40} {overruns} blocks came too late", "");
    }
    drop(all);
    Ok(())
}
