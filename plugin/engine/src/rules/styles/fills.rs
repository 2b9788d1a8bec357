//! Fills by the hands and the beats that play them. [`super::super::groove`] has the letters.

use super::super::groove::Fills;

/// Sixteenths round the drums.
pub(super) const STICKS: Fills = Fills {
    short: &["s.sS", "hhlL", "sgsS", "s.lL", "hmlL", "S.Sl", "sshl"],
    long: &[
        "s.sssgsS", "sshhmmlL", "S..S..S.", "s.ss.slL", "F.F.sshl", "sgsghhlL", "hhmmllsS", "s.hh.mlL",
        "S.sgS.hl",
    ],
};

/// Sixteenths with soft hands.
pub(super) const GENTLE: Fills = Fills {
    short: &["h.l.", "r.s.", "h.ml", "s.l.", "g.sl"],
    long: &["s.h.m.l.", "r.r.h.l.", "h..h..l.", "s.g.h.ml", "h.h.m.ml", "..s.h.l."],
};

/// Sixteenths of a drum machine.
pub(super) const MACHINE: Fills = Fills {
    short: &["c.cc", "s.ss", "ccsS", "S..c", "ss.S"],
    long: &["s.s.ssss", "c..c..cc", "S..S..S.", "s..s.ssS", "c.s.c.sS", "s...s.sS"],
};

/// Sixteenths that lean off the beat.
pub(super) const OFFBEAT: Fills = Fills {
    short: &["h.hl", "r.hh", "S.hl", "r.sS"],
    long: &["S..hh.hl", "r.r.hhll", "..hh.mlL", "S..S.hml", "r..r.hhl", "h.hm.mlL"],
};

/// Triplets round the drums.
pub(super) const TRIPLETS: Fills = Fills {
    short: &["ssS", "s.S", "hml", "gsS", "s.l"],
    long: &["s.shml", "sgssgS", "s.ss.S", "hhmmlL", "S.sS.l", "sssllL"],
};

/// Triplets with soft hands.
pub(super) const SOFT_TRIPLETS: Fills =
    Fills { short: &["h.l", "g.s", "s.l", "r.l"], long: &["s.gs.s", "h.m.l.", "s..h.l", "gsgs.s", "r.rh.l"] };

/// Triplets of a swinging drummer, between snare and bass drum.
pub(super) const SWING: Fills = Fills {
    short: &["gss", "s.s", "s.k", "hsl", "k.S"],
    long: &["s.gs.S", "gsgs.S", "s.sh.l", "sgks.k", "ssksgS", "s.kh.S"],
};

/// A dotted beat of sixteenths.
pub(super) const COMPOUND: Fills = Fills {
    short: &["s.s.s.", "h.m.l.", "s.ss.S", "s..s.S"],
    long: &["ssssss", "hhmmlL", "s.sshl", "sshhlL", "S.sSsS"],
};

/// A dotted beat with soft hands.
pub(super) const SOFT_COMPOUND: Fills = Fills {
    short: &["h...l.", "s...s.", "g.s...", "r.r.l."],
    long: &["h.m.l.", "s.h.ml", "s.g.l.", "h.h.ml"],
};
