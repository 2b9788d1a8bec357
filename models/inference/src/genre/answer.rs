//! What a classifier says of a whole piece.

use super::weights::{Head, InputKind};

/// Why no genre is named, however likely one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// There is nothing to hear.
    Silence,
    /// There is too little to tell a genre by.
    TooShort,
    /// Drums alone: no classifier has learned what they mean without a band.
    DrumsAlone,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Silence => "there is nothing to hear",
            Self::TooShort => "there is too little to tell a genre by",
            Self::DrumsAlone => "there are drums alone",
        })
    }
}

/// What is said of a stretch of the piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Where it begins, in seconds.
    pub start: f64,
    /// Where it ends, in seconds.
    pub end: f64,
    /// Probabilities of the classes; none where there is too little to hear.
    pub probabilities: Option<Vec<f32>>,
}

/// What a classifier says of a piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was listened to.
    pub hears: InputKind,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Probabilities of the classes for the whole piece: all alike where nothing could be heard.
    pub probabilities: Vec<f32>,
    /// Probability of the likeliest class below which the answer is "unsure".
    pub unsure: f32,
    /// A reason to be unsure whatever the probabilities are.
    pub doubt: Option<Doubt>,
    /// The piece in stretches, from its beginning to its end.
    pub timeline: Vec<Stretch>,
}

impl Answer {
    /// An answer that knows nothing yet: all classes alike.
    pub fn blank(head: &Head, doubt: Option<Doubt>) -> Self {
        let n = head.classes.len();
        Self {
            hears: head.hears,
            classes: head.classes.clone(),
            probabilities: vec![1.0 / n as f32; n],
            unsure: head.unsure,
            doubt,
            timeline: vec![],
        }
    }

    /// The likeliest class and its probability.
    pub fn best(&self) -> (usize, f32) {
        best(&self.probabilities)
    }

    /// The genre; none when unsure.
    pub fn genre(&self) -> Option<usize> {
        let (class, p) = self.best();
        (self.doubt.is_none() && p >= self.unsure).then_some(class)
    }
}

/// The greatest of some probabilities and its place; the first of equals.
pub fn best(probabilities: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, &p) in probabilities.iter().enumerate() {
        if p > best.1 {
            best = (class, p);
        }
    }
    best
}
