//! Measuring what a band plays to a piano, one song at a time.

use std::collections::BTreeSet;

use sideman_music::encoding::grid::drum_class;
use sideman_music::family::Part;
use sideman_music::score::Note;
use sideman_music::time::{STEP_TICKS, pulse_to_tick};

use super::figures::{Metric, STUCK_BARS, Tally};
use super::song::{
    BAR_STEPS, HALF_PULSES, Half, Parts, THIRTY_SECOND, bar_contents, bar_of, halves, spans, step_of,
};

/// Bars of the moving means in [`Metric::Follow`] and [`Metric::Dynamics`].
const FOLLOW_BARS: usize = 4;

/// Measures a band against a piano over `bars` 4/4 bars. Only parts in `present` count. Notes outside the
/// bars are expected to have been cut ([`super::song::cut`]).
pub fn measure(parts: &Parts, piano: &[Note], bars: usize, present: [bool; 4]) -> Tally {
    let mut tally = Tally::default();
    let has = |p: Part| present[p.index()];
    let harmony = halves(piano, bars);
    if has(Part::Bass) {
        bass(&mut tally, &parts[Part::Bass.index()], &harmony);
        if has(Part::Drums) {
            kick_bass(&mut tally, &parts[Part::Drums.index()], &parts[Part::Bass.index()]);
        }
    }
    for part in [Part::Guitar, Part::Strings].into_iter().filter(|&p| has(p)) {
        chord_in(&mut tally, &parts[part.index()], &harmony);
    }
    if has(Part::Drums) {
        drums(&mut tally, &parts[Part::Drums.index()], bars);
    }
    if let Some(r) = follow(parts, piano, bars) {
        tally.entry(Metric::Follow).add(r, 1.0);
    }
    if let Some(r) = dynamics(parts, piano, bars) {
        tally.entry(Metric::Dynamics).add(r, 1.0);
    }
    for part in Part::ALL.into_iter().filter(|&p| has(p)) {
        texture(&mut tally, part, &parts[part.index()], bars);
    }
    if Part::ALL[1..].iter().any(|&p| has(p))
        && let Some(bits) = chord_entropy(parts, bars)
    {
        tally.entry(Metric::ChordEntropy).add(bits, 1.0);
    }
    tally
}

/// `bass_in` and `bass_root`. Of several bass notes around a half-bar's start the nearest counts, then the
/// lowest.
fn bass(tally: &mut Tally, bass: &[Note], harmony: &[Half]) {
    for (h, half) in harmony.iter().enumerate() {
        let start = h as i64 * HALF_PULSES;
        if half.classes.count_ones() < 2 {
            continue;
        }
        let opener = bass
            .iter()
            .filter(|n| (n.onset - start).abs() <= THIRTY_SECOND)
            .min_by_key(|n| ((n.onset - start).abs(), n.pitch));
        if let Some(n) = opener {
            tally.entry(Metric::BassIn).count(half.holds(n.pitch));
            tally.entry(Metric::BassRoot).count(half.above_lowest(n.pitch) == Some(0));
        }
    }
}

/// `chord_in` of one part.
fn chord_in(tally: &mut Tally, notes: &[Note], harmony: &[Half]) {
    for n in notes {
        for (h, pulses) in spans(n, HALF_PULSES) {
            let Some(half) = usize::try_from(h).ok().and_then(|h| harmony.get(h)) else { continue };
            if half.classes != 0 {
                let inside = if half.holds(n.pitch) { pulses as f64 } else { 0.0 };
                tally.entry(Metric::ChordIn).add(inside, pulses as f64);
            }
        }
    }
}

/// `kick_bass`: every step of the bass counts once, however many notes it has.
fn kick_bass(tally: &mut Tally, drums: &[Note], bass: &[Note]) {
    let kicks: BTreeSet<i64> =
        drums.iter().filter(|n| drum_class(n.pitch) == 0).map(|n| step_of(n.onset)).collect();
    let steps: BTreeSet<i64> = bass.iter().map(|n| step_of(n.onset)).collect();
    for step in steps {
        tally.entry(Metric::KickBass).count(kicks.contains(&step));
    }
}

