//! Numbers of bytes as people write and read them.

/// A half-open range of content bytes; an end that was left out is the end of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    pub start: u64,
    pub end: u64,
}

/// Reads `4096`, `64K`, `4M`, `4MiB`, `1G` (powers of 1024).
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => {
            return Err(format!(
                "`{unit}` is not a unit: write a number of bytes, or one with K, M, G or T"
            ));
        }
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a number of bytes, as 4096 or 64K".to_string())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "this is more than 64 bits can count".to_string())
}

/// Reads `START..END`, `START..`, `..END`, each a size.
pub fn parse_range(text: &str) -> Result<ByteRange, String> {
    let (start, end) = text
        .split_once("..")
        .ok_or("write START..END, as 0..4096 or 1M..")?;
    let start = if start.is_empty() {
        0
    } else {
        parse_size(start)?
    };
    let end = if end.is_empty() {
        u64::MAX
    } else {
        parse_size(end)?
    };
    if start > end {
        return Err(format!(
            "the range ends at {end}, before it starts at {start}"
        ));
    }
    Ok(ByteRange { start, end })
}

/// `152089` as `152,089`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in at most three figures and a decimal unit: `999 B`, `5.92 MB`.
pub fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        // 999.5 would be written with four figures: it belongs to the next unit.
        if value < 999.5 {
            return format!(
                "{} {unit}",
                if unit == "B" {
                    format!("{value:.0}")
                } else {
                    figures(value)
                }
            );
        }
        value /= 1000.0;
    }
    format!("{} PB", figures(value))
}

/// Three significant figures: `0.0123`, `1.23`, `12.3`, `123`.
pub fn figures(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 || v == 0.0 => 2,
        v if v >= 0.09995 => 3,
        _ => 4,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("64K"), Ok(65536));
        assert_eq!(parse_size("4MiB"), Ok(4 << 20));
        for wrong in ["", "K", "4X", "-1", "99999999999999999999", "16777216T"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(
            parse_range("5..1K"),
            Ok(ByteRange {
                start: 5,
                end: 1024
            })
        );
        assert_eq!(parse_range("..7"), Ok(ByteRange { start: 0, end: 7 }));
        assert_eq!(
            parse_range("7.."),
            Ok(ByteRange {
                start: 7,
                end: u64::MAX
            })
        );
        assert!(parse_range("7").is_err());
        assert!(parse_range("7..6").is_err());
    }

    #[test]
    fn numbers_are_written() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(33_553_445), "33,553,445");
        assert_eq!(human(999), "999 B");
        assert_eq!(human(999_900), "1.00 MB");
        assert_eq!(human(5_923_000), "5.92 MB");
        assert_eq!(figures(0.01234), "0.0123");
        assert_eq!(figures(12.34), "12.3");
        assert_eq!(figures(99.96), "100");
    }
}
