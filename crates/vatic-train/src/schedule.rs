//! How learning rates rise and fall over a run.

use crate::config::Recipe;

/// The rate never falls below this part of its peak, so that the last steps still count.
const FLOOR: f64 = 0.02;

/// How long a run lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Seconds of training, those before a resumption included.
    Seconds(f64),
    /// Steps, those before a resumption included.
    Steps(u64),
}

impl Budget {
    /// The part of the run that is over, from 0 to 1, after `steps` steps in `seconds`.
    pub fn progress(self, steps: u64, seconds: f64) -> f64 {
        let part = match self {
            Self::Seconds(all) => seconds / all,
            Self::Steps(all) => steps as f64 / all as f64,
        };
        if part.is_nan() {
            1.0
        } else {
            part.clamp(0.0, 1.0)
        }
    }

    /// Seconds that are left, going by the `steps` done in `seconds`; none when that cannot be known.
    pub fn left(self, steps: u64, seconds: f64) -> Option<f64> {
        match self {
            Self::Seconds(all) => Some((all - seconds).max(0.0)),
            Self::Steps(all) => {
                (steps > 0).then(|| all.saturating_sub(steps) as f64 * seconds / steps as f64)
            }
        }
    }
}

/// What a step trains with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// What the peak learning rates are multiplied with.
    pub rate: f64,
    /// Whether quantisation is simulated.
    pub quantise: bool,
}

impl Recipe {
    /// The pace of the step after `steps` steps, at `progress`: the rate rises over the warm-up, stays, and falls
    /// linearly to [2 %](Pace::rate) of its peak over the warm-down ("trapezoidal", Hägele et al., 2024).
    pub fn pace(&self, steps: u64, progress: f64) -> Pace {
        let down = if self.warm_down > 0.0 {
            ((1.0 - progress) / self.warm_down).min(1.0)
        } else {
            1.0
        };
        let up = ((steps + 1) as f64 / self.warm_up_steps.max(1) as f64).min(1.0);
        Pace {
            rate: down.max(FLOOR) * up,
            quantise: progress > 1.0 - self.quantise_last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe {
        seed: 1,
        length: 8,
        rows: 1,
        muon_lr: 0.02,
        momentum: 0.95,
        weight_decay: 0.0,
        adam_lr: 0.004,
        warm_up_steps: 10,
        warm_down: 0.5,
        quantise_last: 0.25,
    };

    #[test]
    fn the_rate_rises_stays_and_falls() {
        let rate = |steps, progress| RECIPE.pace(steps, progress).rate;
        assert_eq!([rate(0, 0.0), rate(4, 0.01), rate(9, 0.1)], [0.1, 0.5, 1.0]);
        assert_eq!(
            [rate(50, 0.5), rate(75, 0.75), rate(100, 1.0)],
            [1.0, 0.5, FLOOR]
        );
        assert!(!RECIPE.pace(75, 0.75).quantise && RECIPE.pace(76, 0.76).quantise);
    }

    #[test]
    fn progress_counts_what_the_budget_counts() {
        assert_eq!(
            (
                Budget::Steps(8).progress(2, 99.0),
                Budget::Seconds(50.0).progress(2, 100.0)
            ),
            (0.25, 1.0)
        );
        assert_eq!(
            (
                Budget::Steps(8).left(2, 10.0),
                Budget::Seconds(50.0).left(2, 10.0)
            ),
            (Some(30.0), Some(40.0))
        );
        assert_eq!(
            (
                Budget::Steps(0).progress(0, 0.0),
                Budget::Steps(8).left(0, 0.0)
            ),
            (1.0, None)
        );
    }
}
