//! Blues: the shuffle, boogie lines, and a slow six.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, TRIPLETS};
use crate::kit::{HAT, KICK, OPEN, RIDE, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "blues",
    title: "Blues",
    programs: [33, 26, 48],
    genres: &["blues"],
    labels: &["Blues"],
    broad_labels: &[],
    asked_fills: &fill::STICKS,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &COMMON,
    late: 0,
    lag: 0,
    bass_gate: 0.85,
    strings_from: 72,
    rides: true,
    machine: false,
    crash_from: 45,
    half_time_from: 999.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 5, "X.....X....."),
        line(SNARE, 15, "...X.....X.."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 20, "..o..o..o..o"),
    ],
    drums: &[
        &[
            line(KICK, 45, ".....x......").on(Bars::Odd),
            line(SNARE, 66, "........g..."),
            line(OPEN, 58, "...........x").on(Bars::Fourth),
        ],
        &[
            line(KICK, 35, "..x.....x..."),
            line(SNARE, 60, ".....g.....g"),
            line(OPEN, 70, "..x.........").on(Bars::Odd),
        ],
        // Four to the bar, shuffled on the snare too.
        &[line(KICK, 30, "...x.....x.."), line(SNARE, 45, "..g..g..g..g")],
        // All three of each beat, as in a slow one.
        &[
            line(HAT, 30, ".o..o..o..o."),
            line(KICK, 42, ".....x......"),
            line(KICK, 64, "...........x").on(Bars::Odd),
        ],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R.....5.....", "R..3..5..6..", "R.r3.35.56.6"],
        ["R.....r.....", "R.rr..5.56..", "R.rR.r5.56.6"],
        ["R.....5.....", "R..3..5..6..8..6..5..3..", "R.r3.35.56.68.86.65.53.a"],
        ["R.....8.....", "R....87..5..", "R..R.87.75.a"],
    ],
    lead: ".........5.a",
    guitar: &[
        ["...m.....m..", "x.m...x.m...", "x.mx.mx.mx.m"],
        ["p.....p.....", "p.pp.pp.pp.p", "P.pX.pP.pX.p"],
        ["x...........", "...m....m...", "..mm....mm.."],
        ["x.....o.....", "x..u.ux..u.u", "X.uX.uX.uX.u"],
    ],
    strings: &["", "..m.....m..."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 3,
    time: &[
        line(KICK, 5, "X........"),
        line(RIDE, 0, "x..x..x.."),
        line(RIDE, 20, ".....o..o"),
        line(SNARE, 25, "...o..x.."),
    ],
    drums: &[
        &[line(SNARE, 60, "........g"), line(KICK, 50, ".....x...").on(Bars::Odd)],
        &[line(KICK, 38, "..x......"), line(SNARE, 66, ".....g...")],
    ],
    fills: &TRIPLETS,
    bass: &[["R........", "R..3..5..", "R..3.35.6"], ["R........", "R.....5..", "R..5..6.a"]],
    lead: "......5.a",
    guitar: &[["x........", "x..m..m..", "x.mx.mx.m"], ["x........", "x....m...", "p.pp.pp.p"]],
    strings: &["", "t.....d.."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 5, "X..........."),
        line(SNARE, 15, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 15, "..o.o...o.o."),
    ],
    drums: &[
        &[line(KICK, 40, "..........x."), line(SNARE, 64, "...g.....g..")],
        &[
            line(KICK, 38, "....x......."),
            line(SNARE, 40, "...g.....g.."),
            line(OPEN, 58, "..........x.").on(Bars::Odd),
        ],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R...3.5.....", "R.r.3.5.6.a."],
        ["R.....5.....", "R...r.5...6.", "R...r.5.6.5."],
    ],
    lead: "......5.6.a.",
    guitar: &[
        ["x...........", "x...m.m...m.", "x.m.m.x.m.m."],
        ["p.....p.....", "p...p.p...p.", "P.p.p.P.p.p."],
    ],
    strings: &["", "t.....d....."],
};
