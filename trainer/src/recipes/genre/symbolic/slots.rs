//! How often each source of each class is drawn.
//!
//! Several sources hold one genre each, so a classifier that sees every file equally often learns the largest
//! source of each class. An epoch has as many examples of each class as of any other, and within a class those
//! of a source by the number of its files to a power below 1.

use std::collections::BTreeMap;

use rand::Rng;
use rand_pcg::Pcg64;

/// The files of one class from one source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) class: usize,
    pub(super) source: String,
    /// Numbers of the files, one or more.
    pub(super) files: Vec<usize>,
}

/// The examples of an epoch: each is a draw from a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slots {
    pub(super) cells: Vec<Cell>,
    /// Cell of each example.
    of_examples: Vec<usize>,
}

impl Slots {
    /// About `count` examples of files with these classes and sources. `power` is 0 when each file of a class
    /// counts alike, 1 when each source does.
    pub(super) fn new(files: &[(usize, &str)], power: f64, count: usize) -> Self {
        let mut found: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
        for (i, &(class, source)) in files.iter().enumerate() {
            found.entry((class, source)).or_default().push(i);
        }
        let cells: Vec<Cell> = found
            .into_iter()
            .map(|((class, source), files)| Cell { class, source: source.to_owned(), files })
            .collect();
        let weight = |c: &Cell| (c.files.len() as f64).powf(1.0 - power);
        let mut of_class: BTreeMap<usize, f64> = BTreeMap::new();
        cells.iter().for_each(|c| *of_class.entry(c.class).or_default() += weight(c));
        let each = count as f64 / of_class.len().max(1) as f64;
        let mut of_examples = vec![];
        for (i, cell) in cells.iter().enumerate() {
            let share = (each * weight(cell) / of_class[&cell.class]).round().max(1.0) as usize;
            of_examples.extend(std::iter::repeat_n(i, share));
        }
        Self { cells, of_examples }
    }

    pub(super) fn len(&self) -> usize {
        self.of_examples.len()
    }

    pub(super) fn cell(&self, example: usize) -> &Cell {
        &self.cells[self.of_examples[example]]
    }

    /// A file for an example: any of its cell, the first one without a generator.
    pub(super) fn draw(&self, example: usize, rng: Option<&mut Pcg64>) -> usize {
        let files = &self.cell(example).files;
        files[rng.map_or(0, |rng| rng.random_range(0..files.len()))]
    }
}
