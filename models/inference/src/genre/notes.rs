//! The genre of a whole piece of notes: of a band, or of a piano alone.

use sideman_music::encoding::bar_features::piano::{SOUNDING_BARS, WINDOW_NOTES};
use sideman_music::encoding::bar_features::{
    Bar, PIANO_FEATURES, PianoBars, WINDOW_BARS, band_bars, bars, bars::notes_by_bar, piano_notes,
};
use sideman_music::{Note, Pulse, Score};

use super::answer::{Answer, Doubt, Stretch};
use super::symbolic::{BarListener, BarPool};
use super::weights::{BarWeights, InputKind};

/// Most bars of a band that are taken as one: longer pieces than training had are heard in stretches of so many.
const MOST_TOGETHER: usize = 400;
/// Fewest bars with music of a band, and fewest notes.
const LEAST_BARS: usize = 4;
const LEAST_NOTES: usize = 16;

/// What a score is listened to as: a piano alone where nothing but keyboards and tuned percussion plays, a band
/// otherwise.
pub fn hears_of(score: &Score) -> InputKind {
    let all: usize = score.tracks.iter().map(|t| t.notes.len()).sum();
    if all > 0 && piano_notes(score).len() == all { InputKind::Piano } else { InputKind::Band }
}

/// What a classifier of notes says of a piece. What it listens to follows from the weights: of a band every
/// note, of a piano the keyboards alone. Allocates; any thread but the audio thread.
pub fn of_score(weights: &BarWeights, score: &Score) -> Answer {
    match weights.head.hears {
        InputKind::Piano => of_piano(weights, score),
        _ => of_band(weights, score),
    }
}

/// A band: all bars together, and eight at a time for the timeline.
fn of_band(weights: &BarWeights, score: &Score) -> Answer {
    let found = band_bars(score);
    let count = |drums: bool| -> usize {
        score.tracks.iter().filter(|t| t.is_drums == drums).map(|t| t.notes.len()).sum()
    };
    let (drums, pitched) = (count(true), count(false));
    if found.bars.is_empty() {
        return Answer::blank(&weights.head, Some(Doubt::Silence));
    }
    // The last of the figures of a bar says whether a note begins in it.
    let sounds: Vec<bool> = found.bars.iter().map(|b| b.last().is_some_and(|&s| s > 0.0)).collect();
    let doubt = if pitched == 0 {
        Some(Doubt::DrumsAlone)
    } else if sounds.iter().filter(|&&s| s).count() < LEAST_BARS || drums + pitched < LEAST_NOTES {
        Some(Doubt::TooShort)
    } else {
        None
    };
    let mut answer = Answer::blank(&weights.head, doubt);
    let kernel = &weights.kernel;
    let (mut normal, mut units) = (vec![0.0; kernel.config().features], vec![0.0; kernel.config().hidden]);
    let (mut whole, mut window) = (BarPool::new(kernel), BarPool::new(kernel));
    let mut probabilities = vec![0.0; answer.classes.len()];
    let all = bars(&score.meters, last_onset(score) + 1);
    let (mut sum, mut taken) = (vec![0.0f64; probabilities.len()], 0usize);
    for (i, figures) in found.bars.iter().enumerate() {
        kernel.bar(figures, &mut normal, &mut units);
        whole.add(&units);
        window.add(&units);
        let last = i + 1 == found.bars.len();
        if window.bars() == WINDOW_BARS || last {
            let from = i + 1 - window.bars();
            let enough = sounds[from..=i].iter().filter(|&&s| s).count() >= LEAST_BARS;
            let probabilities = enough.then(|| {
                kernel.classify(&mut window, weights.head.temperature, &mut probabilities);
                probabilities.clone()
            });
            answer.timeline.push(stretch(score, &all, found.first_bar + from, i + 1 - from, probabilities));
            window.clear();
        }
        if whole.bars() == MOST_TOGETHER || last {
            kernel.classify(&mut whole, weights.head.temperature, &mut probabilities);
            sum.iter_mut().zip(&probabilities).for_each(|(s, p)| *s += f64::from(*p) * whole.bars() as f64);
            taken += whole.bars();
            whole.clear();
        }
    }
    answer.probabilities = sum.iter().map(|s| (s / taken as f64) as f32).collect();
    answer
}

/// A piano: windows of eight bars one after the other, and their mean.
fn of_piano(weights: &BarWeights, score: &Score) -> Answer {
    let notes = piano_notes(score);
    let Some(last) = notes.last() else { return Answer::blank(&weights.head, Some(Doubt::Silence)) };
    let all = bars(&score.meters, last.onset + 1);
    let of_bars = notes_by_bar(&notes, &all);
    let first = of_bars.iter().position(|r| !r.is_empty()).unwrap_or(0);
    let mut answer = Answer::blank(&weights.head, None);
    let mut listener =
        BarListener::new(weights.kernel.clone(), weights.head.temperature, WINDOW_BARS, SOUNDING_BARS);
    let (mut player, mut figures) = (PianoBars::default(), [0.0; PIANO_FEATURES]);
    let (mut sum, mut windows) = (vec![0.0f64; answer.classes.len()], 0usize);
    for (i, bar) in all.iter().enumerate().skip(first) {
        let own: &[Note] = &notes[of_bars[i].clone()];
        player.push(own, bar, score.tempos.bpm_at(bar.start) as f32, &mut figures);
        let said = listener.push(&figures, !own.is_empty());
        let taken = i + 1 - first;
        let (at_end, whole) = (i + 1 == all.len(), taken.is_multiple_of(WINDOW_BARS));
        if !whole && !at_end {
            continue;
        }
        let from = i + 1 - if whole { WINDOW_BARS } else { taken % WINDOW_BARS };
        let enough = whole && of_bars[i].end - of_bars[from].start >= WINDOW_NOTES;
        let said = said.filter(|_| enough);
        if let Some(said) = said {
            sum.iter_mut().zip(said).for_each(|(s, p)| *s += f64::from(*p));
            windows += 1;
        }
        answer.timeline.push(stretch(score, &all, from, i + 1 - from, said.map(<[f32]>::to_vec)));
    }
    if windows > 0 {
        answer.probabilities = sum.iter().map(|s| (s / windows as f64) as f32).collect();
    } else {
        answer.doubt = Some(Doubt::TooShort);
    }
    answer
}

fn last_onset(score: &Score) -> Pulse {
    score.tracks.iter().filter_map(|t| t.notes.iter().map(|n| n.onset).max()).max().unwrap_or(0)
}

/// `count` bars from number `first` on as a stretch of time.
fn stretch(
    score: &Score,
    all: &[Bar],
    first: usize,
    count: usize,
    probabilities: Option<Vec<f32>>,
) -> Stretch {
    Stretch {
        start: score.tempos.seconds_at(all[first].start),
        end: score.tempos.seconds_at(all[first + count - 1].end),
        probabilities,
    }
}
