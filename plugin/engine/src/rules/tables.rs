//! The patterns of the styles, as data. [`super::groove`] explains how they are written.

use super::groove::{Bars, Fill, Groove, Manner, line};
use crate::kit::{
    CLAP, HAT, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN, PEDAL, RIDE, RIM, SHAKER, SNARE, TAMBOURINE,
};
use crate::style::Style;

impl Style {
    /// How the rule band plays the style.
    pub(super) fn manner(self) -> &'static Manner {
        match self {
            Self::PopRock => &POP_ROCK,
            Self::Ballad => &BALLAD,
            Self::House => &HOUSE,
            Self::JazzSwing => &JAZZ_SWING,
            Self::Bossa => &BOSSA,
            Self::Country => &COUNTRY,
            Self::Blues => &BLUES,
            Self::Funk => &FUNK,
            Self::HipHop => &HIP_HOP,
            Self::Reggae => &REGGAE,
            Self::Folk => &FOLK,
        }
    }
}

const STICKS: &[Fill] = &[
    Fill { beats: 1, lines: &[line(SNARE, 0, "............x.xX")] },
    Fill { beats: 1, lines: &[line(HIGH_TOM, 0, "............xx.."), line(LOW_TOM, 0, "..............xX")] },
    Fill { beats: 2, lines: &[line(SNARE, 0, "........x.xxx..."), line(LOW_TOM, 0, ".............xxX")] },
    Fill {
        beats: 2,
        lines: &[
            line(HIGH_TOM, 0, "........xxx....."),
            line(MID_TOM, 0, "...........xx..."),
            line(LOW_TOM, 0, ".............xxX"),
        ],
    },
];

const GENTLE: &[Fill] = &[
    Fill { beats: 1, lines: &[line(HIGH_TOM, 0, "............x..."), line(LOW_TOM, 0, "..............x.")] },
    Fill {
        beats: 2,
        lines: &[
            line(SNARE, 0, "........o......."),
            line(HIGH_TOM, 0, "..........x....."),
            line(MID_TOM, 0, "............x..."),
            line(LOW_TOM, 0, "..............x."),
        ],
    },
];

const TRIPLET_FILLS: &[Fill] = &[
    Fill { beats: 1, lines: &[line(SNARE, 0, ".........xxX")] },
    Fill { beats: 2, lines: &[line(SNARE, 0, "......xox..."), line(LOW_TOM, 0, ".........xxX")] },
];

const WALTZ_FILLS: &[Fill] =
    &[Fill { beats: 1, lines: &[line(SNARE, 0, "........x.x."), line(LOW_TOM, 0, "...........x")] }];

const TRIPLET_WALTZ_FILLS: &[Fill] = &[Fill { beats: 1, lines: &[line(SNARE, 0, "......xxX")] }];

const COMPOUND_FILLS: &[Fill] =
    &[Fill { beats: 1, lines: &[line(SNARE, 0, "......x.x..."), line(LOW_TOM, 0, "..........xX")] }];

/// Three quarters, for all styles that have none of their own.
const WALTZ: Groove = Groove {
    beats: 3,
    cells: 4,
    drums: &[
        line(KICK, 8, "X..........."),
        line(KICK, 60, "..........x.").on(Bars::Odd),
        line(RIM, 18, "....x...x...").below(45),
        line(SNARE, 45, "....x...x..."),
        line(HAT, 0, "x...o...o..."),
        line(HAT, 30, "..o...o...o."),
        line(HAT, 82, ".o.o.o.o.o.o"),
    ],
    fills: WALTZ_FILLS,
    bass: ["R...........", "R.......5...", "R...5...5.r."],
    guitar: ["x...........", "....x...x...", "x...x.x.x.x."],
    strings: "",
};

const JAZZ_WALTZ: Groove = Groove {
    beats: 3,
    cells: 3,
    drums: &[
        line(RIDE, 0, "X..x..x.."),
        line(RIDE, 20, ".....x..."),
        line(PEDAL, 10, "...x..x.."),
        line(KICK, 40, "o........"),
        line(SNARE, 60, "........o").on(Bars::Odd),
        line(SNARE, 80, "..o......"),
    ],
    fills: TRIPLET_WALTZ_FILLS,
    bass: ["R........", "R..w..w..", "R..w.ww.."],
    guitar: ["x........", "x....m...", "x....m..m"],
    strings: "",
};

