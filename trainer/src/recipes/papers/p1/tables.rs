//! The tables and figures of losses.

use anyhow::Result;
use sideman_music::encoding::note_cells::{FAMILY_NAMES, FEATURE_NAMES, FEATURES};

use super::baseline::{Baseline, Baselines};
use super::loss::WindowLoss;
use super::songs::{GENRES, Origin, Window};
use super::study::{Material, Music, Study};
use crate::recipes::papers::{Report, draw};
use crate::report::table::{Table, number};

/// The paper's losses by genre: the mean, then piano, guitar, bass, drums.
const PAPER: [[Option<f64>; 5]; 3] = [
    [Some(0.71), Some(0.67), Some(1.22), Some(0.29), Some(0.65)],
    [Some(0.76), None, None, None, None],
    [None; 5],
];
/// The paper's order of the instruments, the most loss first, as far as it is stated.
const PAPER_ORDER: [&str; 3] =
    ["guitar, piano, drums, bass", "as pop rock (Figure 8)", "bass and drums above piano and guitar"];

fn shown(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), number)
}

/// The mean of means, where all are there.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let sum: Option<f64> = values.iter().copied().sum();
    sum.map(|s| s / values.len() as f64)
}

/// Loss of the networks of a genre by instrument; `None` where an instrument has no windows.
fn by_family(
    study: &Study<'_>,
    genre: usize,
    origin: Option<Origin>,
    feature: Option<usize>,
) -> [Option<f64>; 4] {
    std::array::from_fn(|family| {
        let found = study.found(Music::Genre(genre), false, family, genre)?;
        WindowLoss::mean(study.of_origin(found, origin), feature)
    })
}

/// The table of losses beside the paper's, and their order.
pub(super) fn losses(report: &mut Report, study: &Study<'_>, material: &[Material]) -> Result<()> {
    report.section(
        "Loss by genre and instrument",
        "Mean cross-entropy in nats of all cells of the next 15 s, empty ones among them, on the test split: the paper's \
         definition. Beside it that of people's songs and of rule-made bands alone, and of distributions that know \
         little: 'empty or anything' knows how many cells are empty; 'shares by column' how often each value stands in \
         each column; '15 s earlier' mixes these with the value in the same place of the 15 s before.",
    );
    let mut head = vec!["genre", "instrument", "paper", "ours", "people's songs", "rule-made bands"];
    head.extend(Baseline::ALL.map(Baseline::name));
    head.push("windows");
    let mut table = Table::new("Test loss, nats a cell", head).names(2);
    let mut orders = Table::new(
        "Instruments from the most loss to the least",
        ["genre", "paper", "ours", "people's songs", "rule-made bands"],
    );
    for m in material {
        let origins = [None, Some(Origin::People), Some(Origin::Rules)];
        let ours = origins.map(|o| by_family(study, m.genre, o, None));
        let known: Vec<Baselines> =
            (0..4).map(|family| Baselines::count(study.songs, &m.train, family)).collect();
        let baselines = Baseline::ALL.map(|which| -> [Option<f64>; 4] {
            std::array::from_fn(|family| {
                WindowLoss::mean(&known[family].losses(which, study.songs, &m.test, family), None)
            })
        });
        for row in 0..5 {
            let pick = |values: &[Option<f64>; 4]| if row == 0 { mean(values) } else { values[row - 1] };
            let name = if row == 0 { "mean" } else { FAMILY_NAMES[row - 1] };
            let mut cells = vec![GENRES[m.genre].name.to_owned(), name.to_owned()];
            cells.push(shown(PAPER[m.genre][row]));
            cells.extend(ours.iter().chain(&baselines).map(|v| shown(pick(v))));
            cells.push(m.test.len().to_string());
            table.push(cells);
        }
        let order = |values: &[Option<f64>; 4]| -> String {
            let mut found: Vec<(f64, &str)> =
                values.iter().zip(FAMILY_NAMES).filter_map(|(v, n)| Some(((*v)?, n))).collect();
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            let names: Vec<&str> = found.iter().map(|f| f.1).collect();
            if names.is_empty() { "-".to_owned() } else { names.join(", ") }
        };
        let mut row = vec![GENRES[m.genre].name.to_owned(), PAPER_ORDER[m.genre].to_owned()];
        row.extend(ours.iter().map(order));
        orders.push(row);
    }
    report.table("losses", &table)?;
    report.table("orders", &orders)
}

