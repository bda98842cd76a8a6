//! What a comparison found, ready to be written in any format.

use std::time::Duration;

use serde::Serialize;

use super::peers::Program;

/// Size and times of one program on one input; the result was restored and compared.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub bytes: u64,
    pub compress_time: Duration,
    pub decompress_time: Duration,
}

/// The same with the figures that people read.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub program: String,
    /// Level or variant, as its users would write it.
    pub settings: String,
    /// Compressed size; with everything after it absent where the program failed.
    pub bytes: Option<u64>,
    /// Content by compressed size.
    pub ratio: Option<f64>,
    /// Compressed bits for each byte of content.
    pub bits_per_byte: Option<f64>,
    /// Seconds, and millions of bytes of content per second.
    pub compress_s: Option<f64>,
    pub decompress_s: Option<f64>,
    pub compress_mb_s: Option<f64>,
    pub decompress_mb_s: Option<f64>,
    /// Whether the content came back.
    pub verified: bool,
    /// Whether nothing was smaller.
    pub best: bool,
    pub error: Option<String>,
    /// Whether this is vatic itself.
    pub own: bool,
}

impl Measured {
    pub fn new(
        program: &Program,
        settings: String,
        content: u64,
        outcome: Option<Outcome>,
        error: Option<String>,
    ) -> Measured {
        Measured {
            program: program.name.clone(),
            settings,
            verified: outcome.is_some(),
            best: false,
            error,
            own: program.name == "vatic",
            bytes: None,
            ratio: None,
            bits_per_byte: None,
            compress_s: None,
            decompress_s: None,
            compress_mb_s: None,
            decompress_mb_s: None,
        }
        .with(
            content,
            outcome.map(|o| {
                (
                    o.bytes,
                    o.compress_time.as_secs_f64(),
                    o.decompress_time.as_secs_f64(),
                )
            }),
        )
    }

    fn with(mut self, content: u64, outcome: Option<(u64, f64, f64)>) -> Measured {
        let speed = |seconds: f64| content as f64 / 1e6 / seconds.max(1e-9);
        self.bytes = outcome.map(|(bytes, ..)| bytes);
        self.ratio = self
            .bytes
            .filter(|&bytes| bytes > 0)
            .map(|bytes| content as f64 / bytes as f64);
        self.bits_per_byte = self
            .bytes
            .filter(|_| content > 0)
            .map(|bytes| bytes as f64 * 8.0 / content as f64);
        self.compress_s = outcome.map(|(_, seconds, _)| seconds);
        self.decompress_s = outcome.map(|(.., seconds)| seconds);
        self.compress_mb_s = self.compress_s.map(speed);
        self.decompress_mb_s = self.decompress_s.map(speed);
        self
    }

    /// `xz -9e`.
    pub fn title(&self) -> String {
        format!("{} {}", self.program, self.settings)
    }
}

/// All programs on one input.
#[derive(Clone, Debug, Serialize)]
pub struct InputResults {
    pub name: String,
    pub bytes: u64,
    pub results: Vec<Measured>,
}

impl InputResults {
    pub fn new(name: String, bytes: u64, mut results: Vec<Measured>) -> InputResults {
        let least = results.iter().filter_map(|measured| measured.bytes).min();
        for measured in &mut results {
            measured.best = measured.bytes.is_some() && measured.bytes == least;
        }
        InputResults {
            name,
            bytes,
            results,
        }
    }

    /// The sum over several inputs: sizes and times added up, figures anew. A program that failed once has no sum.
    fn total(inputs: &[InputResults]) -> Option<InputResults> {
        let [first, _, ..] = inputs else { return None };
        let content = inputs.iter().map(|input| input.bytes).sum();
        let results = (0..first.results.len()).map(|at| {
            let parts = || inputs.iter().map(|input| &input.results[at]);
            let sum = parts().try_fold((0, 0.0, 0.0), |(bytes, compress, decompress), part| {
                Some((
                    bytes + part.bytes?,
                    compress + part.compress_s?,
                    decompress + part.decompress_s?,
                ))
            });
            let mut measured = first.results[at].clone();
            if parts().any(|part| part.settings != measured.settings) {
                measured.settings = "best order".into();
            }
            measured.verified = sum.is_some();
            measured.error = parts().find_map(|part| part.error.clone());
            measured.with(content, sum)
        });
        Some(InputResults::new(
            format!("all {} inputs", inputs.len()),
            content,
            results.collect(),
        ))
    }

    /// How much smaller vatic's best is than the best of the others, in percent; and which that is.
    pub fn lead(&self) -> Option<(&Measured, &Measured, f64)> {
        let best = |own: bool| {
            self.results
                .iter()
                .filter(|measured| measured.own == own && measured.bytes.is_some())
                .min_by_key(|measured| measured.bytes)
        };
        let (own, other) = (best(true)?, best(false)?);
        let less = 1.0 - own.bytes? as f64 / (other.bytes? as f64).max(1.0);
        Some((own, other, less * 100.0))
    }
}

/// A model that vatic carries, and from which size on it is paid back.
#[derive(Clone, Debug, Serialize)]
pub struct ModelInfo {
    pub name: String,
    pub id: String,
    pub bytes: u64,
}

