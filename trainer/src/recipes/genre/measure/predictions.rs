//! What a classifier said of each item, and its exchange as CSV.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What stands between the name of a file and the number of a window of it in an id.
pub const WINDOW_MARK: char = '#';

/// Why predictions cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    /// The file cannot be read or written.
    #[error("cannot read or write {path}: {source}; check the path and the permissions")]
    Csv {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: csv::Error,
    },
    /// A column is missing.
    #[error(
        "{path} has no column {column}: predictions have id,source,class,p0..pn and, if songs have versions, group"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A value makes no sense.
    #[error("{path}, line {line}: {what}; write the predictions again")]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// What a classifier said of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The item; a window of a file is `FILE#NUMBER`.
    pub id: String,
    /// Where the item comes from.
    pub source: String,
    /// Versions of one piece share a group; intervals draw groups.
    pub group: String,
    /// Number of its true class.
    pub class: usize,
    /// Probability of each class; they sum to 1.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    /// The class with the highest probability, the first of equals.
    pub fn best(&self) -> usize {
        best(&self.probabilities)
    }

    /// The highest probability.
    pub fn confidence(&self) -> f32 {
        self.probabilities[self.best()]
    }

    /// The id without the window's number.
    pub fn file(&self) -> &str {
        let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        self.id.rsplit_once(WINDOW_MARK).filter(|p| number(p.1)).map_or(&self.id, |p| p.0)
    }
}

/// The place of the highest value, the first of equals; 0 of none.
pub(super) fn best(values: &[f32]) -> usize {
    let mut at = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[at] {
            at = i;
        }
    }
    at
}

/// What a classifier said of a set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// Names of the classes by number.
    pub classes: Vec<String>,
    /// One for each item.
    pub of_items: Vec<Prediction>,
}

impl Predictions {
    /// One prediction a file: the mean of the probabilities of its windows, in the order of the files' names.
    pub fn by_file(&self) -> Self {
        self.joined(|sum, window| sum.iter_mut().zip(&window.probabilities).for_each(|(s, p)| *s += p))
    }

    /// One prediction a file: the share of its windows that said each class (P4's vote).
    pub fn by_vote(&self) -> Self {
        self.joined(|sum, window| sum[window.best()] += 1.0)
    }

    /// One prediction a file, divided by the number of its windows.
    fn joined(&self, add: impl Fn(&mut [f32], &Prediction)) -> Self {
        let mut files: BTreeMap<&str, Vec<&Prediction>> = BTreeMap::new();
        for p in &self.of_items {
            files.entry(p.file()).or_default().push(p);
        }
        let of_items = files.into_iter().map(|(file, windows)| {
            let mut sum = vec![0f32; self.classes.len()];
            windows.iter().for_each(|window| add(&mut sum, window));
            sum.iter_mut().for_each(|s| *s /= windows.len() as f32);
            Prediction { id: file.to_owned(), probabilities: sum, ..windows[0].clone() }
        });
        Self { of_items: of_items.collect(), classes: self.classes.clone() }
    }

    /// Those of which `keep` says so.
    pub fn filtered(&self, keep: impl Fn(&Prediction) -> bool) -> Self {
        let of_items = self.of_items.iter().filter(|p| keep(p)).cloned().collect();
        Self { classes: self.classes.clone(), of_items }
    }

    /// Sources with their number of items.
    pub fn sources(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        self.of_items.iter().for_each(|p| *counts.entry(p.source.as_str()).or_default() += 1);
        counts
    }

    /// Writes `id,source,class,group,p0..pn`, the class as its number.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PredictionError> {
        let fail = |source| PredictionError::Csv { path: path.to_owned(), source };
        let mut out = csv::Writer::from_path(path).map_err(fail)?;
        let mut head: Vec<String> = ["id", "source", "class", "group"].map(String::from).to_vec();
        head.extend((0..self.classes.len()).map(|i| format!("p{i}")));
        out.write_record(&head).map_err(fail)?;
        for p in &self.of_items {
            let mut row = vec![p.id.clone(), p.source.clone(), p.class.to_string(), p.group.clone()];
            row.extend(p.probabilities.iter().map(f32::to_string));
            out.write_record(&row).map_err(fail)?;
        }
        out.flush().map_err(|e| fail(e.into()))
    }

    /// Reads what [`Predictions::write`] wrote. Columns are found by name; without `group` each file is a group
    /// of its own. `classes` are the names; there must be a probability for each.
    ///
    /// # Errors
    /// When the file cannot be read, a column is missing, or the probabilities are none.
    pub fn read(path: &Path, classes: &[String]) -> Result<Self, PredictionError> {
        let fail = |source| PredictionError::Csv { path: path.to_owned(), source };
        let mut file = csv::Reader::from_path(path).map_err(fail)?;
        let head = file.headers().map_err(fail)?.clone();
        let column = |name: &str| head.iter().position(|h| h == name);
        let needed = |name: &str| {
            column(name)
                .ok_or_else(|| PredictionError::Column { path: path.to_owned(), column: name.to_owned() })
        };
        let (id, source, class) = (needed("id")?, needed("source")?, needed("class")?);
        let places = (0..classes.len()).map(|i| needed(&format!("p{i}"))).collect::<Result<Vec<_>, _>>()?;
        let group = column("group");
        let mut of_items = Vec::new();
        for (row, record) in file.records().enumerate() {
            let record = record.map_err(fail)?;
            let wrong = |what: &str| PredictionError::Value {
                path: path.to_owned(),
                line: row + 2,
                what: what.into(),
            };
            let text = |at: usize| record.get(at).unwrap_or_default().to_owned();
            let class = text(class).parse().ok().filter(|&c: &usize| c < classes.len());
            let class = class.ok_or_else(|| wrong("the class is not the number of one"))?;
            let probabilities: Vec<f32> =
                places.iter().map(|&p| text(p).parse().unwrap_or(f32::NAN)).collect();
            let sum: f32 = probabilities.iter().sum();
            if probabilities.iter().any(|p| !(0.0..=1.001).contains(p)) || (sum - 1.0).abs() > 0.01 {
                return Err(wrong("the probabilities do not sum to 1"));
            }
            let mut one =
                Prediction { id: text(id), source: text(source), group: String::new(), class, probabilities };
            one.group = group.map_or_else(|| one.file().to_owned(), text);
            of_items.push(one);
        }
        Ok(Self { classes: classes.to_vec(), of_items })
    }
}
