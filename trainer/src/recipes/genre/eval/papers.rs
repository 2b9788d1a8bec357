//! Figures of the papers' models beside the papers' own.

use super::sound::{LAST_TEN, OF_TRAINING_SONGS};
use crate::recipes::genre::measure::Measured;
use crate::report::table::{Table, estimate};

/// Seconds of P3's clips.
const SECONDS: [usize; 4] = [1, 5, 15, 30];
/// P3's networks, and their accuracy in its two tables (section 3). It has no figures of its CRNN.
const P3: [(&str, &str, [Option<f64>; 4]); 3] = [
    ("rnn", "RNN", [Some(0.14), Some(0.21), Some(0.15), Some(0.14)]),
    ("cnn", "CNN", [Some(0.17), Some(0.21), Some(0.35), Some(0.42)]),
    ("crnn", "CRNN", [None; 4]),
];
/// P4's models: accuracy by part, and by song (sections 4.1 and 4.2). Of the RNN by song it says that it is lower.
const P4: [(&str, &str, &str, &str); 2] = [
    ("p4-bach", "Bach, CNN", "0.826", "0.900 (45 of 50)"),
    ("p4-beethoven", "Beethoven, RNN", "0.834", "lower"),
];

/// The tables of the papers of whose models something was measured.
pub(super) fn tables(figures: &[Measured]) -> Vec<Table> {
    let all = [p2(figures), p3(figures, "", LAST_TEN), p3(figures, "-filtered", "valid"), p4(figures)];
    all.into_iter().filter(|t| !t.is_empty()).collect()
}

/// P2: the linear and the non-linear CNN.
fn p2(figures: &[Measured]) -> Table {
    let head = ["set", "model", "files", "accuracy", "balanced", "macro-F1", "majority", "paper"];
    let title = "P2: linear and non-linear CNN on piano-rolls. The paper's test has as many files of each of its ten \
                 classes, which is balanced accuracy here";
    let mut table = Table::new(title, head).names(2);
    for (model, paper) in [("p2-linear", "worse, but for rock"), ("p2", "0.60")] {
        for m in figures.iter().filter(|m| m.model == model) {
            table.push([
                m.set.clone(),
                m.name.clone(),
                m.files.to_string(),
                estimate(m.accuracy.as_ref()),
                estimate(m.balanced.as_ref()),
                estimate(m.macro_f1.as_ref()),
                m.majority.map_or_else(|| "-".to_owned(), |m| format!("{:.3}", m.0)),
                paper.to_owned(),
            ]);
        }
    }
    table
}

/// P3: networks by the length of clips, as measured on a set.
fn p3(figures: &[Measured], ending: &str, set: &str) -> Table {
    let mut head = vec!["accuracy".to_owned()];
    head.extend(SECONDS.map(|s| format!("{s} s")));
    let tracks = match ending {
        "" => "trained on all but the last ten of each genre, tested on these",
        _ => "the fault-filtered split, valid",
    };
    let mut table = Table::new(format!("P3: GTZAN's mel spectrograms by network and clip, {tracks}"), head);
    for (kind, title, paper) in P3 {
        let ours = SECONDS.map(|s| {
            let model = format!("p3-{kind}-{s}s{ending}");
            figures.iter().find(|m| m.model == model && m.set == set).and_then(|m| m.accuracy)
        });
        if ours.iter().all(Option::is_none) {
            continue;
        }
        if ending.is_empty() && paper.iter().any(Option::is_some) {
            let cells = paper.map(|p| p.map_or_else(|| "-".to_owned(), |p| format!("{p:.2}")));
            table.push(std::iter::once(format!("{title}, paper")).chain(cells));
        }
        table.push(std::iter::once(title.to_owned()).chain(ours.iter().map(|e| estimate(e.as_ref()))));
    }
    table
}

