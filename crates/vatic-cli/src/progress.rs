//! A progress bar for what takes more than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Quick work shows nothing: a bar that flashes up is noise.
const PATIENCE: Duration = Duration::from_secs(1);

const STYLE: &str = "{msg} {wide_bar} {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const STYLE_UNKNOWN: &str = "{msg} {spinner} {bytes} {bytes_per_sec} {elapsed}";

/// One bar. Clones show the same one.
#[derive(Clone)]
pub struct Meter {
    bar: ProgressBar,
    shown: Arc<AtomicBool>,
    started: Instant,
    wanted: bool,
}

impl Meter {
    /// A bar for `total` bytes (unknown: `None`) that appears after a second if it is `wanted` and somebody is watching.
    pub fn new(wanted: bool, label: String, total: Option<u64>) -> Meter {
        let bar =
            ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_message(label);
        let template = if total.is_some() {
            STYLE
        } else {
            STYLE_UNKNOWN
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Meter {
            bar,
            shown: Arc::new(AtomicBool::new(false)),
            started: Instant::now(),
            wanted: wanted && std::io::stderr().is_terminal(),
        }
    }

    /// Sets how many bytes are done.
    pub fn at(&self, bytes: u64) {
        if !self.wanted {
            return;
        }
        if self.started.elapsed() >= PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(bytes);
    }

    /// There are so many bytes more to be done.
    pub fn more(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    /// Does something that may write to the terminal.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// Says what is being done now.
    pub fn label(&self, label: String) {
        self.bar.set_message(label);
    }

    /// Removes the bar from the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
