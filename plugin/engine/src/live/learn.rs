//! Controls that a player can put on a key, a pad, a knob or a pedal ("MIDI learn").

use crate::controls::Control;

impl Control {
    /// The control that a MIDI message is taught for in its place, if any: for the variation the next one.
    pub fn action(self) -> Option<Self> {
        let action = if self == Self::Variation { Self::Next } else { self };
        action.row().learn.map(|_| action)
    }
}

/// A MIDI message that moves or presses a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A key: channel 0 to 15, pitch.
    Note(u8, u8),
    /// A controller: channel 0 to 15, number.
    Controller(u8, u8),
}

impl Trigger {
    /// As a number that is not 0.
    pub fn pack(self) -> u32 {
        let (kind, channel, number) = match self {
            Self::Note(c, n) => (1, c, n),
            Self::Controller(c, n) => (2, c, n),
        };
        kind << 16 | u32::from(channel & 15) << 8 | u32::from(number & 127)
    }

    /// Back from a number; `None` for 0 and for what no trigger packs into.
    pub fn unpack(packed: u32) -> Option<Self> {
        let (channel, number) = ((packed >> 8 & 15) as u8, (packed & 127) as u8);
        let trigger = match packed >> 16 {
            1 => Self::Note(channel, number),
            2 => Self::Controller(channel, number),
            _ => return None,
        };
        (trigger.pack() == packed).then_some(trigger)
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Note(c, n) => write!(f, "key {n}, channel {}", c + 1),
            Self::Controller(c, n) => write!(f, "controller {n}, channel {}", c + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_survive_packing_and_garbage_is_refused() {
        for trigger in [Trigger::Note(0, 0), Trigger::Note(15, 127), Trigger::Controller(3, 64)] {
            assert_eq!(Trigger::unpack(trigger.pack()), Some(trigger));
        }
        for packed in [0, 7, 3 << 16, 1 << 16 | 1 << 7, u32::MAX] {
            assert_eq!(Trigger::unpack(packed), None, "{packed:x}");
        }
    }
}
