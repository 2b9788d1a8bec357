//! What a band is to reach, and whether it does.

use sideman_music::family::Part;

use super::compare::{COPY, Comparison, GRID, PEOPLE, Row, SHUFFLED};
use super::engine_band::RULES;
use super::features::View;
use super::figures::Metric;
use super::interval::Estimate;
use super::memorization::Memorization;
use super::seeds::TwoTakes;
use super::styles::{STYLES, StyleStudy};
use crate::report::table::{Table, estimate};

/// Told apart at this or less in every part.
const TOLD_APART: f64 = 0.80;
/// Beats until coupling is back after a jump.
const JUMP_BEATS: usize = 4;
/// Share of people's variety.
const VARIETY: f64 = 0.9;
/// Least share of onsets that two seeds do not have in common.
const DIFFERENT: f64 = 0.25;

/// Whether a target is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The figure is within the bounds.
    Met,
    /// It is not, but its interval reaches into them.
    WithinChance,
    /// Neither is.
    Missed,
}

impl Verdict {
    /// How tables say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::WithinChance => "within chance",
            Self::Missed => "missed",
        }
    }

    /// Of a figure that should lie between two bounds.
    fn of(e: &Estimate, low: f64, high: f64) -> Self {
        if (low..=high).contains(&e.value) {
            Self::Met
        } else if e.high >= low && e.low <= high {
            Self::WithinChance
        } else {
            Self::Missed
        }
    }
}

/// A target of a band.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Target {
    /// Name of the band.
    pub band: String,
    /// What is asked.
    pub what: String,
    /// What it is.
    pub is: String,
    /// Whether that will do.
    pub verdict: Verdict,
}

/// Collects the targets of a band.
struct List {
    band: String,
    out: Vec<Target>,
}

impl List {
    fn between(&mut self, what: String, e: Option<&Estimate>, low: f64, high: f64) {
        // What was not measured is not judged.
        if let Some(e) = e {
            self.say(what, estimate(Some(e)), Verdict::of(e, low, high));
        }
    }

    fn say(&mut self, what: String, is: String, verdict: Verdict) {
        self.out.push(Target { band: self.band.clone(), what, is, verdict });
    }

    fn whether(&mut self, what: String, is: String, so: bool) {
        self.say(what, is, if so { Verdict::Met } else { Verdict::Missed });
    }
}

/// Judges the networks of a comparison; what was not measured is left out. The rule band is what they have to
/// beat, and has no targets itself.
pub fn judge(
    c: &Comparison,
    memorization: Option<&Memorization>,
    styles: Option<&StyleStudy>,
    takes: &[TwoTakes],
) -> Vec<Target> {
    let controls = [PEOPLE, SHUFFLED, COPY, GRID];
    let mut out = Vec::new();
    for row in c.rows.iter().filter(|r| !controls.contains(&r.name.as_str()) && !is_rules(&r.name)) {
        let mut list = List { band: row.name.clone(), out: Vec::new() };
        figures(&mut list, row);
        discriminator(&mut list, row, c);
        if let Some(jump) = &row.key_change {
            let is = jump.back_after.map_or("never".to_owned(), |b| b.to_string());
            let so = jump.back_after.is_some_and(|b| b <= JUMP_BEATS);
            list.whether(format!("back {JUMP_BEATS} beats after a jump at the latest"), is, so);
        }
        variety(&mut list, row);
        if let Some(study) = styles {
            told_styles(&mut list, study);
        }
        for two in takes.iter().filter(|t| t.band == row.name) {
            for (part, e) in Part::ALL.iter().zip(&two.onsets) {
                let what = format!("two seeds differ, {}: {DIFFERENT} of the onsets or more", lower(*part));
                list.between(what, e.as_ref(), DIFFERENT, 1.0);
            }
            let is = format!("{:.0} % of songs", two.same_again * 100.0);
            list.whether("one seed gives the same twice".to_owned(), is, two.same_again == 1.0);
        }
        if let Some(found) = memorization {
            for d in found.distributions.iter().filter(|d| d.band == row.name) {
                let part = d.part.map_or("any part".to_owned(), str::to_lowercase);
                let mean =
                    format!("longest matches with training songs, {part}: median over people's 1 or less");
                list.between(mean, d.median_ratio.as_ref(), 0.0, 1.0);
                let high =
                    format!("longest matches with training songs, {part}: 95 % over people's 1 or less");
                list.between(high, d.high_ratio.as_ref(), 0.0, 1.0);
            }
        }
        out.extend(list.out);
    }
    out
}

/// Whether a row is a take of the rule band.
fn is_rules(name: &str) -> bool {
    name == RULES || name.starts_with("rules, ")
}

fn lower(part: Part) -> String {
    part.name().to_lowercase()
}

fn figures(list: &mut List, row: &Row) {
    for f in Metric::COUPLED {
        let e = row.cell(f).and_then(|c| c.coupling);
        list.between(format!("coupling of {} .85 to 1.15", f.name()), e.as_ref(), 0.85, 1.15);
    }
    let mut within = |f: Metric, what: &str, by: f64| {
        let e = row.cell(f).and_then(|c| c.above_people);
        let part = f.part().map_or(String::new(), |p| format!(", {}", lower(p)));
        list.between(format!("{what} of people's{part}"), e.as_ref(), -by, by);
    };
    for part in Part::ALL {
        within(Metric::EmptyBars(part), "EB within .10", 0.10);
    }
    for &part in &Part::ALL[1..] {
        within(Metric::PitchClasses(part), "UPC within .5", 0.5);
    }
    for &part in &Part::ALL[1..] {
        within(Metric::QualifiedNotes(part), "QN within .05", 0.05);
    }
    within(Metric::DrumPattern, "DP within .05", 0.05);
    within(Metric::Groove, "groove within .03", 0.03);
    for part in Part::ALL {
        let e = row.cell(Metric::NotesPerBar(part)).and_then(|c| c.against_people);
        let what = format!("notes a bar within a third of people's, {}", lower(part));
        list.between(what, e.as_ref(), 2.0 / 3.0, 4.0 / 3.0);
    }
}

