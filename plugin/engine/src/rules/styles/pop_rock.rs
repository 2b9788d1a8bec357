//! Pop rock: straight eighths under a backbeat.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, STICKS, TRIPLETS};
use crate::kit::{HAT, KICK, OPEN, SNARE, TAMBOURINE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "pop-rock",
    title: "Pop rock",
    programs: [34, 27, 48],
    genres: &[],
    labels: &["Rock", "Pop"],
    broad_labels: &[],
    asked_fills: &fill::STICKS,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.9,
    strings_from: 50,
    rides: true,
    machine: false,
    crash_from: 35,
    half_time_from: 210.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 5, "X..............."),
        line(SNARE, 20, "....X.......X..."),
        line(HAT, 0, "x...x...x...x..."),
        line(HAT, 25, "..o...o...o...o."),
        line(HAT, 88, ".o.o.o.o.o.o.o.o"),
    ],
    drums: &[
        &[
            line(KICK, 5, "........X......."),
            line(KICK, 38, "..........x....."),
            line(KICK, 55, "......x.........").on(Bars::Odd),
            line(SNARE, 65, ".......g.g......"),
            line(OPEN, 48, "..............x.").on(Bars::Fourth),
        ],
        &[
            line(KICK, 5, "..........X....."),
            line(KICK, 30, "......x........."),
            line(KICK, 58, "..............x.").on(Bars::Odd),
            line(OPEN, 45, "..........x.....").on(Bars::Odd),
            line(SNARE, 62, ".......g.......g"),
        ],
        &[
            line(KICK, 5, "......X...X....."),
            line(KICK, 42, "..x............."),
            line(SNARE, 45, ".......g........"),
            line(SNARE, 68, ".........g....g."),
            line(OPEN, 55, "..x.............").on(Bars::Even),
        ],
        &[
            line(KICK, 5, "........X......."),
            line(KICK, 40, "....x.......x..."),
            line(KICK, 60, "..............x.").on(Bars::Odd),
            line(TAMBOURINE, 45, "....x.......x..."),
            line(TAMBOURINE, 70, "o.o...o.o.o...o.").on(Bars::Second),
            line(OPEN, 62, "..............x.").on(Bars::Odd),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R.......R.......", "R...r.r.R.r...r.", "R.r.r.r.R.r.r.5."],
        ["R.........r.....", "R.....r...r...5.", "R.r.r.r.r.r.r.8."],
        ["R.......r.......", "R.....rr..r...5.", "R.r...r.r.r.r.87"],
        ["R.......R.......", "R...R...R...R.a.", "R.rrR.rrR.rrR.5a"],
    ],
    lead: "............5.a.",
    guitar: &[
        ["x...............", "X...x.u...u.x...", "P.p.p.p.P.p.p.pp"],
        ["x.......o.......", "x..u..u.x..u..u.", "P..p..p.P..p.p.p"],
        ["x...............", "x...X.u...u.X.u.", "X.xuX.u.x.uuX.xu"],
        ["o.......o.......", "x.2.3.4.3.2.3.4.", "P.pp..p.P.pp..p."],
    ],
    strings: &["", "x.......x...d...", "t.......d......."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[
        line(KICK, 5, "X..........."),
        line(HAT, 0, "x...x...x..."),
        line(HAT, 28, "..o...o...o."),
        line(HAT, 88, ".o.o.o.o.o.o"),
    ],
    drums: &[
        &[
            line(SNARE, 20, "....x...X..."),
            line(KICK, 55, "..........x.").on(Bars::Odd),
            line(SNARE, 68, "......g....."),
        ],
        &[
            line(SNARE, 20, "........X..."),
            line(KICK, 35, "....x......."),
            line(KICK, 58, "......x.....").on(Bars::Odd),
            line(OPEN, 50, "......x.....").on(Bars::Fourth),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R...........", "R.......5...", "R...5...5.a."],
        ["R...........", "R.....r.5...", "R...r.r.5.a."],
    ],
    lead: "........5.a.",
    guitar: &[
        ["x...........", "x...u...u...", "X...x.u.x.u."],
        ["x...........", "b...x...x.u.", "X.u.x.u.x.u."],
        ["x...........", "x.2.3.4.3.2.", "P...p...p.p."],
    ],
    strings: &["", "x.......d..."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 5, "X..........."),
        line(SNARE, 18, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 18, "..o.o...o.o."),
    ],
    drums: &[
        &[
            line(KICK, 45, "..........x.").on(Bars::Odd),
            line(SNARE, 68, "...g.....g.."),
            line(OPEN, 52, "..........x.").on(Bars::Fourth),
        ],
        &[
            line(KICK, 32, "....x......."),
            line(KICK, 58, "........x...").on(Bars::Odd),
            line(OPEN, 55, "....x.......").on(Bars::Odd),
        ],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R...r.5.....", "R...r.5...a."],
        ["R.....r.....", "R.....r...5.", "R.r...5.r.a."],
    ],
    lead: "......5.r.a.",
    guitar: &[
        ["x...........", "x.2.3.4.3.2.", "x.2.3.X.2.3."],
        ["x.....o.....", "x...u.x...u.", "X.x.u.X.x.u."],
    ],
    strings: &["", "t.....d....."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 5, "X.....X....."),
        line(SNARE, 18, "...X.....X.."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 18, ".oo.oo.oo.oo"),
    ],
    drums: &[
        &[line(KICK, 45, "..x........."), line(KICK, 60, "........x...").on(Bars::Odd)],
        &[
            line(KICK, 38, ".....x......"),
            line(SNARE, 65, ".......g...."),
            line(OPEN, 55, "...........x").on(Bars::Fourth),
        ],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R.....r.....", "R....rR....5", "R.rr.rR.rr.a"],
        ["R.....5.....", "R..r.rR..5.a", "R.rr.5R.r5.a"],
    ],
    lead: ".........5.a",
    guitar: &[
        ["x.....o.....", "x..u..x..u..", "X.uX.uX.uX.u"],
        ["o.....o.....", "x23.43x23.43", "P.pp.pP.pp.p"],
    ],
    strings: &["", "x.....d....."],
};