/// Two dotted quarters, for all styles.
const COMPOUND: Groove = Groove {
    beats: 2,
    cells: 6,
    drums: &[
        line(KICK, 8, "X..........."),
        line(KICK, 60, "..........x.").on(Bars::Odd),
        line(RIM, 15, "......x.....").below(45),
        line(SNARE, 45, "......X....."),
        line(HAT, 0, "x.....x....."),
        line(HAT, 20, "..o.o...o.o."),
        line(HAT, 85, ".o.o.o.o.o.o"),
    ],
    fills: COMPOUND_FILLS,
    bass: ["R.....r.....", "R...r.5.....", "R...r.5...r."],
    guitar: ["x...........", "1.2.3.4.3.2.", "x.2.3.x.2.3."],
    strings: "",
};

const POP_ROCK: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 5, "X.......X......."),
            line(KICK, 40, "..........x....."),
            line(KICK, 55, "......x.........").on(Bars::Odd),
            line(SNARE, 20, "....X.......X..."),
            line(SNARE, 70, ".......o.o......"),
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 25, "..o...o...o...o."),
            line(HAT, 85, ".o.o.o.o.o.o.o.o"),
            line(OPEN, 60, "..............x.").on(Bars::Second),
        ],
        fills: STICKS,
        bass: ["R.......R.......", "R...r.r.R...r.r.", "R.r.r.r.R.r.r.5."],
        guitar: ["x...............", "X...x.x...x.x...", "X.x.x.xmX.x.x.xm"],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.9,
    strings_from: 50,
};

const BALLAD: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 8, "X.......x......."),
            line(KICK, 55, "......x........."),
            line(RIM, 15, "....x.......x...").below(50),
            line(SNARE, 50, "....X.......X..."),
            line(HAT, 0, "x...o...x...o..."),
            line(HAT, 30, "..o...o...o...o."),
            line(HAT, 80, ".o.o.o.o.o.o.o.o"),
        ],
        fills: GENTLE,
        bass: ["R.......r.......", "R.....r.R.....5.", "R.....r.R..r..5."],
        guitar: ["x...............", "1.2.3.4.3.2.3.2.", "x.2.3.4.x.2.3.2."],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.97,
    strings_from: 38,
};

const HOUSE: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 0, "X...X...X...X..."),
            line(OPEN, 12, "..x...x...x...x."),
            line(CLAP, 20, "....X.......X..."),
            line(HAT, 45, "x.o.x.o.x.o.x.o."),
            line(HAT, 65, ".o.o.o.o.o.o.o.o"),
            line(SHAKER, 85, "o.o.o.o.o.o.o.o."),
            line(TAMBOURINE, 75, "..x...x...x...x.").on(Bars::Second),
        ],
        fills: &[
            Fill { beats: 1, lines: &[line(CLAP, 0, "............X.xX")] },
            Fill { beats: 2, lines: &[line(SNARE, 0, "........o.o.xxxX")] },
        ],
        bass: ["R.......r.......", "R..r..r.R..r..r.", "R.rr..r8R.rr..r8"],
        guitar: ["..m.......m.....", "..m..m....m..m..", "..m..m.m..m..m.m"],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.6,
    strings_from: 35,
};

const JAZZ_SWING: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 3,
        drums: &[
            line(RIDE, 0, "X..x..X..x.."),
            line(RIDE, 12, ".....o.....o"),
            line(PEDAL, 8, "...x.....x.."),
            line(KICK, 35, "o..o..o..o.."),
            line(SNARE, 55, "........o...").on(Bars::Odd),
            line(SNARE, 75, "..o..o......"),
            line(RIM, 65, ".........x..").on(Bars::Second),
        ],
        fills: TRIPLET_FILLS,
        bass: ["R.....5.....", "R..w..w..w..", "R..w..w..w.w"],
        guitar: ["x.....m.....", "m..m..m..m..", "m..m.xm..m.x"],
        strings: "",
    },
    waltz: &JAZZ_WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.85,
    strings_from: 68,
};

