//! Charts as inline SVG: bars of bits per byte, and speed against size.

use std::fmt::Write;

use super::report::{InputResults, Measured};
use crate::html::{self, escape};
use crate::size::figures;

const WIDTH: f64 = 720.0;

/// A bar for each program, shortest on top: bits per byte on one input.
pub fn bars(input: &InputResults) -> String {
    let mut rows: Vec<(&Measured, f64)> = input
        .results
        .iter()
        .filter_map(|measured| Some((measured, measured.bits_per_byte?)))
        .collect();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let titles: Vec<String> = rows.iter().map(|row| row.0.title()).collect();
    html::bars(
        &format!("bits per byte on {}", input.name),
        (rows.iter().zip(&titles))
            .map(|((measured, bits), title)| (title.as_str(), *bits, class(measured))),
    )
}

/// A point for each program: bits per byte upwards, speed to the right, a power of ten for each step.
pub fn scatter(
    input: &InputResults,
    title: &str,
    speed: impl Fn(&Measured) -> Option<f64>,
) -> String {
    const HEIGHT: f64 = 340.0;
    const BOTTOM: f64 = HEIGHT - 36.0;
    let points: Vec<(&Measured, f64, f64)> = input
        .results
        .iter()
        .filter_map(|measured| {
            Some((
                measured,
                speed(measured).filter(|&speed| speed > 0.0)?.log10(),
                measured.bits_per_byte?,
            ))
        })
        .collect();
    let (low, high) = bounds(points.iter().map(|point| point.1));
    let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
    let (least, most) = bounds(points.iter().map(|point| point.2));
    let margin = ((most - least) * 0.1).max(0.01);
    let (least, most) = (least - margin, most + margin);
    let x = |value: f64| 50.0 + (value - low) / (high - low) * (WIDTH - 150.0);
    let y = |value: f64| BOTTOM - (value - least) / (most - least) * (BOTTOM - 12.0);

    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escape(title)
    );
    for power in low as i32..=high as i32 {
        let at = x(power.into());
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"8\" x2=\"{at:.1}\" y2=\"{BOTTOM}\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 16.0,
            figures_of_power(power),
        );
    }
    for step in 0..=4 {
        let value = least + (most - least) * f64::from(step) / 4.0;
        let at = y(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"50\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\"/>\
             <text x=\"44\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
            WIDTH - 100.0,
            at + 4.0,
        );
    }
    for (measured, speed, bits) in &points {
        let (across, up) = (x(*speed), y(*bits));
        let _ = writeln!(
            svg,
            "<circle class=\"{}\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"5\"><title>{}: {} MB/s, {bits:.3} bits/byte</title></circle>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            class(measured),
            escape(&measured.title()),
            figures(10f64.powf(*speed)),
            across + 8.0,
            up + 4.0,
            escape(&measured.title()),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"50\" y=\"{}\">{}</text>",
        HEIGHT - 4.0,
        escape(title)
    );
    svg.push_str("</svg>\n");
    svg
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

fn figures_of_power(power: i32) -> String {
    let value = 10f64.powi(power);
    if power < 0 {
        format!("{value:.*}", power.unsigned_abs() as usize)
    } else {
        format!("{value}")
    }
}

fn class(measured: &Measured) -> &'static str {
    match (measured.own, measured.best) {
        (true, _) => "own",
        (false, true) => "best",
        (false, false) => "peer",
    }
}