/// P4: by part of the songs that were trained on, and by songs that were not.
fn p4(figures: &[Measured]) -> Table {
    let head = [
        "model",
        "parts of training songs",
        "paper's",
        "songs never seen",
        "their parts",
        "gap",
        "the songs, by vote",
        "paper's",
        "majority",
    ];
    let title =
        "P4: what validating by parts of training songs hides (the paper on GTZAN, here on rendered MIDI)";
    let mut table = Table::new(title, head);
    for (model, name, part, song) in P4 {
        for unseen in figures.iter().filter(|m| m.model == model && m.set != OF_TRAINING_SONGS) {
            let seen = figures.iter().find(|m| m.name == unseen.name && m.set == OF_TRAINING_SONGS);
            let seen = seen.and_then(|m| m.accuracy);
            let gap = seen.zip(unseen.accuracy).map(|(s, u)| s.value - u.value);
            table.push([
                name.to_owned(),
                estimate(seen.as_ref()),
                part.to_owned(),
                format!("{}, {}", unseen.songs, unseen.set),
                estimate(unseen.accuracy.as_ref()),
                gap.map_or_else(|| "-".to_owned(), |g| format!("{g:.3}")),
                estimate(unseen.by_vote.as_ref()),
                song.to_owned(),
                unseen.majority.map_or_else(|| "-".to_owned(), |m| format!("{:.3}", m.0)),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes::genre::measure::{Calibration, Prediction, Predictions, measure};

    /// Figures of a model that is right `right` times of ten, each item a file of two parts.
    fn figures(model: &str, set: &str, right: usize) -> Measured {
        let part = |i: usize| Prediction {
            id: format!("{}#{}", i / 2, i % 2),
            source: "fixtures".into(),
            group: (i / 2).to_string(),
            class: 0,
            probabilities: if i < 2 * right { vec![0.9, 0.1] } else { vec![0.2, 0.8] },
        };
        let said = Predictions {
            classes: ["a", "b"].map(String::from).into(),
            of_items: (0..20).map(part).collect(),
        };
        let m = measure(&format!("run of {model}"), set, &said, Calibration::default(), 20, 1);
        Measured { model: model.into(), ..m }
    }

    fn value(cell: &str) -> f64 {
        cell.split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn p3_has_the_papers_rows_and_columns() {
        let all = [
            figures("p3-cnn-30s", LAST_TEN, 4),
            figures("p3-cnn-1s", LAST_TEN, 2),
            figures("p3-crnn-15s", LAST_TEN, 5),
            // Tracks that were trained on do not count.
            figures("p3-rnn-5s", "valid, trained on", 10),
        ];
        let [table] = &tables(&all)[..] else { panic!("one table") };
        let names: Vec<&str> = table.rows.iter().map(|r| r[0].as_str()).collect();
        assert_eq!(names, ["accuracy", "CNN, paper", "CNN", "CRNN"]);
        assert_eq!(table.rows[1], ["CNN, paper", "0.17", "0.21", "0.35", "0.42"]);
        let cnn = &table.rows[2];
        assert_eq!((value(&cnn[1]), cnn[2].as_str(), cnn[3].as_str(), value(&cnn[4])), (0.2, "-", "-", 0.4));
        assert_eq!(value(&table.rows[3][3]), 0.5);
    }

    #[test]
    fn p4_shows_what_parts_of_training_songs_hide() {
        let all = [figures("p4-bach", OF_TRAINING_SONGS, 9), figures("p4-bach", "valid", 5)];
        let [table] = &tables(&all)[..] else { panic!("one table") };
        let row = &table.rows[1];
        assert_eq!((value(&row[1]), value(&row[4]), row[5].as_str()), (0.9, 0.5, "0.400"));
        assert_eq!((row[3].as_str(), value(&row[6])), ("10, valid", 0.5));
    }

    #[test]
    fn p2_sets_linear_beside_non_linear() {
        let all = [figures("p2", "valid", 7), figures("p2-linear", "valid", 3), figures("band", "valid", 1)];
        let [table] = &tables(&all)[..] else { panic!("one table") };
        let found: Vec<(&str, f64, &str)> =
            table.rows[1..].iter().map(|r| (r[1].as_str(), value(&r[4]), r[7].as_str())).collect();
        assert_eq!(found, [("run of p2-linear", 0.3, "worse, but for rock"), ("run of p2", 0.7, "0.60")]);
    }
}
