//! Tables in Markdown, and the figures in them.

use std::fmt::{self, Display};

use crate::spread::Spread;

/// A table; its columns are as wide as what is in them, so that it can be read as text as well.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            f.write_str("|")?;
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, " {cell:width$} |")?;
            }
            f.write_str("\n")?;
            if number == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
                writeln!(f, "|{}|", rules.join("|"))?;
            }
        }
        Ok(())
    }
}

/// Three digits that count, thousands apart.
pub(super) fn figure(value: f64) -> String {
    let decimals = if value == 0.0 || !value.is_finite() {
        0
    } else {
        (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// The median, and the least and greatest in parentheses where they differ.
pub(super) fn range(Spread { median, min, max }: Spread) -> String {
    let [median, min, max] = [median, min, max].map(figure);
    if min == max { median } else { format!("{median} ({min}–{max})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_count() {
        for (value, expected) in [
            (0.0, "0"),
            (0.012_345, "0.0123"),
            (1.0, "1.00"),
            (12.345, "12.3"),
            (123.45, "123"),
            (12_345.6, "12,346"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }

    #[test]
    fn a_range_is_told_where_there_is_one() {
        assert_eq!(range(Spread { median: 2.0, min: 1.0, max: 3.5 }), "2.00 (1.00–3.50)");
        assert_eq!(range(Spread { median: 2.0, min: 2.0, max: 2.0 }), "2.00");
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["a", "bb"]);
        table.row(vec!["×1".to_owned(), "2".to_owned()]);
        assert_eq!(table.to_string(), "| a  | bb |\n|----|----|\n| ×1 | 2  |\n");
    }
}