/// `groove` and `DP`.
fn drums(tally: &mut Tally, drums: &[Note], bars: usize) {
    let mut onsets = vec![0u16; bars];
    for n in drums {
        let step = step_of(n.onset);
        if let Some(bar) = usize::try_from(step / BAR_STEPS).ok().and_then(|b| onsets.get_mut(b)) {
            *bar |= 1 << step.rem_euclid(BAR_STEPS);
        }
        tally.entry(Metric::DrumPattern).count(pulse_to_tick(n.onset).rem_euclid(STEP_TICKS) == 0);
    }
    for pair in onsets.windows(2).filter(|p| p[0] | p[1] != 0) {
        let distance = f64::from((pair[0] ^ pair[1]).count_ones()) / BAR_STEPS as f64;
        tally.entry(Metric::Groove).add(1.0 - distance, 1.0);
    }
}

/// `dynamics`; `None` where either side never changes its loudness or both play over fewer than eight bars.
fn dynamics(parts: &Parts, piano: &[Note], bars: usize) -> Option<f64> {
    // Of each bar the sum of velocities and the number of notes.
    let loudness = |lists: &[&[Note]]| {
        let mut out = vec![(0.0, 0.0); bars];
        for n in lists.iter().copied().flatten() {
            if let Some(b) = usize::try_from(bar_of(n.onset)).ok().and_then(|b| out.get_mut(b)) {
                b.0 += f64::from(n.velocity);
                b.1 += 1.0;
            }
        }
        out
    };
    let band: Vec<&[Note]> = parts.iter().map(Vec::as_slice).collect();
    let (piano, band) = (loudness(&[piano]), loudness(&band));
    let both = |b: &usize| piano[*b].1 > 0.0 && band[*b].1 > 0.0;
    let (first, last) = ((0..bars).find(both)?, (0..bars).rfind(both)?);
    if last + 1 - first < 2 * FOLLOW_BARS {
        return None;
    }
    // Four bars in which either side is silent have no loudness to compare.
    let mean = |w: &[(f64, f64)]| {
        let (sum, notes) = w.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        (notes > 0.0).then(|| sum / notes)
    };
    let windows =
        |of: &[(f64, f64)]| -> Vec<Option<f64>> { of[first..=last].windows(FOLLOW_BARS).map(mean).collect() };
    let (a, b): (Vec<f64>, Vec<f64>) =
        windows(&piano).into_iter().zip(windows(&band)).filter_map(|(a, b)| a.zip(b)).unzip();
    correlation(&a, &b)
}

/// `follow`; `None` where either side does not change or both play over fewer than eight bars.
fn follow(parts: &Parts, piano: &[Note], bars: usize) -> Option<f64> {
    let counts = |lists: &[&[Note]]| {
        let mut out = vec![0.0; bars];
        for n in lists.iter().copied().flatten() {
            if let Some(c) = usize::try_from(bar_of(n.onset)).ok().and_then(|b| out.get_mut(b)) {
                *c += 1.0;
            }
        }
        out
    };
    let band: Vec<&[Note]> = parts.iter().map(Vec::as_slice).collect();
    let (piano, band) = (counts(&[piano]), counts(&band));
    let both = |b: &usize| piano[*b] > 0.0 && band[*b] > 0.0;
    let (first, last) = ((0..bars).find(both)?, (0..bars).rfind(both)?);
    if last + 1 - first < 2 * FOLLOW_BARS {
        return None;
    }
    let moving = |counts: &[f64]| -> Vec<f64> {
        counts[first..=last].windows(FOLLOW_BARS).map(|w| w.iter().sum()).collect()
    };
    correlation(&moving(&piano), &moving(&band))
}

/// Pearson's correlation; `None` where either side is constant.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma).powi(2);
        bb += (y - mb).powi(2);
    }
    (aa > 1e-9 && bb > 1e-9).then(|| ab / (aa * bb).sqrt())
}

