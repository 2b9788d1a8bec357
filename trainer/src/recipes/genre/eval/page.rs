//! The evaluation as one page: tables, confusion matrices and loss curves.

use super::{GenreReport, of_one, overview};
use crate::data::Split;
use crate::recipes::genre::measure::picture;
use crate::report::Page;
use crate::report::table::Table;
use crate::train::curves;

/// The page as HTML.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn page(report: &GenreReport, split: Split) -> anyhow::Result<String> {
    let mut page = Page::new(&format!("Classifiers of genre, {split} split")).with_lead(
        "Balanced accuracy is the mean recall of the classes that the set has. Beside the majority class and a baseline \
         that is told programs and tempo only (notes), or mean and deviation of the mel bands (sound).",
    );
    let add = |page: &mut Page, tables: &[Table]| tables.iter().for_each(|t| page.table(t));
    page.section("All of them", "");
    add(&mut page, &overview(report));
    if !report.papers.is_empty() {
        page.section("Beside the papers", "");
        add(&mut page, &report.papers);
    }
    for (name, model, lines) in report.losses.iter().filter(|l| !l.2.is_empty()) {
        // Below the papers' tables, so that P2's two variants stand together.
        page.figure(&curves::picture(name, lines)?, &format!("{name} ({model}): losses"))?;
    }
    for m in report.figures.iter().filter(|m| m.beside.is_none()) {
        let title = format!("{}, {}", m.name, m.set);
        page.section(&title, "");
        page.figure(&picture::draw(&title, &m.classes, &m.confusion)?, &title)?;
        add(&mut page, &of_one(report, m));
    }
    if !report.steadiness.is_empty() {
        page.section("Bar by bar", "");
        report.steadiness.iter().for_each(|(name, s)| page.table(&s.table(name)));
    }
    Ok(page.html())
}
