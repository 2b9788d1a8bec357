//! Chords: what the piano sounds, named.