/// EB, NPB, UPC, QN and how varied the bars are.
fn texture(tally: &mut Tally, part: Part, notes: &[Note], bars: usize) {
    let contents = bar_contents(part, notes, bars);
    for bar in &contents {
        tally.entry(Metric::EmptyBars(part)).count(bar.is_empty());
        if part != Part::Drums && !bar.is_empty() {
            let classes: BTreeSet<u8> = bar.iter().map(|&(_, pitch)| pitch % 12).collect();
            tally.entry(Metric::PitchClasses(part)).add(classes.len() as f64, 1.0);
        }
    }
    tally.entry(Metric::NotesPerBar(part)).add(notes.len() as f64, bars as f64);
    if part != Part::Drums {
        for n in notes {
            tally.entry(Metric::QualifiedNotes(part)).count(n.length >= THIRTY_SECOND);
        }
    }
    let sounding: Vec<&Vec<(u8, u8)>> = contents.iter().filter(|b| !b.is_empty()).collect();
    if sounding.is_empty() {
        return;
    }
    let distinct: BTreeSet<&Vec<(u8, u8)>> = sounding.iter().copied().collect();
    tally.entry(Metric::DistinctBars(part)).add(distinct.len() as f64, sounding.len() as f64);
    let (mut run, mut longest) = (0u32, 0u32);
    for (b, bar) in contents.iter().enumerate() {
        let goes_on = b > 0 && contents[b - 1] == *bar;
        run = if bar.is_empty() { 0 } else { 1 + if goes_on { run } else { 0 } };
        longest = longest.max(run);
    }
    tally.entry(Metric::LongestRun(part)).add(f64::from(longest), 1.0);
    tally.entry(Metric::Stuck(part)).count(longest >= STUCK_BARS);
}

/// The triad, 0 to 11 major and 12 to 23 minor on C upwards, that holds most of the sounding time of a
/// half-bar; the lower root wins a tie. `None` where nothing sounds.
fn triad(chroma: &[f64; 12]) -> Option<usize> {
    if chroma.iter().sum::<f64>() <= 0.0 {
        return None;
    }
    let weight = |t: usize| {
        let (root, third) = (t % 12, if t < 12 { 4 } else { 3 });
        // The root counts a little more, so that two tones of a triad name the right one.
        1.1 * chroma[root] + chroma[(root + third) % 12] + chroma[(root + 7) % 12]
    };
    (0..24).reduce(|best, t| if weight(t) > weight(best) { t } else { best })
}

/// Entropy in bits of the half-bars' triads; `None` where nothing sounds.
fn chord_entropy(parts: &Parts, bars: usize) -> Option<f64> {
    let mut chroma = vec![[0.0; 12]; bars * 2];
    for n in parts[1..].iter().flatten() {
        for (h, pulses) in spans(n, HALF_PULSES) {
            if let Some(c) = usize::try_from(h).ok().and_then(|h| chroma.get_mut(h)) {
                c[usize::from(n.pitch % 12)] += pulses as f64;
            }
        }
    }
    let mut counts = [0.0; 24];
    for t in chroma.iter().filter_map(triad) {
        counts[t] += 1.0;
    }
    entropy(&counts)
}

