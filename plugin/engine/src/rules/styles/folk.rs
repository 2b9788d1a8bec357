//! Folk: picked guitar, little percussion; jigs in the dotted metres.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{GENTLE, SOFT_COMPOUND, SOFT_TRIPLETS};
use crate::kit::{KICK, LOW_TOM, RIM, SHAKER, SNARE, TAMBOURINE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "folk",
    title: "Folk",
    programs: [32, 25, 40],
    genres: &[],
    labels: &["Folk"],
    broad_labels: &["International"],
    asked_fills: &fill::GENTLE,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 0,
    lag: 0,
    bass_gate: 0.85,
    strings_from: 55,
    rides: false,
    machine: false,
    crash_from: 101,
    half_time_from: 999.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(SHAKER, 0, "o...o...o...o..."),
        line(KICK, 15, "x.......x......."),
        line(RIM, 26, "....x.......x...").below(62),
        line(SNARE, 62, "....x.......x..."),
        line(SHAKER, 34, "..o...o...o...o."),
        line(SHAKER, 80, ".o.o.o.o.o.o.o.o"),
    ],
    drums: &[
        &[line(TAMBOURINE, 50, "....o.......o...").on(Bars::Second)],
        &[line(KICK, 38, "..........o....."), line(TAMBOURINE, 45, "..o...o...o...o.").on(Bars::Second)],
        // A foot that stamps.
        &[
            line(KICK, 30, "....o.......o..."),
            line(LOW_TOM, 48, "..............o.").on(Bars::Odd),
            line(TAMBOURINE, 58, "....x.......x..."),
        ],
        // Brushes.
        &[line(SNARE, 35, "g.g...g.g.g...g."), line(SNARE, 66, ".......g.......g")],
    ],
    fills: &GENTLE,
    bass: &[
        ["R.......5.......", "R.......5.....r.", "R...r...5...a..."],
        ["R...............", "R.......5.......", "R.....r.5.....a."],
        ["R.......r.......", "R.....r.r.......", "R...5.r.r...5.a."],
        ["R.......5.......", "R...3...5.......", "R...3...5...6.a."],
    ],
    lead: "............5.a.",
    guitar: &[
        ["x...............", "1.3.2.4.1.3.2.4.", "x.3.2.4.x.3.2.34"],
        ["B...............", "b.4.f.3.b.3.f.4.", "B.43f.3.B.34f.4."],
        ["x.......x.......", "x...x.u..ux.u...", "X.x.xuxu.ux.xuxu"],
        ["b.......f.......", "b...x.u.f...x.u.", "b.u.x.uuf.u.x.uu"],
    ],
    strings: &["", "d.......t.......", "t.......t...d..."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[
        line(SHAKER, 0, "o...o...o..."),
        line(KICK, 15, "x..........."),
        line(RIM, 26, "....o...x...").below(62),
        line(SNARE, 62, "....o...x..."),
        line(SHAKER, 36, "..o...o...o."),
    ],
    drums: &[
        &[line(TAMBOURINE, 50, "........o...").on(Bars::Second)],
        &[line(SNARE, 38, "g.....g...g."), line(KICK, 55, "..........o.").on(Bars::Odd)],
    ],
    fills: &GENTLE,
    bass: &[
        ["R...........", "R.......5...", "R...5...8.a."],
        ["R...........", "R...........5...........", "R.......a...5.......a..."],
    ],
    lead: "........5.a.",
    guitar: &[
        ["x...........", "b...u...x.u.", "b...x.u.x.u."],
        ["B...........", "1.3.2.4.2.3.", "B.3.2.4.2.34"],
    ],
    strings: &["", "t.......d..."],
};

// A jig.
const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(SHAKER, 0, "o.....o....."),
        line(KICK, 12, "x..........."),
        line(SHAKER, 20, "..o.o...o.o."),
        line(RIM, 26, "......x.....").below(62),
        line(SNARE, 62, "......x....."),
    ],
    drums: &[
        &[line(TAMBOURINE, 45, "......o.....").on(Bars::Second), line(KICK, 55, "..........o.")],
        &[line(LOW_TOM, 38, "....o.....o."), line(KICK, 32, "......o.....")],
    ],
    fills: &SOFT_COMPOUND,
    bass: &[
        ["R...........", "R.....5.....", "R...r.5...a."],
        ["R...........", "R.....r.....", "R...5.r...5."],
    ],
    lead: "......5...a.",
    guitar: &[
        ["x...........", "x.u...x.u...", "X.x.u.X.x.u."],
        ["B...........", "1.3.4.2.3.4.", "B.3.4.B.3.4."],
    ],
    strings: &["", "t.....d....."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(SHAKER, 0, "o..o..o..o.."),
        line(KICK, 12, "x.....x....."),
        line(SHAKER, 20, ".oo.oo.oo.oo"),
        line(RIM, 26, "...x.....x..").below(62),
        line(SNARE, 62, "...x.....x.."),
    ],
    drums: &[
        &[line(TAMBOURINE, 45, "...o.....o..").on(Bars::Second), line(KICK, 58, ".....o......")],
        &[line(LOW_TOM, 38, "..o.....o..."), line(KICK, 32, "...o.....o..")],
    ],
    fills: &SOFT_TRIPLETS,
    bass: &[
        ["R.....5.....", "R.....5..r..", "R..r..5..a.."],
        ["R.....r.....", "R....rr....5", "R..5.rr..5.a"],
    ],
    lead: ".........5.a",
    guitar: &[
        ["x.....o.....", "x.u...x.u...", "X.uX.uX.uX.u"],
        ["B.....B.....", "134234134234", "B34234B34234"],
    ],
    strings: &["", "t.....d....."],
};
