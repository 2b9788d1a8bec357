//! The thread that listens and decides.
