//! Ballad: slow, broken chords, pads; the snare comes out from behind the rim as it grows.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{GENTLE, SOFT_COMPOUND, SOFT_TRIPLETS};
use crate::kit::{HAT, KICK, OPEN, RIM, SHAKER, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "ballad",
    title: "Ballad",
    programs: [33, 25, 49],
    genres: &[],
    labels: &["Ballad"],
    broad_labels: &[],
    asked_fills: &fill::GENTLE,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.97,
    strings_from: 38,
    rides: true,
    machine: false,
    crash_from: 45,
    half_time_from: 126.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 8, "X..............."),
        line(RIM, 15, "....x.......x...").below(50),
        line(SNARE, 50, "....X.......X..."),
        line(HAT, 0, "x...o...x...o..."),
        line(HAT, 28, "..o...o...o...o."),
        line(HAT, 80, ".o.o.o.o.o.o.o.o"),
    ],
    drums: &[
        &[line(KICK, 12, "........x......."), line(KICK, 55, "......x.........").on(Bars::Odd)],
        &[
            line(KICK, 12, "..........x....."),
            line(KICK, 58, ".......x........").on(Bars::Odd),
            line(OPEN, 62, "..............o.").on(Bars::Fourth),
        ],
        &[
            line(KICK, 12, "..........x....."),
            line(SHAKER, 40, "o.ooo.ooo.ooo.oo"),
            line(SNARE, 66, ".......g........"),
        ],
        &[
            line(KICK, 12, "........x......."),
            line(KICK, 40, ".......x........"),
            line(SNARE, 60, ".........g.....g"),
        ],
    ],
    fills: &GENTLE,
    bass: &[
        ["R...............", "R.......r.....5.", "R.....r.R.....5."],
        ["R...............", "R.........r.....", "R.....r...r...a."],
        ["R.......5.......", "R.....r.5.......", "R.....r.5...3.a."],
        ["R...............", "R......rR.......", "R......rR..r..a."],
    ],
    lead: "............5.a.",
    guitar: &[
        ["x...............", "1.2.3.4.3.2.3.2.", "x.2.3.4.x.2.3.2."],
        ["B...............", "b.3.2.3.4.3.2.3.", "B.3.2.3.B.3.2.34"],
        ["x...............", "b...2.3.4...3.2.", "x...2.3.x...3.24"],
        ["x.......t.......", "1..2..3...4.3.2.", "x..2..3.x.4.3.2."],
    ],
    strings: &["", "x.......d.......", "t.......d...t..."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[
        line(KICK, 8, "X..........."),
        line(RIM, 15, "........x...").below(50),
        line(SNARE, 50, "........X..."),
        line(HAT, 0, "x...o...o..."),
        line(HAT, 28, "..o...o...o."),
    ],
    drums: &[
        &[line(KICK, 55, "..........x.").on(Bars::Odd)],
        &[line(KICK, 40, "......x....."), line(SHAKER, 60, "o.o.o.o.o.o.")],
    ],
    fills: &GENTLE,
    bass: &[
        ["R...........", "R.......5...", "R.....r.5.a."],
        ["R...........", "R.......r...", "R...5...8..."],
    ],
    lead: "........5.a.",
    guitar: &[
        ["x...........", "1.2.3.4.3.2.", "x.2.3.4.3.2."],
        ["B...........", "b...3.4.3.4.", "B.2.3.4.3.4."],
    ],
    strings: &["", "t.......d..."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 8, "X..........."),
        line(RIM, 15, "......x.....").below(50),
        line(SNARE, 50, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 18, "..o.o...o.o."),
    ],
    drums: &[
        &[line(KICK, 42, "..........x.").on(Bars::Odd), line(SNARE, 70, ".........g..")],
        &[line(KICK, 36, "....x......."), line(OPEN, 60, "..........o.").on(Bars::Fourth)],
    ],
    fills: &SOFT_COMPOUND,
    bass: &[
        ["R...........", "R.....r.....", "R...r.5...a."],
        ["R...........", "R.....5.....", "R.....5.3.a."],
    ],
    lead: "......5...a.",
    guitar: &[
        ["x...........", "1.2.3.4.3.2.", "x.2.3.x.3.2."],
        ["B...........", "b.3.4.3.4.3.", "B.3.4.x.4.3."],
    ],
    strings: &["", "t.....d....."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 8, "X.....x....."),
        line(RIM, 15, "...x.....x..").below(50),
        line(SNARE, 50, "...X.....X.."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 15, ".oo.oo.oo.oo"),
    ],
    drums: &[
        &[line(KICK, 42, ".....x......")],
        &[line(KICK, 48, "..x........."), line(SNARE, 68, "........g...").on(Bars::Odd)],
    ],
    fills: &SOFT_TRIPLETS,
    bass: &[
        ["R.....r.....", "R.....r....5", "R....rR..5.a"],
        ["R...........", "R.....5.....", "R..3..5..6.a"],
    ],
    lead: ".........5.a",
    guitar: &[
        ["x.....o.....", "123432123432", "x23432x23432"],
        ["B.....B.....", "b34343b34343", "B34343B34343"],
    ],
    strings: &["", "x.....d.....", "t.....d..t.."],
};
