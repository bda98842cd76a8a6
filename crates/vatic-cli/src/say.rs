//! What is said on standard error. If nobody can hear it, as on a full disk or in a closed pipe, the work goes on.

use std::fmt::Arguments;
use std::io::Write;

/// Says a line on standard error, as `eprintln` does that ends the program where it fails.
macro_rules! say {
    ($($part:tt)*) => { $crate::say::line(format_args!($($part)*)) };
}
pub(crate) use say;

/// A line on standard error.
pub fn line(line: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
