//! What measurements are shown in: tables and pictures, on a page or in a folder, and files that appear whole or not
//! at all.

pub(crate) mod canvas;
mod page;
pub(crate) mod picture;
pub mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::RgbImage;

pub(crate) use page::Page;
use table::Table;

use crate::train::curves;

/// A folder with a page, its tables as CSV and its figures as PNG. Tables and figures are on the disk as soon as they
/// are given, the page with [`Report::finish`].
#[derive(Debug)]
pub struct Report {
    out: PathBuf,
    page: Page,
    /// The tables as text, for the terminal.
    text: String,
}

impl Report {
    /// An empty one in a folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(out: &Path, title: &str) -> anyhow::Result<Self> {
        for name in ["tables", "figures"] {
            make_folder(&out.join(name))?;
        }
        Ok(Self { out: out.to_owned(), page: Page::new(title), text: String::new() })
    }

    /// A heading and text under it; empty lines part paragraphs.
    pub fn section(&mut self, title: &str, text: &str) {
        self.page.section(title, text);
    }

    /// A table, and the same as `tables/NAME.csv`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn table(&mut self, name: &str, table: &Table) -> anyhow::Result<()> {
        self.attach(name, table)?;
        self.page.table(table);
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
        self.page.push(&picture::figure_of(picture, &png, caption));
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
        let path = self.out.join("index.html");
        write_whole(&path, self.page.html().as_bytes())?;
        Ok((path, self.text))
    }
}

/// Makes a folder, and those that it lies in.
pub(crate) fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file whole or not at all: beside its place first, then renamed.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(path, bytes)
        .with_context(|| format!("could not write {}: is its folder there and writable?", path.display()))
}

/// As [`write_whole`], with the bare cause of a failure.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_whole_or_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let e = write_whole(&folder.path().join("none/out.json"), b"x").unwrap_err().to_string();
        assert!(e.contains("none"), "{e}");
    }
}