/// Entropy in bits of counts; `None` where there are none.
pub fn entropy(counts: &[f64]) -> Option<f64> {
    let total: f64 = counts.iter().sum();
    let bits = |c: f64| -(c / total) * (c / total).log2();
    (total > 0.0).then(|| counts.iter().filter(|&&c| c > 0.0).map(|&c| bits(c)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::time::Pulse;

    fn note(onset: Pulse, pitch: u8, length: Pulse) -> Note {
        Note { onset, pitch, length, velocity: 80 }
    }

    fn only(part: Part, notes: Vec<Note>) -> (Parts, [bool; 4]) {
        let mut parts = Parts::default();
        parts[part.index()] = notes;
        (parts, std::array::from_fn(|i| i == part.index()))
    }

    /// (sum, weight) of a figure.
    fn counted(tally: &Tally, figure: Metric) -> (f64, f64) {
        (tally.get(figure).sum, tally.get(figure).weight)
    }

    #[test]
    fn bass_figures_look_at_what_opens_a_half_bar() {
        // Half-bars: 0 C+E over C, 1 only G, 2 F+A over F, 3 silent, 4 D+F over D, 5 D+F over D.
        let piano = [
            note(0, 48, 960),
            note(0, 64, 960),
            note(960, 55, 960),
            note(1920, 53, 960),
            note(1920, 57, 960),
            note(3840, 50, 1920),
            note(3840, 53, 1920),
        ];
        let bass = vec![
            note(0, 36, 400),    // 0: C, the root
            note(960, 43, 400),  // 1: too few pitch classes in the piano to count
            note(1860, 33, 100), // 2: A, a 32nd early: in, not the root
            note(1981, 41, 100), // a pulse more than a 32nd late: opens nothing
            note(3840, 40, 100), // 4: E, neither; nearer to the start than the D after it
            note(3850, 38, 100),
            note(5000, 38, 100), // 5 is opened by nothing
        ];
        let (parts, present) = only(Part::Bass, bass);
        let t = measure(&parts, &piano, 3, present);
        assert_eq!(counted(&t, Metric::BassIn), (2.0, 3.0));
        assert_eq!(counted(&t, Metric::BassRoot), (1.0, 3.0));
        // Three half-bars are too few for a share of this song.
        assert_eq!(t.value(Metric::BassIn), None);
        assert_eq!(t.value(Metric::ChordIn), None);
    }

    #[test]
    fn of_two_bass_notes_at_once_the_lower_opens() {
        let piano = [note(0, 48, 960), note(0, 55, 960)];
        let (parts, present) = only(Part::Bass, vec![note(0, 43, 100), note(0, 36, 100)]);
        assert_eq!(counted(&measure(&parts, &piano, 1, present), Metric::BassRoot), (1.0, 1.0));
    }

    #[test]
    fn chord_in_weighs_sounding_time() {
        // C+E in the first half-bar, D+F in the second, silence in the third.
        let piano = [note(0, 60, 960), note(0, 64, 960), note(960, 62, 960), note(960, 65, 960)];
        let mut parts = Parts::default();
        parts[2] = vec![note(480, 60, 720), note(960, 62, 1440)];
        parts[3] = vec![note(0, 67, 300)];
        let t = measure(&parts, &piano, 2, [false, false, true, true]);
        // C: 480 in, 240 out. D: 960 in, 480 over silence that do not count. G: 300 out.
        assert_eq!(counted(&t, Metric::ChordIn), (480.0 + 960.0, 720.0 + 960.0 + 300.0));
        // Strings that are not in the song do not count.
        let t = measure(&parts, &piano, 2, [false, false, true, false]);
        assert_eq!(counted(&t, Metric::ChordIn), (1440.0, 1680.0));
    }

    #[test]
    fn kick_bass_is_read_on_the_grid() {
        let mut parts = Parts::default();
        parts[0] = vec![note(0, 36, 10), note(470, 35, 10), note(960, 38, 10)];
        // On a kick; on one 10 pulses early; on a snare; two notes of one step count once, without a kick.
        parts[1] =
            vec![note(15, 40, 9), note(490, 40, 9), note(960, 40, 9), note(1440, 40, 9), note(1450, 47, 9)];
        let t = measure(&parts, &[], 1, [true, true, false, false]);
        assert_eq!(counted(&t, Metric::KickBass), (2.0, 4.0));
        let t = measure(&parts, &[], 1, [false, true, false, false]);
        assert_eq!(t.get(Metric::KickBass).value(), None);
    }

    #[test]
    fn groove_compares_neighbouring_bars() {
        let bar = |b: i64, steps: &[i64]| -> Vec<Note> {
            steps.iter().map(|s| note(b * 1920 + s * 120, 36, 10)).collect()
        };
        // Bars: 4 beats, the same, one beat fewer and one off it, silence, silence.
        let drums = [bar(0, &[0, 4, 8, 12]), bar(1, &[0, 4, 8, 12]), bar(2, &[0, 4, 8, 13])].concat();
        let (parts, present) = only(Part::Drums, drums);
        let t = measure(&parts, &[], 5, present);
        // Distances 0, 2, 4 of 16; the pair of empty bars does not count.
        let (sum, weight) = counted(&t, Metric::Groove);
        assert_eq!((sum, weight), (1.0 + 14.0 / 16.0 + 12.0 / 16.0, 3.0));
        assert_eq!(counted(&t, Metric::EmptyBars(Part::Drums)), (2.0, 5.0));
        assert_eq!(counted(&t, Metric::NotesPerBar(Part::Drums)), (12.0, 5.0));
        assert_eq!(counted(&t, Metric::DistinctBars(Part::Drums)), (2.0, 3.0));
        assert_eq!(counted(&t, Metric::LongestRun(Part::Drums)), (2.0, 1.0));
        assert_eq!(t.get(Metric::PitchClasses(Part::Drums)).value(), None);
    }

    #[test]
    fn drum_notes_off_the_16ths_are_counted() {
        // On a 16th, within half a tick of one, a tick late, a triplet.
        let (parts, present) =
            only(Part::Drums, vec![note(0, 36, 9), note(129, 42, 9), note(260, 42, 9), note(320, 42, 9)]);
        assert_eq!(counted(&measure(&parts, &[], 1, present), Metric::DrumPattern), (2.0, 4.0));
    }

    #[test]
    fn textures_are_counted_by_bar() {
        // Bar 0: C, C an octave up, E; bar 1: empty; bar 2: C alone, 59 pulses long.
        let bass = vec![note(0, 36, 60), note(480, 48, 480), note(960, 40, 100), note(3840, 36, 59)];
        let (parts, present) = only(Part::Bass, bass);
        let t = measure(&parts, &[], 3, present);
        assert_eq!(counted(&t, Metric::PitchClasses(Part::Bass)), (3.0, 2.0));
        assert_eq!(counted(&t, Metric::QualifiedNotes(Part::Bass)), (3.0, 4.0));
        assert_eq!(counted(&t, Metric::EmptyBars(Part::Bass)), (1.0, 3.0));
        assert_eq!(counted(&t, Metric::NotesPerBar(Part::Bass)), (4.0, 3.0));
        assert_eq!(counted(&t, Metric::LongestRun(Part::Bass)), (1.0, 1.0));
        assert_eq!(t.get(Metric::EmptyBars(Part::Guitar)).value(), None);
    }

    #[test]
    fn equal_bars_with_a_rest_between_are_no_run() {
        let (parts, present) = only(Part::Bass, [0, 1, 3, 4, 5].map(|b| note(b * 1920, 36, 100)).to_vec());
        let t = measure(&parts, &[], 6, present);
        assert_eq!(counted(&t, Metric::LongestRun(Part::Bass)), (3.0, 1.0));
        assert_eq!(counted(&t, Metric::DistinctBars(Part::Bass)), (1.0, 5.0));
    }

    #[test]
    fn follow_is_the_correlation_of_moving_means() {
        let row = |counts: &[i64]| -> Vec<Note> {
            counts
                .iter()
                .enumerate()
                .flat_map(|(b, &n)| (0..n).map(move |i| note(b as i64 * 1920 + i * 120, 60, 50)))
                .collect()
        };
        let follow = |piano: &[i64], band: &[i64]| {
            let (parts, present) = only(Part::Guitar, row(band));
            measure(&parts, &row(piano), piano.len(), present).value(Metric::Follow)
        };
        let rising = [1, 2, 3, 4, 5, 6, 7, 8];
        assert!((follow(&rising, &rising).unwrap() - 1.0).abs() < 1e-12);
        assert!((follow(&rising, &[8, 7, 6, 5, 4, 3, 2, 1]).unwrap() + 1.0).abs() < 1e-12);
        // The band's last bar is empty, which leaves seven bars: too few.
        assert_eq!(follow(&rising, &[1, 1, 1, 1, 2, 2, 1, 0]), None);
        let r = follow(&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 1, 1, 1, 2, 2, 1, 1, 0]).unwrap();
        // Sums of four over the first eight bars: piano 10 14 18 22 26, band 4 5 6 6 6; means 18 and 5.4.
        let by_hand = (-8.0 * -1.4 + -4.0 * -0.4 + 4.0 * 0.6 + 8.0 * 0.6) / (160.0f64 * 3.2).sqrt();
        assert!((r - by_hand).abs() < 1e-12, "{r} {by_hand}");
        // Silence that both share at the ends is left out; without it the band does not change.
        assert_eq!(
            follow(&[0, 0, 1, 2, 1, 2, 1, 2, 1, 2, 0, 0], &[0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0]),
            None
        );
    }

    #[test]
    fn dynamics_are_the_correlation_of_loudness() {
        let row = |velocities: &[u8]| -> Vec<Note> {
            let of = |(b, &velocity): (usize, &u8)| Note { velocity, ..note(b as i64 * 1920, 60, 50) };
            velocities.iter().enumerate().filter(|v| *v.1 > 0).map(of).collect()
        };
        let dynamics = |piano: &[u8], band: &[u8]| {
            let (parts, present) = only(Part::Guitar, row(band));
            measure(&parts, &row(piano), piano.len(), present).value(Metric::Dynamics)
        };
        let rising = [40, 45, 50, 55, 60, 65, 70, 75, 80, 85];
        let falling: Vec<u8> = rising.iter().rev().copied().collect();
        // Half as strong and with a rest, but in the same direction.
        assert!(dynamics(&rising, &[60, 62, 64, 0, 68, 70, 72, 74, 76, 78]).unwrap() > 0.98);
        assert!((dynamics(&rising, &falling).unwrap() + 1.0).abs() < 1e-9);
        // A piano whose keys are all struck alike says nothing, and neither do fewer than eight bars.
        assert_eq!(dynamics(&[70; 10], &rising), None);
        assert_eq!(dynamics(&rising[..7], &rising[..7]), None);
    }

    #[test]
    fn sixteen_equal_bars_are_stuck_and_fifteen_are_not() {
        let bars = |n: i64| -> Vec<Note> { (0..n).map(|b| note(b * 1920, 36, 100)).collect() };
        let stuck = |notes: Vec<Note>| {
            let (parts, present) = only(Part::Bass, notes);
            measure(&parts, &[], 20, present).value(Metric::Stuck(Part::Bass))
        };
        assert_eq!([stuck(bars(15)), stuck(bars(16)), stuck(bars(20))], [Some(0.0), Some(1.0), Some(1.0)]);
        let mut broken = bars(20);
        broken[10].pitch += 1;
        assert_eq!((stuck(broken), stuck(vec![])), (Some(0.0), None));
    }

    #[test]
    fn correlations_are_pearsons() {
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]), Some(0.5));
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[4.0, 4.0, 4.0]), None);
    }

    #[test]
    fn chord_entropy_counts_triads() {
        assert_eq!(entropy(&[2.0, 0.0, 2.0]), Some(1.0));
        assert_eq!(entropy(&[0.0]), None);
        let chord = |half: i64, pitches: [u8; 3]| pitches.map(|p| note(half * 960, p, 960));
        // C, A minor with its bass, C with a passing B, F: probabilities 1/2, 1/4, 1/4.
        let mut guitar =
            [chord(0, [60, 64, 67]), chord(1, [57, 60, 64]), chord(2, [60, 64, 67]), chord(3, [65, 69, 72])]
                .concat();
        guitar.push(note(1920, 71, 120));
        let (parts, present) = only(Part::Guitar, guitar);
        let t = measure(&parts, &[], 4, present);
        assert_eq!(t.value(Metric::ChordEntropy), Some(1.5));
        let mut chroma = [0.0; 12];
        assert_eq!(triad(&chroma), None);
        chroma[9] = 1.0;
        chroma[0] = 1.0;
        assert_eq!(triad(&chroma), Some(21));
    }
}
