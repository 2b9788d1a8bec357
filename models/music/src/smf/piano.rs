//! Which tracks of a file are the piano that the band accompanies.

use super::{MidiFile, SmfError, program_name, untangle};
use crate::family::Family;
use crate::score::{Note, Track};

/// How the piano of a file is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PianoChoice {
    /// All keyboards (programs 0 to 23); a file without any gives its fullest pitched track.
    #[default]
    Auto,
    /// The tracks of this name, regardless of case; where none has it, those whose name contains it.
    Name(String),
    /// The track of this number in [`MidiFile::score`], from 1.
    Number(usize),
}

impl std::str::FromStr for PianoChoice {
    type Err = std::convert::Infallible;

    /// "auto", a number, or a name.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let s = s.trim();
        Ok(match s.parse() {
            _ if s.eq_ignore_ascii_case("auto") => Self::Auto,
            Ok(number) => Self::Number(number),
            Err(_) => Self::Name(s.to_owned()),
        })
    }
}

/// The tracks that were chosen as the piano.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PianoPick {
    /// Indices into the score's tracks, ascending, at least one.
    pub tracks: Vec<usize>,
    /// Set when the choice was a guess: what to tell the user.
    pub warning: Option<String>,
}

/// What to call a track: its name, or else its instrument.
fn title(track: &Track) -> &str {
    match track.name.as_str() {
        "" if track.is_drums => "drum kit",
        "" => program_name(track.program),
        name => name,
    }
}

impl MidiFile {
    /// Finds the piano.
    ///
    /// # Errors
    /// No such track, a percussion track, or nothing pitched in the file.
    pub fn pick_piano(&self, choice: &PianoChoice) -> Result<PianoPick, SmfError> {
        let tracks = &self.score.tracks;
        let pitched = |i: &usize| !tracks[*i].is_drums;
        let all: Vec<usize> = (0..tracks.len()).filter(pitched).collect();
        if all.is_empty() {
            return Err(SmfError::NoPiano);
        }
        let sure = |tracks| Ok(PianoPick { tracks, warning: None });
        match choice {
            PianoChoice::Auto => {
                let keyboards: Vec<usize> =
                    all.iter().copied().filter(|&i| tracks[i].family() == Some(Family::Piano)).collect();
                if !keyboards.is_empty() {
                    return sure(keyboards);
                }
                // The first of the fullest.
                let Some(&fullest) = all.iter().rev().max_by_key(|&&i| tracks[i].notes.len()) else {
                    return Err(SmfError::NoPiano);
                };
                let warning = format!(
                    "no track has a keyboard program, so the band follows track {}, '{}', which has the most \
                     notes; choose another by name or number if that is wrong",
                    fullest + 1,
                    title(&tracks[fullest])
                );
                Ok(PianoPick { tracks: vec![fullest], warning: Some(warning) })
            }
            PianoChoice::Name(name) => {
                let wanted = name.trim().to_lowercase();
                let matching = |test: &dyn Fn(&str) -> bool| -> Vec<usize> {
                    (0..tracks.len()).filter(|&i| test(&title(&tracks[i]).to_lowercase())).collect()
                };
                let mut found = matching(&|t| t == wanted);
                if found.is_empty() && !wanted.is_empty() {
                    found = matching(&|t| t.contains(&wanted));
                }
                let Some(&first) = found.first() else {
                    return Err(SmfError::NoSuchTrack { name: name.clone(), names: self.track_list() });
                };
                found.retain(pitched);
                if found.is_empty() { Err(self.percussion(first)) } else { sure(found) }
            }
            &PianoChoice::Number(number) => match number.checked_sub(1).filter(|&i| i < tracks.len()) {
                None => Err(SmfError::NoSuchNumber { number, names: self.track_list() }),
                Some(i) if tracks[i].is_drums => Err(self.percussion(i)),
                Some(i) => sure(vec![i]),
            },
        }
    }

    /// The notes of the piano by onset, then pitch; overlapping notes of a pitch are ended at the new
    /// stroke.
    ///
    /// # Errors
    /// As [`MidiFile::pick_piano`].
    pub fn piano_notes(&self, choice: &PianoChoice) -> Result<Vec<Note>, SmfError> {
        let pick = self.pick_piano(choice)?;
        let mut notes: Vec<Note> =
            pick.tracks.iter().flat_map(|&i| self.score.tracks[i].notes.iter().copied()).collect();
        untangle(&mut notes);
        Ok(notes)
    }

    fn percussion(&self, index: usize) -> SmfError {
        let name = title(&self.score.tracks[index]).to_owned();
        SmfError::Percussion { number: index + 1, name, names: self.track_list() }
    }

    /// "1 'Piano', 2 'Bass'", of long lists the first twenty.
    fn track_list(&self) -> String {
        const SHOWN: usize = 20;
        let tracks = &self.score.tracks;
        let mut list: Vec<String> =
            tracks.iter().take(SHOWN).enumerate().map(|(i, t)| format!("{} '{}'", i + 1, title(t))).collect();
        if tracks.len() > SHOWN {
            list.push(format!("and {} more", tracks.len() - SHOWN));
        }
        list.join(", ")
    }
}
