//! What a run leaves: a page, its tables as CSV, its figures as PNG.

use std::path::{Path, PathBuf};

use anyhow::Context;
use image::RgbImage;

use super::{PaperInfo, PaperRun};
use crate::evaluate::page::{STYLE_SHEET, picture};
use crate::evaluate::table::{Table, escaped};
use crate::evaluate::write_whole;
use crate::train::curves;

/// A report that is being filled. Tables and figures are on the disk as soon as they are given, the page with
/// [`Report::finish`].
#[derive(Debug)]
pub struct Report {
    out: PathBuf,
    title: String,
    body: String,
    /// The tables as text, for the terminal.
    text: String,
}

impl Report {
    /// An empty one in the folder of a job.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(info: &PaperInfo, run: &PaperRun) -> anyhow::Result<Self> {
        for name in ["tables", "figures"] {
            let folder = run.out.join(name);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let id = info.id.to_uppercase();
        let title = format!("{id}: {}", info.title);
        Ok(Self { out: run.out.clone(), title, body: String::new(), text: String::new() })
    }

    /// A heading and text under it; empty lines part paragraphs.
    pub fn section(&mut self, title: &str, text: &str) {
        self.body += &format!("<h2>{}</h2>\n", escaped(title));
        for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
            self.body += &format!("<p>{}</p>\n", escaped(paragraph));
        }
    }

    /// A table, and the same as `tables/NAME.csv`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn table(&mut self, name: &str, table: &Table) -> anyhow::Result<()> {
        self.attach(name, table)?;
        self.body += &table.html();
        self.text += &format!("{}\n", table.text());
        Ok(())
    }

    /// A table as `tables/NAME.csv` alone, where it is too long for the page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn attach(&self, name: &str, table: &Table) -> anyhow::Result<()> {
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
        for row in &table.rows {
            csv.write_record(row)?;
        }
        let bytes = csv.into_inner().context("cannot finish the table")?;
        write_whole(&self.out.join("tables").join(format!("{name}.csv")), &bytes)
    }

    /// A picture, and the same as `figures/NAME.png`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn figure(&mut self, name: &str, caption: &str, picture: &RgbImage) -> anyhow::Result<()> {
        let png = picture::png(picture)?;
        write_whole(&self.out.join("figures").join(format!("{name}.png")), &png)?;
        self.body += &picture::figure_of(picture, &png, caption);
        Ok(())
    }

    /// The loss curves of a training, from its log.
    ///
    /// # Errors
    /// When the log cannot be read or the file not be written.
    pub fn curves(&mut self, name: &str, caption: &str, run: &Path) -> anyhow::Result<()> {
        let picture = curves::picture(name, &curves::read(run)?)?;
        self.figure(name, caption, &picture)
    }

    /// Writes the page, and returns its path with all tables as text.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> anyhow::Result<(PathBuf, String)> {
        let (title, body) = (escaped(&self.title), &self.body);
        let path = self.out.join("index.html");
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>{STYLE_SHEET}</style>\n<h1>{title}</h1>\n{body}</html>\n"
        );
        write_whole(&path, page.as_bytes())?;
        Ok((path, self.text))
    }
}
