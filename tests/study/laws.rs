//! What holds for all studies.
