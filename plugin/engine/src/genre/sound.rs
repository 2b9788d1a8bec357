//! The genre of sound that comes in.

use std::sync::Arc;

use sideman_inference::genre::symbolic::{GenreTracker, Verdict};

use super::{GenreView, Source};

/// Tells the genre of sound. Whoever classifies implements it; one owner, any thread but the audio thread.
pub trait AudioClassifier: Send {
    /// Takes in the next samples, of one channel, at a rate in samples a second. Allocates nothing that it can do
    /// without; a call with a thousand samples takes a few milliseconds at most, since decisions wait for it.
    fn push(&mut self, samples: &[f32], rate: f32);
    /// The probabilities of the classes for the last seconds, and whether these were silent; `None` while there was not
    /// enough sound.
    fn said(&mut self) -> Option<(&[f32], bool)>;
    /// Names of the genres by number, [`super::MOST_CLASSES`] at most.
    fn classes(&self) -> &[String];
    /// Probability of the best class below which the answer is "unsure".
    fn unsure(&self) -> f32;
}

/// Makes a classifier, on the band's thread, when sound comes in for the first time.
pub type MakeAudioClassifier = Arc<dyn Fn() -> Result<Box<dyn AudioClassifier>, String> + Send + Sync>;

/// Seconds in a row without sound after which the piano is listened to instead.
const GONE: u32 = 4;

/// Follows a classifier second by second: the verdict changes every eight seconds, as a piano's every eight bars.
pub(crate) struct AudioGenre {
    classifier: Box<dyn AudioClassifier>,
    classes: Arc<[String]>,
    tracker: GenreTracker,
    /// Samples since the last second was full.
    samples: f32,
    silent: u32,
}

impl AudioGenre {
    /// Nothing heard yet.
    ///
    /// # Errors
    /// When the classifier tells no genres, or too many.
    pub(crate) fn new(classifier: Box<dyn AudioClassifier>) -> Result<Self, String> {
        let count = classifier.classes().len();
        if !(1..=super::MOST_CLASSES).contains(&count) {
            return Err(format!("it tells {count} genres"));
        }
        let classes = classifier.classes().to_vec().into();
        let tracker = GenreTracker::new(count, classifier.unsure());
        Ok(Self { classifier, classes, tracker, samples: 0.0, silent: GONE })
    }

    /// Takes in some samples. Returns whether there is something new to be shown.
    pub(crate) fn push(&mut self, samples: &[f32], rate: f32) -> bool {
        self.classifier.push(samples, rate);
        self.samples += samples.len() as f32;
        if self.samples < rate {
            return false;
        }
        self.samples -= rate;
        let said = self.classifier.said();
        let sounding = said.filter(|(p, silent)| !silent && p.len() == self.classes.len()).map(|(p, _)| p);
        // While there is not enough sound for an answer there may be some.
        self.silent = if said.is_some_and(|(_, silent)| silent) { self.silent + 1 } else { 0 };
        self.tracker.bar(sounding);
        true
    }

    /// Whether there was sound in the last seconds.
    pub(crate) fn is_present(&self) -> bool {
        self.silent < GONE
    }

    /// The genre that is shown, if there is sound and it is sure.
    pub(crate) fn genre(&self) -> Option<&str> {
        match self.tracker.verdict() {
            Verdict::Genre(class) if self.is_present() => self.classes.get(class).map(String::as_str),
            _ => None,
        }
    }

    /// What is to be shown while there is sound.
    pub(crate) fn view(&self) -> Option<GenreView> {
        self.is_present().then(|| GenreView::of(&self.tracker, &self.classes, Source::Audio))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A classifier that tells the genre by the sign of the last sample, and silence by zeros.
    pub(crate) struct Fake {
        classes: Vec<String>,
        said: Option<([f32; 2], bool)>,
    }

    impl Fake {
        pub(crate) fn make() -> MakeAudioClassifier {
            Arc::new(|| {
                let classes = ["reggae", "metal"].map(str::to_owned).to_vec();
                Ok(Box::new(Self { classes, said: None }) as Box<dyn AudioClassifier>)
            })
        }
    }

    impl AudioClassifier for Fake {
        fn push(&mut self, samples: &[f32], _rate: f32) {
            if let Some(last) = samples.last() {
                let up = f32::from(u8::from(*last > 0.0)) * 0.8 + 0.1;
                self.said = Some(([up, 1.0 - up], samples.iter().all(|s| *s == 0.0)));
            }
        }

        fn said(&mut self) -> Option<(&[f32], bool)> {
            self.said.as_ref().map(|(p, silent)| (&p[..], *silent))
        }

        fn classes(&self) -> &[String] {
            &self.classes
        }

        fn unsure(&self) -> f32 {
            0.6
        }
    }

    #[test]
    fn the_verdict_changes_every_eight_seconds_and_silence_gives_way() {
        let mut genre = AudioGenre::new(Fake::make()().unwrap()).unwrap();
        assert!(genre.view().is_none());
        let mut shown = Vec::new();
        for second in 0..48 {
            let sample = if second < 20 { 0.5 } else { -0.5 };
            for piece in 0..10 {
                let new = genre.push(&[sample; 100], 1000.0);
                assert_eq!(new, piece == 9);
            }
            shown.push(genre.genre().map(str::to_owned));
        }
        assert_eq!(shown[0].as_deref(), Some("reggae"));
        let changes: Vec<usize> = (1..48).filter(|&i| shown[i] != shown[i - 1]).collect();
        assert!(!changes.is_empty() && changes.iter().all(|c| (c + 1) % 8 == 0), "{changes:?}");
        assert_eq!(shown[47].as_deref(), Some("metal"));
        assert_eq!(genre.view().unwrap().source, Source::Audio);
        for _ in 0..4 {
            genre.push(&[0.0; 1000], 1000.0);
        }
        assert!(genre.view().is_none() && genre.genre().is_none());
    }
}