/// When sending the models and compressed text together beats sending what xz makes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Payback {
    pub models: Vec<String>,
    pub model_bytes: u64,
    /// Bytes of text like this one; absent when xz is smaller in any case.
    pub content_bytes: Option<u64>,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    /// Threads of vatic; the others use one.
    pub threads: usize,
    pub models: Vec<ModelInfo>,
    pub inputs: Vec<InputResults>,
    pub total: Option<InputResults>,
    pub payback: Option<Payback>,
}

impl Report {
    pub fn new(
        threads: usize,
        models: Vec<ModelInfo>,
        inputs: Vec<InputResults>,
        with_total: bool,
    ) -> Report {
        let total = if with_total {
            InputResults::total(&inputs)
        } else {
            None
        };
        let mut report = Report {
            version: env!("CARGO_PKG_VERSION"),
            threads,
            models,
            inputs,
            total,
            payback: None,
        };
        report.payback = report.payback();
        report
    }

    /// What the whole comparison comes to: the total, or else the largest input.
    pub fn whole(&self) -> Option<&InputResults> {
        self.total
            .as_ref()
            .or_else(|| self.inputs.iter().max_by_key(|input| input.bytes))
    }

    /// Every failure, as `program on input: reason`.
    pub fn failures(&self) -> Vec<String> {
        let failure = |input: &InputResults, measured: &Measured| {
            measured
                .error
                .as_ref()
                .map(|error| format!("{} on {}: {error}", measured.title(), input.name))
        };
        self.inputs
            .iter()
            .flat_map(|input| {
                input
                    .results
                    .iter()
                    .filter_map(move |measured| failure(input, measured))
            })
            .collect()
    }

    fn payback(&self) -> Option<Payback> {
        if self.models.is_empty() {
            return None;
        }
        let whole = self.whole()?;
        let bits = |program: &str| {
            // The smallest of a program's settings come last.
            let measured = whole.results.iter().rfind(|m| m.program == program)?;
            measured.bits_per_byte
        };
        let gain = bits("xz")? - bits("vatic")?;
        let model_bytes = self.models.iter().map(|model| model.bytes).sum();
        let content_bytes = (gain > 0.0).then(|| (model_bytes as f64 * 8.0 / gain).ceil() as u64);
        Some(Payback {
            models: self.models.iter().map(|model| model.name.clone()).collect(),
            model_bytes,
            content_bytes,
        })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn measured(program: &str, content: u64, bytes: Option<u64>) -> Measured {
        let outcome = bytes.map(|bytes| Outcome {
            bytes,
            compress_time: Duration::from_millis(500),
            decompress_time: Duration::from_millis(250),
        });
        let empty = Program {
            name: program.into(),
            settings: "-x".into(),
            variants: vec![],
            models: vec![],
        };
        let error = bytes.is_none().then(|| "it broke".to_string());
        Measured::new(&empty, "-x".into(), content, outcome, error)
    }

    pub fn example() -> Report {
        let input = |name: &str, content, xz, vatic, ppmd| {
            let results = vec![
                measured("xz", content, Some(xz)),
                measured("vatic", content, Some(vatic)),
                measured("PPMd", content, ppmd),
            ];
            InputResults::new(name.into(), content, results)
        };
        let inputs = vec![
            input(
                "a <b> & |c|.txt",
                1_000_000,
                300_000,
                200_000,
                Some(250_000),
            ),
            input("d,e.txt", 1_000_000, 100_000, 100_000, None),
        ];
        Report::new(
            2,
            vec![ModelInfo {
                name: "-x".into(),
                id: "00ff".into(),
                bytes: 5_000_000,
            }],
            inputs,
            true,
        )
    }

    #[test]
    fn figures_are_right() {
        let report = example();
        let first = &report.inputs[0].results[1];
        assert_eq!((first.ratio, first.bits_per_byte), (Some(5.0), Some(1.6)));
        assert_eq!(
            (first.compress_mb_s, first.decompress_mb_s),
            (Some(2.0), Some(4.0))
        );
        assert!(first.best && !report.inputs[0].results[0].best);
        // A tie is shared.
        assert!(report.inputs[1].results[0].best && report.inputs[1].results[1].best);
    }

    #[test]
    fn totals_add_up_and_leave_failures_out() {
        let total = example().total.unwrap();
        assert_eq!(total.bytes, 2_000_000);
        assert_eq!(total.results[0].bytes, Some(400_000));
        assert_eq!(total.results[1].compress_mb_s, Some(2.0));
        assert_eq!(
            (total.results[2].bytes, total.results[2].verified),
            (None, false)
        );
        assert_eq!(example().failures(), ["PPMd -x on d,e.txt: it broke"]);
    }

    #[test]
    fn a_model_is_paid_back_by_the_bits_it_saves() {
        // xz 1.6 bits/byte and vatic 1.2 over both files: 0.4 bits saved per byte pay 40,000,000 bits in 100 MB.
        let payback = example().payback.unwrap();
        let content = payback.content_bytes.unwrap();
        assert!(content.abs_diff(100_000_000) <= 1, "{content}");
    }
}
