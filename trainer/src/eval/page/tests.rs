use super::*;
use crate::eval::compare::{Options, compare};
use crate::eval::controls::other_pianos;
use crate::eval::fixtures;
use crate::eval::memorization::Memorization;
use crate::eval::targets::judge;
use indicatif::ProgressBar;

/// Plays what it played before.
struct Known(Vec<Parts>);

impl Accompanist for Known {
    fn name(&self) -> &str {
        "echo <1>"
    }

    fn play(&mut self, request: &Request<'_>) -> anyhow::Result<Parts> {
        Ok(self.0[request.song].clone())
    }
}

#[test]
fn the_page_holds_everything_and_needs_nothing() {
    let songs = fixtures::songs(8, 16, 1);
    let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
    let played = [
        Played::new(PEOPLE, people.clone()),
        Played { pianos: other_pianos(&songs, 2, 1), ..Played::new(SHUFFLED, people.clone()) },
        Played::new("echo <1>", people.clone()),
    ];
    let options = Options { resamples: 20, seed: 1, ..Options::default() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let comparison = compare(&songs, &played, &options, &ProgressBar::hidden(), &pool);
    let memorization = Memorization { training_songs: 3, distributions: Vec::new() };
    let targets = judge(&comparison, None, None, &[]);
    let report = BandReport {
        comparison,
        targets,
        memorization: Some(memorization),
        styles: None,
        controls: Vec::new(),
        takes: Vec::new(),
        breakdowns: Vec::new(),
    };
    let mut band = Known(people);
    let html = page(&report, &songs, &played, &mut [&mut band]).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    // A chart of coupling, a roll of five songs and of eleven styles, all inside.
    assert_eq!(html.matches("<img ").count(), 1 + ROLLS + Style::ALL.len());
    assert_eq!(html.matches("src=\"data:image/png;base64,").count(), html.matches("<img ").count());
    assert!(!html.contains("http") && !html.contains("<script"));
    assert!(html.contains("echo &lt;1&gt;") && !html.contains("echo <1>"));
    assert!(html.contains("class=\"met\"") && html.contains("id=\"quotes\""));
    // What was not measured has no section.
    assert!(!html.contains("id=\"controls\"") && !html.contains("href=\"#seeds\""));
}
