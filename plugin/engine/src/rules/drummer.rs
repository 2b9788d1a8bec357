//! The drums of the rule band: from the lines of a pattern to what two hands and two feet play.

use sideman_music::{BandStep, Part};

use super::groove::Fills;
use super::{Lane, Now, RuleBand};
use crate::kit::{CLAP, CRASH, HAT, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN, PEDAL, RIDE, RIM, SHAKER, SNARE};

/// Energy, in percent, from which a band that does so rides in the second half of its sixteen bars.
const RIDE_FROM: f32 = 0.35;
/// Energy from which the ends of phrases are filled.
const FILL_FROM: f32 = 0.2;
/// Energy from which a crash begins the second half of a phrase, or greets who comes in.
const CRASH_OFTEN: f32 = 0.65;
/// Tempo from which one hand plays no sixteenths on a cymbal, and two hands none at all.
const ONE_HAND: f32 = 132.0;
const TWO_HANDS: f32 = 150.0;
/// What hands play, the most important first: of more than two things at once the others are left out.
const HANDS: [usize; 10] = [CRASH, SNARE, 2, RIM, LOW_TOM, MID_TOM, HIGH_TOM, OPEN, RIDE, HAT];

impl RuleBand {
    /// Plays the drums of a step.
    pub(super) fn drums(&self, now: &Now, out: &mut BandStep) {
        let energy = now.turned.energy(Part::Drums);
        let fill = self.fill(now, energy);
        self.pattern(now, energy, fill.is_some(), out);
        match fill {
            Some(letter) => self.strike_fill(letter, now, out),
            None => self.add(now, out),
        }
        for class in 0..out.drums.len() {
            let leave = self.draw(Part::Drums, now.turned.counter(), Lane::Leave(class));
            if !now.turned.keeps(Part::Drums, leave) {
                out.drums[class] = 0;
            }
        }
        self.crash(now, energy, out);
        keep_to_two_hands(&mut out.drums);
    }

    /// The lines of the groove; the feet alone while the hands fill.
    fn pattern(&self, now: &Now, energy: f32, feet_alone: bool, out: &mut BandStep) {
        let cell = now.read;
        let riding = now.style.rides && now.phrase.riding && energy >= RIDE_FROM;
        let groove = now.groove;
        let variation = now.pick.of(groove.drums);
        for line in groove.time.iter().chain(variation.into_iter().flatten()) {
            let kept = !feet_alone || matches!(line.class, KICK | PEDAL);
            if !kept || !line.sounds(energy, now.phrase.bar) {
                continue;
            }
            let class = match line.class {
                HAT if riding => RIDE,
                OPEN if riding => continue,
                class => class,
            };
            let letter = groove.read(line.hits, now.bar, cell);
            if letter != b'.' && can_play(class, letter, now) {
                self.hit(class, letter, now, out);
            }
        }
        // The foot keeps the backbeat below the ride.
        if riding && cell.index == 0 && cell.beat % 2 == 1 && groove.cells != 6 {
            self.hit(PEDAL, b'o', now, out);
        }
    }

    /// Adds soft hits as the dials say.
    fn add(&self, now: &Now, out: &mut BandStep) {
        for (class, letter, share) in [(SNARE, b'g', 0.6), (KICK, b'x', 0.3)] {
            let draw = self.draw(Part::Drums, now.turned.counter(), Lane::Add(class));
            if out.drums[class] == 0 && now.turned.adds(share, draw) {
                self.hit(class, letter, now, out);
            }
        }
    }

    /// Strikes a drum; of two lines that meet the louder counts.
    fn hit(&self, class: usize, letter: u8, now: &Now, out: &mut BandStep) {
        let neutral = match letter {
            b'X' => 102.0,
            b'x' => 84.0,
            b'o' => 56.0,
            b'g' => 36.0,
            _ => return,
        };
        let mix = match class {
            KICK | SNARE => 1.0,
            PEDAL => 0.7,
            _ => 0.82,
        };
        let velocity = self.velocity(Part::Drums, neutral * mix, now.place.step, class) + 1;
        out.drums[class] = out.drums[class].max(velocity);
    }

