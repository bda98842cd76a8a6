//! Plain aligned columns without lines, for people and for awk.

use comfy_table::{CellAlignment, Table, presets};

/// The table of `rows` below `header`, each line with its end; `numbers` are the columns that are aligned to the right.
pub fn render(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    numbers: std::ops::Range<usize>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.iter().copied());
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // The last column is padded too, which would be noise in a file.
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = [
            vec!["a".into(), "1".into(), "x".into()],
            vec!["bcd".into(), "234".into(), "".into()],
        ];
        assert_eq!(
            super::render(&["n", "count", ""], rows, 1..2),
            "n    count\na        1  x\nbcd    234\n"
        );
    }
}