/// The table of losses by feature, and the distributions (Figures 7 to 12).
pub(super) fn features(report: &mut Report, study: &Study<'_>, material: &[Material]) -> Result<()> {
    report.section(
        "Loss by feature",
        "The same losses for pitch, duration and velocity. The distributions are of windows: a value is the mean of 15 s.",
    );
    let mut head = vec!["genre".to_owned(), "instrument".to_owned()];
    head.extend(FEATURE_NAMES.map(str::to_owned));
    head.push("velocity by pitch".to_owned());
    head.extend(FEATURE_NAMES.map(|f| format!("people's {f}")));
    head.push("people's velocity by pitch".to_owned());
    let mut table = Table::new("Test loss by feature, nats a cell", head).names(2);
    for m in material {
        for family in 0..4 {
            let mut row = vec![GENRES[m.genre].name.to_owned(), FAMILY_NAMES[family].to_owned()];
            for origin in [None, Some(Origin::People)] {
                let found: [Option<f64>; FEATURES] =
                    std::array::from_fn(|f| by_family(study, m.genre, origin, Some(f))[family]);
                row.extend(found.map(shown));
                row.push(shown(found[0].zip(found[2]).map(|(pitch, velocity)| velocity / pitch)));
            }
            table.push(row);
        }
    }
    report.table("features", &table)?;
    let values = |genre: usize, family: usize, feature: Option<usize>| -> Vec<f64> {
        let found = study.found(Music::Genre(genre), false, family, genre).unwrap_or_default();
        found.iter().map(|w| w.mean_cell(feature)).collect()
    };
    let mut figure = |name: &str, title: &str, caption: &str, groups: Vec<(String, Vec<f64>)>| {
        let groups: Vec<_> = groups.into_iter().filter(|g| !g.1.is_empty()).collect();
        if groups.is_empty() {
            return Ok(());
        }
        report.figure(name, caption, &draw::histograms(title, "nats a cell", &groups)?)
    };
    let by_instrument = |genre, feature| -> Vec<(String, Vec<f64>)> {
        FAMILY_NAMES.iter().enumerate().map(|(i, n)| ((*n).to_owned(), values(genre, i, feature))).collect()
    };
    let by_genre = |families: &[usize], feature| -> Vec<(String, Vec<f64>)> {
        let one = |&family: &usize| {
            GENRES.iter().enumerate().map(move |(g, genre)| {
                (format!("{} {}", genre.name, FAMILY_NAMES[family]), values(g, family, Some(feature)))
            })
        };
        families.iter().flat_map(one).collect()
    };
    let caption = |text: &str, number: u8| format!("{text} (Figure {number}); the line is the mean");
    let name = |genre: usize| GENRES[genre].name;
    for (genre, number) in [(0, 7), (1, 8), (2, 11)] {
        let title = format!("Loss by instrument, {}", name(genre));
        let file = format!("figure-{number}");
        figure(&file, &title, &caption(&title, number), by_instrument(genre, None))?;
    }
    let title = "Pitch loss of piano and guitar";
    figure(
        "figure-9",
        title,
        &caption("Pitch loss of melodic instruments by genre", 9),
        by_genre(&[0, 1], 0),
    )?;
    let title = format!("Pitch loss, {}", name(1));
    figure("figure-10", &title, &caption("Ballad, loss of pitch alone", 10), by_instrument(1, Some(0)))?;
    figure(
        "figure-12",
        "Velocity loss of drums",
        &caption("Drums, loss of velocity alone", 12),
        by_genre(&[3], 2),
    )
}