    fn crash(&self, now: &Now, energy: f32, out: &mut BandStep) {
        let phrase = &now.phrase;
        let wanted = match phrase.bar {
            0 => energy * 100.0 >= f32::from(now.style.crash_from),
            4 => energy >= CRASH_OFTEN && now.style.crash_from <= 100,
            _ => false,
        };
        let greets = phrase.entered && energy >= RIDE_FROM && now.style.crash_from <= 100;
        let first = now.cell.beat == 0 && now.cell.index == 0;
        if first && (wanted || greets) && !phrase.first {
            (out.drums[HAT], out.drums[RIDE], out.drums[OPEN]) = (0, 0, 0);
            out.drums[CRASH] = self.velocity(Part::Drums, 92.0, now.place.step, CRASH) + 1;
        }
    }

    /// The letter of the fill that a cell belongs to, if any. A short one ends each four bars, a long one each
    /// eight and a bar before someone comes in; no fill comes twice in a row.
    fn fill(&self, now: &Now, energy: f32) -> Option<u8> {
        let groove = now.groove;
        let Fills { short, long } = groove.fills;
        let texts = match now.phrase.bar {
            _ if now.phrase.lead || now.phrase.bar == 7 => long,
            3 if self.draw(Part::Drums, now.phrase.bars, Lane::HoldBack) >= now.turned.holds_back() => short,
            _ => return None,
        };
        let turn = (self.draw(Part::Drums, 0, Lane::Fill) * 64.0) as i64 + now.phrase.section;
        let text = texts.get(turn.rem_euclid(texts.len().max(1) as i64) as usize)?.as_bytes();
        let beats = text.len() as u16 / groove.cells;
        let cell = now.cell;
        if cell.beats <= beats || cell.beat + beats < cell.beats || energy < FILL_FROM {
            return None;
        }
        let beat = cell.beat + beats - cell.beats;
        // The overhang of a longer last beat repeats its end.
        let index = if cell.index < groove.cells { cell.index } else { groove.cells - 2 + cell.index % 2 };
        let busy = groove.cells != 3 && cell.index % 2 == 1 && now.bpm >= TWO_HANDS;
        let letter = text.get(usize::from(beat * groove.cells + index)).copied().unwrap_or(b'.');
        Some(if busy { b'.' } else { letter })
    }

    fn strike_fill(&self, letter: u8, now: &Now, out: &mut BandStep) {
        let strength = if letter.is_ascii_uppercase() { b'X' } else { b'x' };
        let class = match letter.to_ascii_lowercase() {
            b's' => SNARE,
            b'g' => return self.hit(SNARE, b'g', now, out),
            b'h' => HIGH_TOM,
            b'm' => MID_TOM,
            b'l' => LOW_TOM,
            b'r' => RIM,
            b'c' => CLAP,
            b'k' => KICK,
            b'f' => {
                self.hit(LOW_TOM, b'x', now, out);
                SNARE
            }
            _ => return,
        };
        self.hit(class, strength, now, out);
    }
}

/// Whether a hit can be played at the tempo, by hands.
fn can_play(class: usize, letter: u8, now: &Now) -> bool {
    let between = match now.groove.cells {
        3 => now.read.index == 1,
        _ => now.read.index % 2 == 1,
    };
    let light = matches!(letter, b'o' | b'g');
    match class {
        _ if !between || now.slow => true,
        HAT | RIDE | SHAKER => now.style.machine || now.bpm < ONE_HAND,
        SNARE | RIM | OPEN => !light || now.bpm < TWO_HANDS,
        _ => true,
    }
}

/// Leaves out what two hands and the foot on the hi-hat cannot play at once.
fn keep_to_two_hands(drums: &mut [u8; sideman_music::encoding::grid::DRUM_CLASSES]) {
    if drums[OPEN] > 0 {
        drums[HAT] = 0;
    }
    if drums[OPEN] > 0 || drums[HAT] > 0 {
        drums[PEDAL] = 0;
    }
    let mut free = 2;
    for class in HANDS.into_iter() {
        match drums[class] {
            0 => {}
            _ if free > 0 => free -= 1,
            _ => drums[class] = 0,
        }
    }
}
