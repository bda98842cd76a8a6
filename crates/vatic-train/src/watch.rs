//! What a person sees of a run: a bar on a terminal, else a line now and then.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use vatic_train::{Budget, StepReport, Watch};

/// The bar's resolution.
const PARTS: f64 = 1000.0;

/// Without a terminal, a line at least this often.
const QUIET: Duration = Duration::from_secs(60);

/// Shows a run on the terminal.
pub struct Terminal {
    bar: ProgressBar,
    said: Instant,
}

impl Terminal {
    /// For a run of this length.
    pub fn new(budget: Budget) -> Self {
        let bar = ProgressBar::new(PARTS as u64);
        let unit = match budget {
            Budget::Seconds(seconds) => format!("{:.1} minutes", seconds / 60.0),
            Budget::Steps(steps) => format!("{steps} steps"),
        };
        let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3}%  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(unit);
        Self {
            bar,
            said: Instant::now(),
        }
    }

    fn say(&mut self, line: &str) {
        self.said = Instant::now();
        if self.bar.is_hidden() {
            println!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}

impl Watch for Terminal {
    fn step(&mut self, report: &StepReport) {
        let left = report
            .seconds_left
            .map_or("?".to_owned(), |seconds| format!("{:.1}", seconds / 60.0));
        let line = format!(
            "step {}  {:.2} M tokens  loss {:.4}  rate {:.3}  {:.0} tokens/s  {left} min left",
            report.steps,
            report.tokens as f64 / 1e6,
            report.loss,
            report.pace.rate,
            report.speed,
        );
        self.bar.set_position((report.progress * PARTS) as u64);
        if report.logged || (self.bar.is_hidden() && self.said.elapsed() >= QUIET) {
            self.say(&line);
        }
        self.bar.set_message(line);
    }

    fn dev(&mut self, steps: u64, quantise: bool, scores: &[(String, f64)]) {
        let scores: String = scores
            .iter()
            .map(|(domain, score)| format!("  {domain} {score:.3}"))
            .collect();
        let kind = if quantise { "quantised" } else { "float" };
        self.say(&format!("dev, bits/byte, step {steps}, {kind}:{scores}"));
    }
}
