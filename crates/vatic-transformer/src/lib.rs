//! vatic-transformer.
