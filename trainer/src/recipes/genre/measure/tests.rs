use super::figures::cross_entropy;
use super::*;

fn one(id: &str, class: usize, probabilities: &[f32]) -> Prediction {
    let file = id.split('#').next().unwrap_or(id);
    Prediction {
        id: id.into(),
        source: if class == 0 { "a" } else { "b" }.into(),
        group: file.into(),
        class,
        probabilities: probabilities.to_vec(),
    }
}

fn of(items: Vec<Prediction>) -> Predictions {
    let n = items[0].probabilities.len();
    Predictions { classes: (0..n).map(|i| format!("class {i}")).collect(), of_items: items }
}

#[test]
fn figures_are_those_of_their_definitions() {
    // Class 0: 3 of 4 told; class 1: 1 of 2, once told to be class 0; class 2 has no items and is told once.
    let p = of(vec![
        one("a", 0, &[0.8, 0.1, 0.1]),
        one("b", 0, &[0.8, 0.1, 0.1]),
        one("c", 0, &[0.8, 0.1, 0.1]),
        one("d", 0, &[0.1, 0.1, 0.8]),
        one("e", 1, &[0.1, 0.8, 0.1]),
        one("f", 1, &[0.8, 0.1, 0.1]),
    ]);
    let c = Confusion::new(&p, None);
    assert_eq!(c.0, [[3.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]);
    assert_eq!(c.accuracy(), Some(4.0 / 6.0));
    assert_eq!(c.balanced_accuracy(), Some(0.625));
    let f1 = (6.0 / 8.0 + 2.0 / 3.0 + 0.0) / 3.0;
    assert!((c.macro_f1().unwrap() - f1).abs() < 1e-12);
    assert_eq!(c.majority(), Some((4.0 / 6.0, 0.5)));
    // All are .8 sure and two thirds are right.
    assert!((calibration_error(&p.of_items, None).unwrap() - (0.8 - 4.0 / 6.0)).abs() < 1e-6);
    assert_eq!(Confusion::new(&Predictions { of_items: vec![], ..p }, None).accuracy(), None);
}

#[test]
fn windows_of_a_file_vote_by_their_mean() {
    let p = of(vec![
        one("x.mid#0", 1, &[0.6, 0.4]),
        one("x.mid#4", 1, &[0.1, 0.9]),
        one("y.mid#0", 0, &[0.7, 0.3]),
    ]);
    let files = p.by_file();
    assert_eq!(files.of_items.len(), 2);
    assert_eq!((files.of_items[0].file(), files.of_items[0].best()), ("x.mid", 1));
    let m = measure("model", "valid", &p, Calibration::default(), 50, 1);
    assert_eq!(m.by_file.unwrap().value, 1.0);
    assert!((m.accuracy.unwrap().value - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!((m.songs, m.files, m.sources["b"].items), (2, 2, 2));
    assert_eq!((m.sources["b"].accuracy.unwrap().value, m.sources["b"].songs), (0.5, 1));
    // A vote counts windows, however sure they are: of x one window each, and the first of equals is told.
    assert_eq!(p.by_vote().of_items[0].probabilities, [0.5, 0.5]);
    assert_eq!(m.by_vote.unwrap().value, 0.5);
}

/// A classifier that is .9 sure and right 6 times of 10.
fn too_sure() -> Predictions {
    let each = |i: usize| one(&i.to_string(), usize::from(i % 10 >= 6), &[0.9, 0.1]);
    of((0..200).map(each).collect())
}

#[test]
fn the_temperature_finds_the_accuracy() {
    let p = too_sure();
    let fitted = Calibration::fit(&p);
    let scaled = fitted.apply(&p);
    // Of two classes: the confidence with the least cross-entropy is the accuracy.
    assert!((scaled.of_items[0].confidence() - 0.6).abs() < 1e-3, "{fitted:?}");
    assert!(calibration_error(&scaled.of_items, None).unwrap() < 1e-3);
    assert!(calibration_error(&p.of_items, None).unwrap() > 0.29);
    assert!(cross_entropy(&scaled.of_items) < cross_entropy(&p.of_items));
}

#[test]
fn the_threshold_trades_answers_for_accuracy() {
    // Those that are surer are right more often.
    let items = (0..400).map(|i| {
        let sure = 0.5 + 0.5 * (i / 4) as f32 / 100.0;
        let right = (i % 4) as f32 / 4.0 < sure - 0.05;
        one(&i.to_string(), usize::from(!right), &[sure, 1.0 - sure])
    });
    let p = of(items.collect());
    let fitted = Calibration::fit(&p);
    let scaled = fitted.apply(&p);
    let all = Unsure::of(&scaled.of_items, 0.0);
    let sure = Unsure::of(&scaled.of_items, fitted.unsure);
    assert!(all.accuracy.unwrap() < calibrate::WANTED_ACCURACY);
    assert!(
        sure.accuracy.unwrap() >= calibrate::WANTED_ACCURACY && sure.answered >= calibrate::LEAST_ANSWERED
    );
    let less = Unsure::of(&scaled.of_items, fitted.unsure - 0.01);
    assert!(less.accuracy.unwrap() < calibrate::WANTED_ACCURACY, "the lowest threshold that does it");
}

#[test]
fn predictions_come_back_from_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    let p = of(vec![one("a,b.mid#8", 1, &[0.25, 0.75]), one("c", 0, &[1.0, 0.0])]);
    p.write(&path).unwrap();
    assert_eq!(Predictions::read(&path, &p.classes).unwrap(), p);
    std::fs::write(&path, "id,source,class,p0,p1\nx#1,s,1,0.5,0.5\n").unwrap();
    assert_eq!(Predictions::read(&path, &p.classes).unwrap().of_items[0].group, "x");
    for bad in [
        "id,source,class,p0\nx,s,0,1\n",
        "id,source,class,p0,p1\nx,s,2,1,0\n",
        "id,source,class,p0,p1\nx,s,0,1,1\n",
    ] {
        std::fs::write(&path, bad).unwrap();
        assert!(Predictions::read(&path, &p.classes).is_err(), "{bad}");
    }
}

#[test]
fn a_baseline_learns_three_clouds() {
    let rows: Vec<Vec<f32>> = (0..150)
        .map(|i| vec![(i % 3) as f32 * 2.0 + (i * 7 % 11) as f32 * 0.1, (i * 5 % 13) as f32])
        .collect();
    let classes: Vec<usize> = (0..150).map(|i| i % 3).collect();
    let baseline = Baseline::fit(&rows, &classes, 4, 1);
    for (row, &class) in rows.iter().zip(&classes) {
        let p = baseline.probabilities(row);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5 && p[3] == 0.0);
        assert_eq!(predictions::best(&p), class);
    }
}

#[test]
fn the_picture_darkens_what_was_told() {
    let p = too_sure();
    let classes = p.classes.clone();
    let drawn = picture::draw("test", &classes, &Confusion::new(&p, None)).unwrap();
    // Everything is told to be class 0: the first column is dark, the second is not.
    let blue = |x: u32, y: u32| drawn.get_pixel(x, y).0[0];
    assert!(blue(140, 100) < 30 && blue(140 + 72, 100) > 200);
}
