//! Bossa nova and its Latin neighbours: the clave on the rim, tumbao, the African bell in six.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{GENTLE, SOFT_COMPOUND, SOFT_TRIPLETS};
use crate::kit::{BELL, HAT, HIGH_TOM, KICK, LOW_TOM, PEDAL, RIM, SHAKER, SNARE, TAMBOURINE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "bossa",
    title: "Bossa nova",
    programs: [32, 24, 49],
    genres: &[],
    labels: &["Latin-Bossa"],
    broad_labels: &["Latin"],
    asked_fills: &fill::GENTLE,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.9,
    strings_from: 60,
    rides: true,
    machine: false,
    crash_from: 70,
    half_time_from: 999.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 5, "x.....x.X.....x."),
        line(HAT, 0, "x...o...x...o..."),
        line(HAT, 25, "..o...o...o...o."),
    ],
    drums: &[
        // The clave over two bars, with three in the first and with two.
        &[
            line(RIM, 12, "x.....x.....x.......x.....x....."),
            line(SHAKER, 60, "o.oxo.oxo.oxo.ox"),
            line(SNARE, 85, "...g......g....."),
        ],
        &[
            line(RIM, 12, "....x.....x.....x.....x.....x..."),
            line(PEDAL, 40, "....x.......x..."),
            line(SHAKER, 66, "o.oxo.oxo.oxo.ox"),
        ],
        // Samba.
        &[
            line(RIM, 12, "x..x..x...x..x.."),
            line(TAMBOURINE, 45, "o..oo..oo..oo..o"),
            line(LOW_TOM, 55, "........x......."),
            line(HIGH_TOM, 72, "..............x.").on(Bars::Odd),
        ],
        // Son, with a bell.
        &[
            line(RIM, 12, "x.....x.....x.......x...x......."),
            line(BELL, 48, "x...x...x...x..."),
            line(HIGH_TOM, 58, "............x.x."),
            line(LOW_TOM, 70, "......x........."),
        ],
    ],
    fills: &GENTLE,
    bass: &[
        ["R.......5.......", "R.....5.5.....r.", "R.....5.5..5..r."],
        ["R.......5.......", "R.....r.5.....5.", "R.....r.5...3.a."],
        ["R.......5.......", "R...r..55...5..r", "R..rr..55..55..r"],
        ["R.......5.......", "R.....5.....n...", "......5...3.n..."],
    ],
    lead: "............5.n.",
    guitar: &[
        ["x.......x.......", "x...x.....x...x.....x.....x...x.", "x..mx.m...x.m.x...m.x.m...x.m.xm"],
        ["b.......x.......", "b.x...x.b.x...x.", "b.xx..x.b.xx.xx."],
        ["x...............", "x..x..x...x..x..", "xk.x.kx.k.x.kx.k"],
        ["o...............", "x..1.3.d..1.3.d.", "x.1d.3.d1.3d.3.d"],
    ],
    strings: &["", "d.......t......."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[line(KICK, 5, "X.........x."), line(HAT, 0, "x...o...o..."), line(HAT, 25, "..o...o...o.")],
    drums: &[
        // Two against three.
        &[line(RIM, 12, "x.....x....."), line(SHAKER, 60, "o.oxo.oxo.ox")],
        &[line(RIM, 12, "x...x.......x.....x....."), line(HIGH_TOM, 60, "........x.x.").on(Bars::Odd)],
    ],
    fills: &GENTLE,
    bass: &[
        ["R...........", "R.....5.8...", "R.....5.8.5."],
        ["R...........", "R.......5.r.", "R.....r.5.a."],
    ],
    lead: "........5.a.",
    guitar: &[
        ["x...........", "x.....x.....", "b.x...x...x."],
        ["x...........", "b...x...x.m.", "b.x.x.m.x.m."],
    ],
    strings: &["", "d.....t....."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 5, "X.....x....."),
        line(PEDAL, 8, "x.....x....."),
        // The African bell, over two bars.
        line(BELL, 0, "o...o...o.o...o...o...o."),
    ],
    drums: &[
        &[line(HIGH_TOM, 42, "........o.x."), line(LOW_TOM, 58, "..x.........").on(Bars::Odd)],
        &[line(RIM, 38, "....x...x..."), line(SHAKER, 52, "o.o.o.o.o.o."), line(LOW_TOM, 66, "..........x.")],
    ],
    fills: &SOFT_COMPOUND,
    bass: &[
        ["R...........", "R...5.8.....", "R...5.8...5."],
        ["R.....5.....", "R...r.5...n.", "R.r.5.8.5.n."],
    ],
    lead: "......5...n.",
    guitar: &[
        ["x...........", "x...m...m...", "x...m.m.m.m."],
        ["o...........", "1.3.2.4.d...", "x.3.2.4.d.3."],
    ],
    strings: &["", "d.....t....."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[line(KICK, 5, "X.....x....."), line(PEDAL, 8, "x..x..x..x.."), line(BELL, 0, "o.o.oo.o.o.o")],
    drums: &[
        &[line(HIGH_TOM, 42, "....ox......"), line(LOW_TOM, 55, "..........x.")],
        &[line(RIM, 38, "..x..x....x."), line(SNARE, 62, ".......g...."), line(SHAKER, 50, "oooooooooooo")],
    ],
    fills: &SOFT_TRIPLETS,
    bass: &[
        ["R.....5.....", "R....5.8....", "R..5..8..5.n"],
        ["R.....r.....", "R.r..5...n..", "R.r..58..n.5"],
    ],
    lead: ".........5.n",
    guitar: &[
        ["x.....x.....", "x.m..m..m...", "x.m.mm.m.m.m"],
        ["o.....o.....", "1.32.4d.3.2.", "x.32.4d.324d"],
    ],
    strings: &["", "d.....t....."],
};
