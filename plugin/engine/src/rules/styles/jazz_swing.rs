//! Jazz: the ride cymbal, a walking bass, chords in two or three voices.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{SOFT_COMPOUND, SWING};
use crate::kit::{HAT, KICK, PEDAL, RIDE, RIM, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "jazz-swing",
    title: "Jazz swing",
    programs: [32, 26, 48],
    genres: &["jazz"],
    labels: &["Jazz-Swing"],
    broad_labels: &["Jazz"],
    asked_fills: &fill::STICKS,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &COMMON,
    late: 0,
    lag: 0,
    bass_gate: 0.85,
    strings_from: 68,
    rides: false,
    machine: false,
    crash_from: 50,
    half_time_from: 999.0,
    guitar_voices: 3,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(RIDE, 0, "x..X..x..X.."),
        line(RIDE, 12, ".....o.....o"),
        line(PEDAL, 8, "...x.....x.."),
        line(KICK, 35, "g..g..g..g.."),
    ],
    drums: &[
        &[
            line(SNARE, 42, "........o...").on(Bars::Odd),
            line(SNARE, 70, "..o..g......"),
            line(KICK, 55, ".....x......").on(Bars::Even),
        ],
        &[
            line(SNARE, 42, ".....o......").on(Bars::Even),
            line(SNARE, 55, "..o.....g...").on(Bars::Odd),
            line(KICK, 60, "........x...").on(Bars::Even),
            line(SNARE, 78, "....g......."),
        ],
        &[
            line(RIM, 40, ".........x.."),
            line(SNARE, 52, "...........o").on(Bars::Odd),
            line(KICK, 62, "..x.........").on(Bars::Even),
            line(SNARE, 76, ".....g......"),
        ],
        &[
            line(RIDE, 40, "..o.....o..."),
            line(SNARE, 50, ".......go...").on(Bars::Odd),
            line(KICK, 64, "...........x").on(Bars::Odd),
            line(SNARE, 74, ".g..g......."),
        ],
    ],
    fills: &SWING,
    bass: &[
        ["R.....5.....", "R..w..w..a..", "R..w..w..a.a"],
        ["R.....5.....", "R..5..w..a..", "R.gw..w..a.a"],
        ["R.....w.....", "R..3..5..a..", "R..3.g5..a.a"],
        ["R.....w.....", "R..w..5..a..R..5..3..a..", "R..w.g5..a..R.g5..3..a.a"],
    ],
    lead: ".........5.a",
    guitar: &[
        ["x.....m.....", "m..m..m..m..", "m..m.xm..m.x"],
        ["x...........", "x....m...........m......", "x....m...m.m..m..x..m..."],
        ["o...........", ".....m.....m", "..m..m..x..m"],
        ["x...........", "x....m...........x...m..", "x....m..m..m..m..x..m..m"],
    ],
    strings: &["", "t.....d....."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 3,
    time: &[
        line(RIDE, 0, "X..x..x.."),
        line(RIDE, 18, ".....o..."),
        line(PEDAL, 10, "...x..x.."),
        line(KICK, 38, "o........"),
    ],
    drums: &[
        &[line(SNARE, 45, "........o").on(Bars::Odd), line(SNARE, 76, "..g......")],
        &[
            line(SNARE, 42, "..o......").on(Bars::Even),
            line(KICK, 55, ".....x...").on(Bars::Odd),
            line(SNARE, 72, "........g"),
        ],
    ],
    fills: &SWING,
    bass: &[
        ["R........", "R..w..a..", "R..w..a.a"],
        ["R........", "R.....5..", "R..5..a.a"],
        ["R........", "R..3..5..R.....a..", "R..3..5.aR..w..a.."],
    ],
    lead: "......5.a",
    guitar: &[["x........", "x....m...", "x....m..m"], ["o........", "...m..m..", "..mm..m.m"]],
    strings: &["", "t.....d.."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(RIDE, 0, "X...x.X...x."),
        line(RIDE, 20, "..o.....o..."),
        line(PEDAL, 8, "......x....."),
        line(KICK, 30, "o..........."),
    ],
    drums: &[
        &[line(SNARE, 45, "..........o.").on(Bars::Odd), line(RIM, 58, "........x...")],
        &[
            line(SNARE, 45, "....o.......").on(Bars::Even),
            line(KICK, 55, "........x..."),
            line(HAT, 85, "...o.....o.."),
        ],
    ],
    fills: &SOFT_COMPOUND,
    bass: &[
        ["R...........", "R...5.8...5.", "R.r.5.8.5.a."],
        ["R.....5.....", "R...w.w...a.", "R.w.w.w.w.a."],
    ],
    lead: "......5.w.a.",
    guitar: &[
        ["x...........", "x...m...m...", "x...m...m.m."],
        ["o...........", "....m.....m.", "..m.m...m.m."],
    ],
    strings: &["", "t.....d....."],
};
