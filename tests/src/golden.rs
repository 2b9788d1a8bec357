//! What the rule band plays to a fixed piano, as text with one note a line. When it changes on purpose:
//! run the tests with SIDEMAN_UPDATE_GOLDENS=1, look at the difference, and commit it.

use std::fmt::Write;
use std::path::Path;

use sideman_engine::style::Style;
use sideman_engine::{Controls, Performance, RuleBand};
use sideman_music::{MeterMap, Part, TempoMap};

use super::piano;

fn text(style: Style) -> String {
    let (meters, tempos) = (MeterMap::default(), TempoMap::default());
    let piano = piano(4);
    // On the grid, so that a change of timing is not a change of everything.
    let settings = Controls { seed: 1, humanize: 0.0, ..Controls::default() }.into();
    let performance = Performance::new(&piano, &meters, &tempos, settings).unwrap();
    let rendered = performance.render(&mut RuleBand::new(style), &mut |_| {});
    let mut out = String::new();
    for part in Part::ALL {
        for n in rendered.part(part) {
            let at = meters.position(n.onset);
            writeln!(
                out,
                "{part} bar {} beat {:.3} pitch {} length {} velocity {}",
                at.bar + 1,
                1.0 + at.offset as f64 / 480.0,
                n.pitch,
                n.length,
                n.velocity
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn the_rule_band_plays_as_before() {
    for style in [Style::PopRock, Style::JazzSwing] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("goldens/rules-{style}.txt"));
        let now = text(style);
        assert!(now.lines().count() > 40);
        if std::env::var_os("SIDEMAN_UPDATE_GOLDENS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = before.lines().zip(now.lines()).find(|(a, b)| a != b);
        assert!(
            before == now,
            "{} differs ({} lines before, {} now; first: {changed:?}). If that was meant, run again with \
             SIDEMAN_UPDATE_GOLDENS=1 and look at the difference",
            path.display(),
            before.lines().count(),
            now.lines().count()
        );
    }
}
