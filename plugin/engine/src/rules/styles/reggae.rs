//! Reggae, counted slowly: the drop on two and four, the skank on every off-beat. Fast quarter notes are
//! counted in halves.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, OFFBEAT, TRIPLETS};
use crate::kit::{HAT, HIGH_TOM, KICK, OPEN, RIM, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "reggae",
    title: "Reggae",
    programs: [33, 28, 48],
    genres: &["reggae"],
    labels: &["Reggae"],
    broad_labels: &[],
    asked_fills: &fill::OFFBEAT,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.75,
    strings_from: 62,
    rides: false,
    machine: false,
    crash_from: 60,
    half_time_from: 112.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[line(HAT, 0, "x...x...x...x..."), line(HAT, 22, "..o...o...o...o.")],
    drums: &[
        // One drop.
        &[
            line(KICK, 0, "....X.......X..."),
            line(RIM, 8, "....x.......x..."),
            line(RIM, 48, ".......x..x.....").on(Bars::Odd),
            line(OPEN, 55, "..............x.").on(Bars::Fourth),
            line(HAT, 70, "...o...o...o...o"),
        ],
        // Steppers.
        &[
            line(KICK, 0, "X...X...X...X..."),
            line(SNARE, 8, "....x.......x..."),
            line(HAT, 45, "...o...o...o...o"),
            line(RIM, 58, "..x....x........").on(Bars::Odd),
        ],
        &[
            line(KICK, 0, "....X.......X..."),
            line(SNARE, 8, "....X.......X..."),
            line(RIM, 40, "...x......x....."),
            line(HIGH_TOM, 60, "..............x.").on(Bars::Odd),
            line(OPEN, 50, "......x.........").on(Bars::Odd),
        ],
        // Rockers.
        &[
            line(KICK, 0, "X.......X......."),
            line(SNARE, 8, "....X.......X..."),
            line(KICK, 35, "......x.......x."),
            line(RIM, 55, ".........x.x....").on(Bars::Odd),
        ],
    ],
    fills: &OFFBEAT,
    bass: &[
        ["R.......5.......", "R..r..3...5...3.", "R..r..3.5.5.r.3."],
        ["R.......r.......", "R.r.r...5.5.3...", "R.r.r.3.5.5.3.r."],
        ["R.......8.......", "R.....5.8...5...", "R...r.5.8..75..."],
        ["R.......r.......", "R.rr....r.5.....", "R.rr..g.r.5.3.5."],
    ],
    lead: "............5.3.",
    guitar: &[
        ["..m...m...m...m.", "..m...m...m...mk", "..mk..mk..mk..mm"],
        ["..m...m...m...m.", "k.m...m.k.m...m.", "k.mk..m.k.mk..mm"],
        ["..m.......m.....", "..M...M...M...M.", "..Mk..Mk..Mk..Mu"],
        ["..m...m...m...m.", "..m.k.m...m.k.m.", ".km.kkm..km.kkm."],
    ],
    strings: &["", "..m...m...m...m.", "d.......t......."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[line(HAT, 0, "x...x...x..."), line(HAT, 22, "..o...o...o.")],
    drums: &[
        &[
            line(KICK, 0, "........X..."),
            line(RIM, 8, "........x..."),
            line(RIM, 50, "...x..x.....").on(Bars::Odd),
        ],
        &[
            line(KICK, 0, "X...X...X..."),
            line(SNARE, 8, "........x..."),
            line(OPEN, 52, "......x.....").on(Bars::Odd),
        ],
    ],
    fills: &OFFBEAT,
    bass: &[
        ["R...........", "R..r..3.5...", "R..r..3.5.3."],
        ["R.......5...", "R.....5.8...", "R...r.5.8.5."],
    ],
    lead: "........5.3.",
    guitar: &[
        ["..m...m...m.", "..m...m...mk", "..mk..mk..mm"],
        ["..m.........", "k.m...m...m.", "k.mk..m.k.m."],
    ],
    strings: &["", "..m...m...m."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[line(HAT, 0, "x.....x....."), line(HAT, 18, "..o.o...o.o.")],
    drums: &[
        &[
            line(KICK, 0, "......X....."),
            line(RIM, 8, "......x....."),
            line(RIM, 50, "....x.......").on(Bars::Odd),
        ],
        &[
            line(KICK, 0, "X.....X....."),
            line(SNARE, 8, "......x....."),
            line(OPEN, 55, "....x.......").on(Bars::Odd),
        ],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R...r.3.5...", "R...r.3.5.3."],
        ["R.....5.....", "R.....5.8...", "R.r...5.8.5."],
    ],
    lead: "......5...3.",
    guitar: &[
        ["....m.....m.", "....m.....mk", "..k.m...k.m."],
        ["....m.......", "....M.....M.", "k...M.k...Mu"],
    ],
    strings: &["", "....m.....m."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[line(HAT, 0, "x..x..x..x.."), line(HAT, 20, "..o..o..o..o")],
    drums: &[
        &[
            line(KICK, 0, "...X.....X.."),
            line(RIM, 8, "...x.....x.."),
            line(RIM, 50, ".....x.x....").on(Bars::Odd),
        ],
        &[
            line(KICK, 0, "X..X..X..X.."),
            line(SNARE, 8, "...x.....x.."),
            line(HIGH_TOM, 58, "..........xx").on(Bars::Fourth),
        ],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R.....5.....", "R.r..35....3", "R.r..35.5r.3"],
        ["R.....r.....", "R....58..5..", "R..r.58.75.3"],
    ],
    lead: ".........5.3",
    guitar: &[
        ["..m..m..m..m", "..m..m..m.km", "..m.km..m.km"],
        ["..m.....m...", "..M..M..M..M", "k.M..Mk.M.kM"],
    ],
    strings: &["", "..m..m..m..m"],
};