fn discriminator(list: &mut List, row: &Row, c: &Comparison) {
    for view in [View::Notes, View::Touch] {
        for part in Part::ALL {
            let find = |row: &Row| {
                let found = row.discrimination.iter().find(|t| t.view == view && t.part == part.name());
                found.map(|t| t.result.area)
            };
            let (by, part) = (view.what(), lower(part));
            let area = find(row);
            list.between(
                format!("told apart by {by} at {TOLD_APART:.2} or less, {part}"),
                area.as_ref(),
                0.0,
                TOLD_APART,
            );
            // The rule band is what a network has to beat.
            let rules = c.rows.iter().find(|r| r.name == RULES).and_then(find);
            if let (Some(area), Some(rules)) = (area, rules) {
                let what = format!("told apart by {by} less surely than the rule band, {part}");
                let is = format!("{:.3} against {:.3}", area.value, rules.value);
                list.whether(what, is, area.high < rules.low);
            }
        }
    }
}

fn variety(list: &mut List, row: &Row) {
    let e = row.cell(Metric::ChordEntropy).and_then(|c| c.against_people);
    list.between(format!("chord entropy {VARIETY} of people's or more"), e.as_ref(), VARIETY, f64::MAX);
    for part in Part::ALL {
        let e = row.cell(Metric::DistinctBars(part)).and_then(|c| c.against_people);
        let what = format!("distinct bars {VARIETY} of people's or more, {}", lower(part));
        list.between(what, e.as_ref(), VARIETY, f64::MAX);
    }
    for part in Part::ALL {
        if let Some(cell) = row.cell(Metric::Stuck(part)) {
            let what = format!("never stuck on a bar for 16, {}", lower(part));
            list.whether(
                what,
                format!("{:.1} % of songs", cell.value.value * 100.0),
                cell.value.value == 0.0,
            );
        }
    }
}

fn told_styles(list: &mut List, study: &StyleStudy) {
    let chance = 1.0 / STYLES as f64;
    let Some(row) = study.rows.iter().find(|r| r.band == list.band) else { return };
    for (name, e) in study.names.iter().zip(&row.by_style) {
        if let Some(e) = e {
            let what = format!("style {name} told from eight bars clearly above chance ({chance:.3})");
            list.whether(what, estimate(Some(e)), e.low > chance);
        }
    }
}

/// The table of one band's targets.
pub fn tables(targets: &[Target]) -> Vec<Table> {
    let mut out: Vec<Table> = Vec::new();
    for group in targets.chunk_by(|a, b| a.band == b.band) {
        let met = group.iter().filter(|t| t.verdict == Verdict::Met).count();
        let title = format!("Targets of {}: {met} of {} met", group[0].band, group.len());
        let mut t = Table::new(title, ["", "target", "measured"]).names(3);
        // What is missed comes first.
        for verdict in [Verdict::Missed, Verdict::WithinChance, Verdict::Met] {
            for target in group.iter().filter(|t| t.verdict == verdict) {
                t.push([verdict.name(), &target.what, &target.is]);
            }
        }
        out.push(t);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::{Options, Played, compare};
    use crate::eval::controls::other_pianos;
    use crate::eval::fixtures;
    use crate::eval::song::Parts;
    use indicatif::ProgressBar;

    #[test]
    fn verdicts_look_at_the_figure_and_its_interval() {
        let e = |value, low, high| Estimate { value, low, high, songs: 9 };
        assert_eq!(Verdict::of(&e(0.9, 0.5, 1.5), 0.85, 1.15), Verdict::Met);
        assert_eq!(Verdict::of(&e(0.8, 0.7, 0.9), 0.85, 1.15), Verdict::WithinChance);
        assert_eq!(Verdict::of(&e(1.2, 1.1, 1.3), 0.85, 1.15), Verdict::WithinChance);
        assert_eq!(Verdict::of(&e(0.8, 0.7, 0.84), 0.85, 1.15), Verdict::Missed);
    }

    #[test]
    fn people_would_meet_every_target_and_a_metronome_does_not() {
        let songs = fixtures::songs(12, 32, 1);
        let people: Vec<Parts> = songs.iter().map(|s| s.people.clone()).collect();
        let played = [
            Played::new(PEOPLE, people.clone()),
            Played { pianos: other_pianos(&songs, 2, 1), ..Played::new(SHUFFLED, people.clone()) },
            Played::new("echo", people),
            Played::new("metronome", fixtures::metronome(&songs)),
        ];
        let options = Options { resamples: 50, seed: 1, discrimination: true, ..Options::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let c = compare(&songs, &played, &options, &ProgressBar::hidden(), &pool);
        let all = judge(&c, None, None, &[]);
        let of = |band: &str| all.iter().filter(|t| t.band == band).collect::<Vec<_>>();
        assert!(of("echo").len() > 30 && of(PEOPLE).is_empty());
        for t in of("echo") {
            assert_eq!(t.verdict, Verdict::Met, "{t:?}");
        }
        let missed = of("metronome").iter().filter(|t| t.verdict == Verdict::Missed).count();
        assert!(missed > 10, "{missed}");
        assert!(of("metronome").iter().any(|t| t.what.contains("stuck") && t.verdict == Verdict::Missed));
        assert_eq!(tables(&all).len(), 2);
    }
}
