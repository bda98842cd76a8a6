//! The command as a person runs it.

mod careful;
mod compare;
mod everyday;
mod explain;
mod failures;
mod generated;
mod listing;
mod outside;
mod range;
#[cfg(unix)]
mod special;
#[cfg(unix)]
mod stopped;
mod support;
#[cfg(unix)]
mod terminal;
#[cfg(target_os = "linux")]
mod threads;
