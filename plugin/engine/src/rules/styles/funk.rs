//! Funk and R&B: syncopated sixteenths, ghost notes, chops.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, STICKS, TRIPLETS};
use crate::kit::{BELL, CLAP, HAT, KICK, OPEN, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "funk",
    title: "Funk",
    programs: [36, 27, 48],
    genres: &[],
    labels: &["RnB-Funk"],
    broad_labels: &["RnB"],
    asked_fills: &fill::STICKS,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.6,
    strings_from: 65,
    rides: true,
    machine: false,
    crash_from: 40,
    half_time_from: 150.0,
    guitar_voices: 3,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 5, "X..............."),
        line(SNARE, 15, "....X.......X..."),
        line(HAT, 0, "x...x...x...x..."),
        line(HAT, 20, "..o...o...o...o."),
    ],
    drums: &[
        &[
            line(KICK, 8, "..........x....."),
            line(KICK, 32, "...x............"),
            line(KICK, 58, "..............x.").on(Bars::Odd),
            line(SNARE, 38, ".......g.g.....g"),
            line(HAT, 48, ".o.o.o.o.o.o.o.o"),
            line(OPEN, 52, "......x.........").on(Bars::Odd),
        ],
        &[
            line(KICK, 8, "......x...x....."),
            line(KICK, 55, ".............x..").on(Bars::Odd),
            line(SNARE, 36, ".g.....g.g......"),
            line(OPEN, 42, "..............x."),
            line(HAT, 62, ".o.o.o.o.o.o.o.o"),
        ],
        &[
            line(KICK, 8, "..x.......x....."),
            line(KICK, 45, "......x......x.."),
            line(SNARE, 32, ".......g.g.g...g"),
            line(HAT, 40, ".o.o.o.o.o.o.o.o"),
            line(OPEN, 58, "..............x.").on(Bars::Odd),
        ],
        &[
            line(KICK, 8, ".......x..x....."),
            line(KICK, 46, "..............xx").on(Bars::Odd),
            line(CLAP, 40, "....x.......x..."),
            line(SNARE, 48, "...g.....g......"),
            line(BELL, 58, "x...x...x...x..."),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R.........r.....", "R..r..8...r..7..", "R..rg.8.g.r.g78r"],
        ["R.....r...r.....", "R.....r...r8.7..", "R.g.g.r8..r8g7.a"],
        ["R.r.......r.....", "R.r...7...r..8..", "R.rg..78g.r.g8.g"],
        ["R......r........", "R......r..r.5.7.", "R.g8...rg.rr5g7."],
    ],
    lead: "............57.a",
    guitar: &[
        ["....m.......m...", "m..km..k..mk...k", "mkkmmk.kmkmkk.mk"],
        ["m...............", "m.....m...m.....", "m.kk..mkk.mk.kmk"],
        ["....M.......M...", "k.kkM.k.k.kkM.k.", "kkkkMkkmkkkkMkmk"],
        ["1.....3.........", "1..13..2.1..3..2", "1.k13.k2k1.k3.k2"],
    ],
    strings: &["m.........m.....", "", "......x...x....."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[
        line(KICK, 5, "X..........."),
        line(HAT, 0, "x...x...x..."),
        line(HAT, 20, "..o...o...o."),
        line(HAT, 55, ".o.o.o.o.o.o"),
    ],
    drums: &[
        &[
            line(SNARE, 15, "....X......."),
            line(SNARE, 38, ".......g.g.g"),
            line(KICK, 25, "......x....."),
            line(KICK, 58, "..........x.").on(Bars::Odd),
        ],
        &[
            line(SNARE, 15, "........X..."),
            line(KICK, 25, "...x........"),
            line(SNARE, 38, ".g...g......"),
            line(OPEN, 52, "......x.....").on(Bars::Odd),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R...........", "R..r..8..7..", "R..rg.8.g7.a"],
        ["R.....r.....", "R..r..r.8...", "R.gr.gr.8g7."],
    ],
    lead: "........57.a",
    guitar: &[
        ["....m.......", "m..km..k..m.", "mkkmmk.kmkmk"],
        ["m...........", "m.....m.....", "m.kk..mkk.mk"],
    ],
    strings: &["m.....m.....", ""],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 5, "X..........."),
        line(SNARE, 15, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 18, "..o.o...o.o."),
    ],
    drums: &[
        &[
            line(KICK, 30, "....x......."),
            line(SNARE, 40, "...g....g..g"),
            line(KICK, 58, ".........x..").on(Bars::Odd),
        ],
        &[
            line(KICK, 30, "........x..."),
            line(SNARE, 40, ".g.......g.."),
            line(OPEN, 52, "..........x.").on(Bars::Odd),
        ],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R...r.8..7..", "R.g.r.8g.7.a"],
        ["R.......r...", "R..r..5.7...", "R..rg.5.7g8."],
    ],
    lead: "......5.7.a.",
    guitar: &[
        ["......m.....", "m..k..m..k..", "m.kk.km.kk.k"],
        ["m...........", "m...m..k.m..", "m.k.mk..mk.k"],
    ],
    strings: &["m.......m...", ""],
};

// The half-time shuffle.
const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 5, "X..........."),
        line(SNARE, 12, "......X....."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 18, "..o..o..o..o"),
    ],
    drums: &[
        &[
            line(SNARE, 32, ".g..g..g..g."),
            line(KICK, 30, ".....x......"),
            line(KICK, 55, "...........x").on(Bars::Odd),
        ],
        &[
            line(SNARE, 36, ".g..g.....g."),
            line(KICK, 28, "..x.....x..."),
            line(OPEN, 52, "...........x").on(Bars::Fourth),
        ],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R....r......", "R....r8..7..", "R.g..r8.g7.a"],
        ["R...........", "R.r..57..5..", "R.r.g57.g5.8"],
    ],
    lead: ".........57a",
    guitar: &[
        ["...m.....m..", "k.mk..k.mk..", "k.mk.mk.mkkm"],
        ["m...........", "m....m...m..", "m.k..mk..mkk"],
    ],
    strings: &["m....m......", ""],
};
