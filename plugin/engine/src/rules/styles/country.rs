//! Country: boom-chick, the train beat, root and fifth.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, STICKS, TRIPLETS};
use crate::kit::{HAT, KICK, OPEN, PEDAL, RIM, SNARE, TAMBOURINE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "country",
    title: "Country",
    programs: [33, 25, 40],
    genres: &["country"],
    labels: &["Country"],
    broad_labels: &[],
    asked_fills: &fill::STICKS,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.75,
    strings_from: 62,
    rides: true,
    machine: false,
    crash_from: 45,
    half_time_from: 999.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[line(KICK, 5, "X.......X......."), line(SNARE, 15, "....X.......X...")],
    drums: &[
        &[
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 30, "..o...o...o...o."),
            line(KICK, 62, "..............x.").on(Bars::Odd),
            line(SNARE, 70, ".......g.......g"),
        ],
        // The train: brushes on the snare throughout.
        &[
            line(PEDAL, 0, "....x.......x..."),
            line(SNARE, 12, "g...o...g...o..."),
            line(SNARE, 25, "..o...o...o...o."),
            line(SNARE, 42, ".g.g.g.g.g.g.g.g"),
        ],
        &[
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 22, "..x...x...x...x."),
            line(KICK, 42, "......x.........").on(Bars::Odd),
            line(OPEN, 55, "..............x.").on(Bars::Fourth),
            line(TAMBOURINE, 66, "....x.......x..."),
        ],
        &[
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 26, "..o...o...o...o."),
            line(KICK, 38, "......x...x....."),
            line(SNARE, 55, ".......g.g......"),
            line(OPEN, 44, "..............x.").on(Bars::Odd),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R.......5.......", "R.......5.....a.", "R...3...5...a..."],
        ["R.......5.......", "R.......5...5.a.", "R...r...5...5.a."],
        ["R.......5.......", "R.....r.5.....r.", "R...r.r.5...5.a."],
        ["R.......5.......", "R...3...5...6...", "R.r.3...5...6.a."],
    ],
    lead: "............6.a.",
    guitar: &[
        ["....m.......m...", "b...x...f...x.u.", "b...x.u.f...x.uk"],
        ["b.......f.......", "b.3.f.4.b.3.f.4.", "B.34f.43B.34f.43"],
        ["....x.......x...", "b.u.M...f.u.M.u.", "b.k.M.uub.k.M.uu"],
        ["x.......x.......", "x...M...x...M.u.", "X.u.M.u.X.u.M.uu"],
    ],
    strings: &["", "d.......d.......", "t.....t.d......."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[line(KICK, 5, "X..........."), line(HAT, 0, "x...x...x...")],
    drums: &[
        &[line(SNARE, 15, "....x...x..."), line(HAT, 66, "..o...o...o."), line(SNARE, 40, "..........g.")],
        &[
            line(RIM, 15, "....x...x...").below(60),
            line(SNARE, 60, "....x...x..."),
            line(SNARE, 40, "......g...g."),
            line(KICK, 55, "..........x.").on(Bars::Odd),
        ],
    ],
    fills: &STICKS,
    bass: &[
        ["R...........", "R...........5.........a.", "R.......3...5.......a..."],
        ["R...........", "R.......5...", "R...3...5.a."],
    ],
    lead: "....3...5.a.",
    guitar: &[
        ["....m...m...", "b...x...x...", "b...x.u.x.u."],
        ["b...........", "b...3.d.4.d.", "B...x.4.x.4."],
    ],
    strings: &["", "d.......t..."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 5, "X..........."),
        line(SNARE, 18, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 20, "..o.o...o.o."),
    ],
    drums: &[
        &[line(KICK, 48, "..........x.").on(Bars::Odd), line(SNARE, 40, "....g.......")],
        &[
            line(TAMBOURINE, 45, "......x....."),
            line(KICK, 40, "....x......."),
            line(SNARE, 70, "..........g."),
        ],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R.....5.....", "R...r.5...a."],
        ["R.....5.....", "R...3.5.....", "R...3.5.6.a."],
    ],
    lead: "......5.6.a.",
    guitar: &[
        ["x...........", "b...u.x...u.", "b.x.u.x.x.u."],
        ["b.....f.....", "b.3.4.f.3.4.", "B.3.4.B.3.4."],
    ],
    strings: &["", "d.....t....."],
};

// The shuffle.
const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 5, "X.....X....."),
        line(SNARE, 15, "...X.....X.."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 20, "..o..o..o..o"),
    ],
    drums: &[
        &[line(KICK, 55, ".....x......").on(Bars::Odd), line(SNARE, 68, "........g...")],
        &[line(SNARE, 35, "g.o..og.o..o"), line(KICK, 60, "...........x").on(Bars::Fourth)],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R.....5.....", "R.....5....a", "R..3..5..a.."],
        ["R.....5.....", "R..3..5..6..", "R..3.35..6.a"],
    ],
    lead: ".........6.a",
    guitar: &[
        ["...m.....m..", "b..x..f..x.u", "b..x.uf..x.u"],
        ["b.....f.....", "b.3f.4b.3f.4", "B.3f.4B.3f.4"],
    ],
    strings: &["", "d.....t....."],
};
