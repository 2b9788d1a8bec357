//! Every paper, quickly, on the small collection.

use super::*;

/// Runs a paper as `papers run PAPER --quick` does, and checks what it leaves. Run again it only reports.
pub(super) fn quickly(paper: &dyn Paper) {
    let dir = tempfile::tempdir().unwrap();
    let run = PaperRun::quick(&dir.path().join("report"));
    let execute = || {
        let mut report = run.report(&paper.info()).unwrap();
        paper.run(&run, &mut report).unwrap();
        report.finish().unwrap()
    };
    let (page, text) = execute();
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<table>") && html.contains("<img"), "the page has tables and pictures");
    assert!(!text.contains("NaN"), "{text}");
    for folder in ["tables", "figures"] {
        assert!(std::fs::read_dir(run.out.join(folder)).unwrap().count() > 0, "{folder}");
    }
    let changed = |name: &std::path::Path| std::fs::metadata(name).unwrap().modified().unwrap();
    let runs: Vec<_> = std::fs::read_dir(run.out.join("runs")).unwrap().flatten().map(|e| e.path()).collect();
    let stamps = || -> Vec<_> { runs.iter().map(|r| changed(&r.join("last.safetensors"))).collect() };
    let before = stamps();
    assert_eq!(execute().1, text, "the same run gives the same figures");
    assert_eq!(stamps(), before, "finished trainings are not done again");
}

#[test]
fn p1_runs() {
    quickly(&p1::P1);
}

#[test]
fn p2_runs() {
    quickly(&p2::P2);
}

#[test]
fn p3_runs() {
    quickly(&genre::P3);
}

#[test]
fn p4_runs() {
    quickly(&genre::P4);
}

#[test]
fn p5_runs() {
    quickly(&p5::P5);
}

#[test]
fn papers_have_names() {
    let mut ids: Vec<&str> = all().iter().map(|p| p.info().id).collect();
    ids.dedup();
    assert_eq!(ids.len(), all().len());
    for paper in all() {
        let a = paper.info();
        assert!(a.id.starts_with('p') && !a.what.is_empty() && !a.data.is_empty());
    }
}
