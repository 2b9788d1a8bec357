//! The evaluation as one page that needs nothing else: tables, confusion matrices and loss curves.

use super::{Report, of_one, overview};
use crate::corpus::Split;
use crate::evaluate::page::STYLE_SHEET;
use crate::evaluate::page::picture::figure;
use crate::evaluate::table::{Table, escaped};
use crate::genre::measure::picture;
use crate::train::curves;

/// Writes the page.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn page(report: &Report, split: Split) -> anyhow::Result<String> {
    let html = |tables: &[Table]| tables.iter().map(Table::html).collect::<String>();
    let mut body = String::from("<h2>All of them</h2>\n") + &html(&overview(report));
    if !report.papers.is_empty() {
        body += "<h2>Beside the papers</h2>\n";
        body += &html(&report.papers);
    }
    for (name, model, lines) in report.losses.iter().filter(|l| !l.2.is_empty()) {
        // Below the papers' tables, so that P2's two variants stand together.
        body += &figure(&curves::picture(name, lines)?, &format!("{name} ({model}): losses"))?;
    }
    for m in report.figures.iter().filter(|m| m.beside.is_none()) {
        let title = format!("{}, {}", m.name, m.set);
        body += &format!("<h2>{}</h2>\n", escaped(&title));
        body += &figure(&picture::draw(&title, &m.classes, &m.confusion)?, &title)?;
        body += &html(&of_one(report, m));
    }
    if !report.steadiness.is_empty() {
        body += "<h2>Bar by bar</h2>\n";
        body += &html(&report.steadiness.iter().map(|(name, s)| s.table(name)).collect::<Vec<_>>());
    }
    let title = format!("Classifiers of genre, {split} split");
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>{STYLE_SHEET}</style>\n<h1>{title}</h1>\n\
         <p>Balanced accuracy is the mean recall of the classes that the set has. Beside the majority class and a \
         baseline that is told programs and tempo only (notes), or mean and deviation of the mel bands (sound).</p>\n\
         {body}</html>\n"
    ))
}