/// The paper's future work: only cells of notes, all genres at once.
pub(super) fn beyond(report: &mut Report, study: &Study<'_>, material: &[Material]) -> Result<()> {
    let first = material[0].genre;
    report.section(
        "Cells of notes alone",
        "The paper's advice: measure only cells in which a note begins. Both columns are losses of such cells; the first \
         network learned from all cells, the second from these alone.",
    );
    let mut head = vec!["instrument".to_owned(), "of all cells".to_owned()];
    for trained in ["trained on all", "trained on notes"] {
        head.push(trained.to_owned());
        head.extend(FEATURE_NAMES.iter().map(|f| (*f).to_owned()));
    }
    let title = format!("Test loss of cells with a note, {}", GENRES[first].name);
    let mut table = Table::new(title, head);
    for family in 0..4 {
        let both = [false, true].map(|onsets| study.found(Music::Genre(first), onsets, family, first));
        let [Some(all), Some(_)] = both else { continue };
        let mut row = vec![FAMILY_NAMES[family].to_owned(), shown(WindowLoss::mean(all, None))];
        for found in both.into_iter().flatten() {
            row.push(shown(WindowLoss::of_onsets(found, None)));
            row.extend((0..FEATURES).map(|f| shown(WindowLoss::of_onsets(found, Some(f)))));
        }
        table.push(row);
    }
    report.table("onsets", &table)?;
    report.section(
        "All genres at once",
        "One network an instrument, trained on the music of all genres, beside those of a genre: as many updates, drawn \
         from the windows of all.",
    );
    let mut table = Table::new(
        "Test loss, nats a cell",
        ["genre", "instrument", "its own genre", "all genres", "difference"],
    )
    .names(2);
    for m in material {
        for family in 0..4 {
            let of = |music| study.found(music, false, family, m.genre);
            let (Some(genre), Some(all)) = (of(Music::Genre(m.genre)), of(Music::All)) else { continue };
            let [genre, all] = [genre, all].map(|found| WindowLoss::mean(found, None));
            let difference =
                genre.zip(all).map_or("-".to_owned(), |(genre, all)| format!("{:+.3}", all - genre));
            let names = [GENRES[m.genre].name.to_owned(), FAMILY_NAMES[family].to_owned()];
            table.push(names.into_iter().chain([shown(genre), shown(all), difference]));
        }
    }
    report.table("all-genres", &table)
}

/// People's test songs alone, beside the baselines.
pub(super) fn people(report: &mut Report, study: &Study<'_>, material: &[Material]) -> Result<()> {
    let first = material[0].genre;
    let of_people = |windows: &[Window]| -> Vec<Window> {
        windows.iter().filter(|w| study.songs[w.song].origin == Origin::People).copied().collect()
    };
    let (train, test) = (of_people(&material[0].train), of_people(&material[0].test));
    if train.is_empty() || test.is_empty() {
        return Ok(());
    }
    report.section(
        "People's songs",
        &format!(
            "The paper's music is people's. Of the windows that the networks of {} learned from, {} of {} are; here are the \
             losses of people's test songs alone, {} windows, beside distributions that were counted on people's.",
            GENRES[first].name,
            train.len(),
            material[0].train.len(),
            test.len()
        ),
    );
    let mut head = vec!["instrument", "paper", "ours"];
    head.extend(Baseline::ALL.map(Baseline::name));
    let mut table = Table::new(format!("Test loss of people's {}, nats a cell", GENRES[first].name), head);
    let ours = by_family(study, first, Some(Origin::People), None);
    let plain: Vec<[Option<f64>; 3]> = (0..4)
        .map(|family| {
            let known = Baselines::count(study.songs, &train, family);
            Baseline::ALL.map(|b| WindowLoss::mean(&known.losses(b, study.songs, &test, family), None))
        })
        .collect();
    for row in 0..5 {
        let of = |values: Vec<Option<f64>>| if row == 0 { mean(&values) } else { values[row - 1] };
        let name = if row == 0 { "mean" } else { FAMILY_NAMES[row - 1] };
        let mut cells = vec![name.to_owned(), shown(PAPER[first][row]), shown(of(ours.to_vec()))];
        cells.extend((0..3).map(|b| shown(of(plain.iter().map(|p| p[b]).collect()))));
        table.push(cells);
    }
    report.table("people", &table)
}

/// What was trained.
pub(super) fn trainings(report: &mut Report, study: &Study<'_>) -> Result<()> {
    let mut table = Table::new("Trainings", ["name", "windows", "epochs", "valid loss", "seconds"]);
    for t in &study.trained {
        let o = &t.outcome;
        let row = [t.name.clone(), t.windows.to_string(), o.epochs.to_string()];
        table.push(row.into_iter().chain([number(o.loss), format!("{:.0}", o.seconds)]));
    }
    // Seconds differ from run to run, so this is not among the tables that are compared.
    report.attach("trainings", &table)
}
