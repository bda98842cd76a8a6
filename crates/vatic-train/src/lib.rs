//! vatic-train.