const BOSSA: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 5, "X.....x.X.....x."),
            // The bossa clave over two bars.
            line(RIM, 15, "x.....x.....x.......x.....x....."),
            line(HAT, 0, "x...o...x...o..."),
            line(HAT, 25, "..o...o...o...o."),
            line(SHAKER, 70, "o.oxo.oxo.oxo.ox"),
            line(SNARE, 85, "...o......o....."),
        ],
        fills: GENTLE,
        bass: ["R.......5.......", "R.....5.5.....r.", "R.....5.5..5..r."],
        guitar: ["x.......x.......", "x...x.....x...x.....x.....x...x.", "x..mx.m...x.m.x...m.x.m...x.m.xm"],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.9,
    strings_from: 60,
};

const COUNTRY: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 5, "X.......X......."),
            line(SNARE, 15, "....X.......X..."),
            line(SNARE, 60, "o.o...o.o.o...o."),
            line(SNARE, 85, ".....o.o.....o.o"),
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 30, "..o...o...o...o."),
            line(KICK, 70, "..............x.").on(Bars::Odd),
        ],
        fills: STICKS,
        bass: ["R.......5.......", "R.......5.....3.", "R...3...5...3..."],
        guitar: ["....m.......m...", "....x.......x.m.", "..m.x.m...m.x.mm"],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.75,
    strings_from: 62,
};

const BLUES: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 3,
        drums: &[
            line(KICK, 5, "X.....X....."),
            line(KICK, 50, ".....x......").on(Bars::Odd),
            line(SNARE, 15, "...X.....X.."),
            line(HAT, 0, "x..x..x..x.."),
            line(HAT, 20, "..o..o..o..o"),
            line(SNARE, 75, "........o..."),
            line(RIDE, 85, "x..x..x..x..").on(Bars::Second),
        ],
        fills: TRIPLET_FILLS,
        bass: ["R.....5.....", "R..3..5..6..", "R.r3.35.56.6"],
        guitar: ["...m.....m..", "x.m...x.m...", "x.mx.mx.mx.m"],
        strings: "",
    },
    waltz: &JAZZ_WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.85,
    strings_from: 72,
};

const FUNK: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 5, "X.........x....."),
            line(KICK, 35, "...x............"),
            line(KICK, 60, ".......x......x.").on(Bars::Odd),
            line(SNARE, 15, "....X.......X..."),
            line(SNARE, 42, ".......o.o.....o"),
            line(SNARE, 80, ".o...........o.."),
            line(HAT, 0, "x...x...x...x..."),
            line(HAT, 20, "..o...o...o...o."),
            line(HAT, 48, ".o.o.o.o.o.o.o.o"),
            line(OPEN, 65, "......x.........").on(Bars::Odd),
        ],
        fills: STICKS,
        bass: ["R.........r.....", "R..r..8...r..7..", "R..r.r8...r.87.r"],
        guitar: ["....m.......m...", "m..m..m...m.m...", "m.mm.mm.m.mm.mmm"],
        strings: "m.........m.....",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.6,
    strings_from: 65,
};

const HIP_HOP: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 0, "X.........x....."),
            line(KICK, 35, ".......x........"),
            line(KICK, 60, "..............x.").on(Bars::Odd),
            line(SNARE, 10, "....X.......X..."),
            line(CLAP, 70, "....x.......x..."),
            line(HAT, 5, "x.x.x.x.x.x.x.x."),
            line(HAT, 55, ".......o.....o.o"),
            line(HAT, 80, ".o.o.o.....o...."),
        ],
        fills: &[
            Fill { beats: 1, lines: &[line(SNARE, 0, "............X..x")] },
            Fill { beats: 1, lines: &[line(HAT, 0, "............xxxx"), line(SNARE, 0, "............X...")] },
            Fill { beats: 2, lines: &[line(SNARE, 0, "..........x.X.xx")] },
        ],
        bass: ["R...............", "R......r..r.....", "R......r..r...5."],
        guitar: ["x...............", "x.....m...m.....", "x..m..m...m..m.."],
        strings: "x...........m...",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 1,
    bass_gate: 0.95,
    strings_from: 50,
};

