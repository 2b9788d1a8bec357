//! Hip-hop: a sparse kick, a snare that is late, sixteenths that lean.

use super::super::groove::{Bars, Groove, StyleData, line};
use super::fills::{COMPOUND, MACHINE, TRIPLETS};
use crate::kit::{CLAP, HAT, KICK, OPEN, RIM, SNARE};
use crate::play::fill;

pub(super) const STYLE: StyleData = StyleData {
    name: "hip-hop",
    title: "Hip hop",
    programs: [38, 27, 45],
    genres: &["hiphop", "hip-hop"],
    labels: &[],
    broad_labels: &[],
    asked_fills: &fill::MACHINE,
    common: &COMMON,
    waltz: &WALTZ,
    six: &SIX,
    twelve: &TWELVE,
    late: 1,
    lag: 1,
    bass_gate: 0.95,
    strings_from: 50,
    rides: false,
    machine: true,
    crash_from: 101,
    half_time_from: 126.0,
    guitar_voices: 4,
};

const COMMON: Groove = Groove {
    beats: 4,
    cells: 4,
    time: &[
        line(KICK, 0, "X..............."),
        line(SNARE, 8, "....X.......X..."),
        line(HAT, 0, "x...x...x...x..."),
        line(HAT, 8, "..o...o...o...o."),
    ],
    drums: &[
        &[
            line(KICK, 5, "..........x....."),
            line(KICK, 32, ".......x........"),
            line(KICK, 58, "..............x.").on(Bars::Odd),
            line(HAT, 52, ".......o.....o.o"),
        ],
        &[
            line(KICK, 5, "..x.......x....."),
            line(KICK, 42, "...........x....").on(Bars::Odd),
            line(OPEN, 42, "......x........."),
            line(CLAP, 60, "....x.......x..."),
        ],
        &[
            line(KICK, 5, ".......x........"),
            line(KICK, 25, ".........x......"),
            line(KICK, 50, "..............x.").on(Bars::Even),
            line(RIM, 48, "...x......x....."),
            line(SNARE, 58, "...............g"),
        ],
        &[
            line(KICK, 5, "......x..x......"),
            line(CLAP, 15, "....x.......x..."),
            line(HAT, 38, ".............ooo").on(Bars::Odd),
            line(HAT, 58, ".o...o.o........"),
            line(OPEN, 50, "..............x.").on(Bars::Even),
        ],
    ],
    fills: &MACHINE,
    bass: &[
        ["R...............", "R......r..r.....", "R......r..r...5."],
        ["R...............", "R.r.......r.....", "R.r.......r8..7."],
        ["R...............", "R......r.r......", "R......r.r....8."],
        ["R...............", "R.....r..r......", "R.....r..r..8.a."],
    ],
    lead: "............r.a.",
    guitar: &[
        ["x...............", "x.....m...m.....", "x..m..m...m..m.."],
        ["t...............", "1..2..3...4.3...", "x..2..3.x.4.3..."],
        ["o.......o.......", "....m.......m...", "..m.m.....m.m..m"],
        ["x...............", "d..d..d...d..d..", "d.kd.kd.k.d.kd.k"],
    ],
    strings: &["x...........m...", "", "d.....d...t....."],
};

const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    time: &[line(KICK, 0, "X..........."), line(HAT, 0, "x...x...x..."), line(HAT, 8, "..o...o...o.")],
    drums: &[
        &[line(SNARE, 8, "........X..."), line(KICK, 20, ".....x......"), line(HAT, 50, ".......o...o")],
        &[
            line(SNARE, 8, "....X......."),
            line(KICK, 20, "......x....."),
            line(RIM, 45, "...x......x."),
            line(CLAP, 60, "....x......."),
        ],
    ],
    fills: &MACHINE,
    bass: &[
        ["R...........", "R....r......", "R....r....8."],
        ["R...........", "R.....r.....", "R..r..r...a."],
    ],
    lead: "........r.a.",
    guitar: &[
        ["x...........", "x....m......", "x..m..m..m.."],
        ["t...........", "1..2..3.4...", "x..2..3.4.3."],
    ],
    strings: &["x.......m...", "", "d.....t....."],
};

const SIX: Groove = Groove {
    beats: 2,
    cells: 6,
    time: &[
        line(KICK, 0, "X..........."),
        line(SNARE, 8, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 8, "..o.o...o.o."),
    ],
    drums: &[
        &[
            line(KICK, 20, "....x......."),
            line(HAT, 40, ".......o...."),
            line(KICK, 52, ".........x..").on(Bars::Odd),
            line(HAT, 55, ".........ooo").on(Bars::Odd),
        ],
        &[line(KICK, 20, "........x..."), line(CLAP, 35, "......x....."), line(RIM, 48, "...x........")],
    ],
    fills: &COMPOUND,
    bass: &[
        ["R...........", "R...r.......", "R...r....8.."],
        ["R...........", "R.......r...", "R..r....r.a."],
    ],
    lead: "......r...a.",
    guitar: &[
        ["x...........", "x.....m.....", "x..m..m..m.."],
        ["t...........", "1.2.3.4.....", "x.2.3.4.3.2."],
    ],
    strings: &["x.....m.....", "", "d.....t....."],
};

const TWELVE: Groove = Groove {
    beats: 4,
    cells: 3,
    time: &[
        line(KICK, 0, "X..........."),
        line(SNARE, 8, "...X.....X.."),
        line(HAT, 0, "x..x..x..x.."),
        line(HAT, 8, "..o..o..o..o"),
    ],
    drums: &[
        &[
            line(KICK, 5, ".....x......"),
            line(KICK, 45, "........x...").on(Bars::Odd),
            line(HAT, 55, ".........ooo").on(Bars::Odd),
        ],
        &[
            line(KICK, 5, "......x....."),
            line(HAT, 30, ".o..o..o..o."),
            line(CLAP, 40, "...x.....x.."),
            line(RIM, 55, "..x.....x..."),
        ],
    ],
    fills: &TRIPLETS,
    bass: &[
        ["R...........", "R....r......", "R....r..r..a"],
        ["R...........", "R.....r.....", "R.r...r..8.."],
    ],
    lead: ".........r.a",
    guitar: &[
        ["x...........", "x....m......", "x.m..m..m..."],
        ["t...........", "1.23.43.2...", "x.23.4x.23.4"],
    ],
    strings: &["x........m..", "", "d.....t....."],
};
