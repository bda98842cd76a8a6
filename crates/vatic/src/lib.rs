//! vatic.
