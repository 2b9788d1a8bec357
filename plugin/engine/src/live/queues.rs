//! The rings between the audio thread and the band's thread.