const REGGAE: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(KICK, 0, "........X......."),
            line(RIM, 10, "........x......."),
            line(KICK, 70, "X...x.......x..."),
            line(HAT, 5, "x...x...x...x..."),
            line(HAT, 25, "..o...o...o...o."),
            line(OPEN, 60, "......x.........").on(Bars::Odd),
            line(RIM, 55, "......x....x....").on(Bars::Odd),
        ],
        fills: &[
            Fill {
                beats: 1,
                lines: &[line(HIGH_TOM, 0, "............x.xx"), line(RIM, 0, "............x...")],
            },
            Fill {
                beats: 2,
                lines: &[line(SNARE, 0, "........X..x...."), line(HIGH_TOM, 0, "............x.xX")],
            },
        ],
        bass: ["R.......5.......", "R..r..3...5...3.", "R..r..3.5.5.r.3."],
        guitar: ["....m.......m...", "....m.m.....m.m.", "..m.m.m...m.m.m."],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.75,
    strings_from: 62,
};

const FOLK: Manner = Manner {
    common: &Groove {
        beats: 4,
        cells: 4,
        drums: &[
            line(SHAKER, 0, "o...o...o...o..."),
            line(KICK, 18, "x.......x......."),
            line(RIM, 30, "....x.......x...").below(65),
            line(SNARE, 65, "....x.......x..."),
            line(SHAKER, 38, "..o...o...o...o."),
            line(TAMBOURINE, 55, "....o.......o...").on(Bars::Second),
            line(SHAKER, 80, ".o.o.o.o.o.o.o.o"),
        ],
        fills: GENTLE,
        bass: ["R.......5.......", "R.......5.....r.", "R...r...5...r..."],
        guitar: ["x...............", "1.3.2.4.1.3.2.4.", "x.3.2.4.x.3.2.34"],
        strings: "",
    },
    waltz: &WALTZ,
    compound: &COMPOUND,
    late: 0,
    bass_gate: 0.85,
    strings_from: 55,
};

#[cfg(test)]
mod tests {
    use super::super::groove::Line;
    use super::*;

    /// Every pattern fills whole bars, in the letters of its part.
    #[test]
    fn patterns_are_well_formed() {
        for style in Style::ALL {
            let manner = style.manner();
            assert!((0..=2).contains(&manner.late));
            for (groove, beats) in [(manner.common, 4), (manner.waltz, 3), (manner.compound, 2)] {
                assert_eq!(groove.beats, beats);
                let bar = usize::from(groove.beats * groove.cells);
                let check = |text: &str, letters: &str| {
                    assert!(
                        !text.is_empty() && text.len().is_multiple_of(bar),
                        "{style}: '{text}' is not whole bars"
                    );
                    assert!(text.chars().all(|c| letters.contains(c)), "{style}: '{text}'");
                };
                let lines = groove.drums.iter().chain(groove.fills.iter().flat_map(|f| f.lines));
                lines.for_each(|l| check(l.hits, ".Xxo"));
                groove.bass.iter().for_each(|p| check(p, ".Rr35678w"));
                groove.guitar.iter().for_each(|p| check(p, ".Xxom1234"));
                if !groove.strings.is_empty() {
                    check(groove.strings, ".Xxm");
                }
                for fill in groove.fills {
                    assert!((1..beats).contains(&fill.beats));
                    let silent = usize::from((groove.beats - fill.beats) * groove.cells);
                    for l in fill.lines {
                        assert!(l.hits[..silent].chars().all(|c| c == '.'), "{style}: fill too early");
                    }
                }
            }
        }
    }

    /// No two lines of one drum meet in a cell, unless they exclude each other.
    #[test]
    fn lines_of_a_drum_do_not_collide() {
        for style in Style::ALL {
            for groove in [style.manner().common, style.manner().waltz, style.manner().compound] {
                for (i, a) in groove.drums.iter().enumerate() {
                    for b in groove.drums[i + 1..].iter().filter(|b: &&Line| b.class == a.class) {
                        let apart = a.until <= b.from || b.until <= a.from;
                        let meet = a.hits.bytes().zip(b.hits.bytes()).any(|(x, y)| x != b'.' && y != b'.');
                        assert!(apart || !meet, "{style}: '{}' and '{}'", a.hits, b.hits);
                    }
                }
            }
        }
    }
}
