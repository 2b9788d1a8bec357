//! House and disco: four on the floor, open hats between, octaves.

use super::super::groove::{Bars, Fills, Groove, StyleData, line};
use super::fills::MACHINE;
use crate::kit::{CLAP, HAT, KICK, OPEN, RIM, SHAKER, SNARE, TAMBOURINE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "house",
    title: "House",
    programs: [38, 28, 50],
    genres: &["disco"],
    labels: &["House-Techno"],
    broad_labels: &[],
    asked_fills: &fill::MACHINE,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.6,
    strings_from: 35,
    rides: false,
    machine: true,
    crash_from: 40,
    half_time_from: 999.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 0, "X...X...X...X..."),
        line(OPEN, 12, "..x...x...x...x."),
        line(CLAP, 20, "....X.......X..."),
    ],
    drums: &[
        &[
            line(HAT, 40, "x...x...x...x..."),
            line(HAT, 60, ".o.o.o.o.o.o.o.o"),
            line(TAMBOURINE, 75, "..x...x...x...x.").on(Bars::Second),
        ],
        &[
            line(HAT, 35, "xo..xo..xo..xo.."),
            line(RIM, 50, "...x..x....x...."),
            line(SNARE, 70, ".......g.......g"),
        ],
        &[
            line(SNARE, 30, "....x.......x..."),
            line(HAT, 30, "x..ox..ox..ox..o"),
            line(TAMBOURINE, 58, "x.xxx.xxx.xxx.xx").on(Bars::Second),
            line(KICK, 80, "..............x.").on(Bars::Fourth),
        ],
        &[
            line(SHAKER, 35, "o.oxo.oxo.oxo.ox"),
            line(RIM, 45, "x..x..x...x.x..."),
            line(HAT, 68, "x...x...x...x..."),
        ],
    ],
    fills: &MACHINE,
    bass: &[
        ["R.......r.......", "R..r..r.R..r..r.", "R.rr..r8R.rr..r8"],
        ["R.....r.......r.", "R.r...r...r...r.", "R.rr..r8..rr..87"],
        ["R...8...R...8...", "R.8.R.8.R.8.R.8.", "R.8gR.8gR.8gR.8a"],
        ["R.......r..r....", "R..r..5...r..7..", "R..r..5.r.r..78."],
    ],
    lead: "............r.8a",
    guitar: &[
        ["..m.......m.....", "..m..m....m..m..", "..m..m.m..m..m.m"],
        ["x...............", "M..m..M...m.....", "M..m..M..mm..m.."],
        ["..u...u...u...u.", "..m.u.m...m.u.m.", "k.mku.mkk.mku.mk"],
        ["x.......x.......", "x..x..x...x.x...", "X..x..x.x.x.x.m."],
    ],
    strings: &["", "x..x..x.........", "t...........d..."],
};

const SHORT_FILLS: Fills = Fills { short: &["s.s.ss", "c..c.c"], long: &["s.ssss", "c.c.cc", "ssssss"] };
const TRIPLET_FILLS: Fills = Fills { short: &["ccc", "s.S"], long: &["s.ssss", "c.cc.c", "S.sS.s"] };

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[line(KICK, 0, "X...X...X..."), line(OPEN, 12, "..x...x...x."), line(CLAP, 20, "....X...X...")],
    drums: &[
        &[line(HAT, 45, "x...x...x..."), line(HAT, 65, ".o.o.o.o.o.o")],
        &[line(RIM, 45, "...x..x....."), line(SHAKER, 60, "o.oxo.oxo.ox")],
    ],
    fills: &MACHINE,
    bass: &[
        ["R...........", "R..r..r.r...", "R.rr..r8r..8"],
        ["R.....r.....", "R.8.R.8.R.8.", "R.8gR.8gR.8a"],
    ],
    lead: "........r.8a",
    guitar: &[
        ["..m.........", "..m...m...m.", "..m..mm...mm"],
        ["x...........", "M..m..M.....", "M..m..M..m.."],
    ],
    strings: &["", "x.....x....."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[line(KICK, 0, "X.....X....."), line(OPEN, 12, "....x.....x."), line(CLAP, 20, "......X.....")],
    drums: &[
        &[line(HAT, 45, "x.o...x.o..."), line(KICK, 75, "..........x.").on(Bars::Odd)],
        &[line(RIM, 40, "x..x..x..x.."), line(SHAKER, 62, "o.o.o.o.o.o.")],
    ],
    fills: &SHORT_FILLS,
    bass: &[
        ["R...........", "R...r.R...r.", "R.r.8.R.r.8."],
        ["R.....r.....", "R.....8.....", "R..r..8..r.a"],
    ],
    lead: "......r.8.a.",
    guitar: &[
        ["....m.......", "..m.m.....m.", "..m.m...m.m."],
        ["x...........", "m..m..m..m..", "m..m.mm..m.m"],
    ],
    strings: &["", "x........d.."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[line(KICK, 0, "X..X..X..X.."), line(OPEN, 12, "..x..x..x..x"), line(CLAP, 20, "...X.....X..")],
    drums: &[
        &[line(HAT, 40, "x..x..x..x.."), line(HAT, 62, ".o..o..o..o.")],
        &[line(SHAKER, 35, "ooxooxooxoox"), line(RIM, 50, "x.....x..x..")],
    ],
    fills: &TRIPLET_FILLS,
    bass: &[
        ["R.....r.....", "R.rR.rR.rR.r", "R.8R.8R.8R.8"],
        ["R.....8.....", "R....rr..r.8", "R.r..rr.r8.a"],
    ],
    lead: ".........r8a",
    guitar: &[
        ["..m.....m...", "..m..m...m.m", "m.m..mm.m..m"],
        ["x.....x.....", "x.x..x...x..", "X.x..x.x.x.x"],
    ],
    strings: &["", "x.x..x......"],
};
