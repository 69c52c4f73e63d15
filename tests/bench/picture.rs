//! A picture of the ratios: bars on a logarithmic scale.

use std::fmt::Write as _;

use crate::table::Row;

const LINE: usize = 24;
const LEFT: usize = 330;
/// Width of a factor of ten.
const DECADE: f64 = 90.0;

/// The rows that have a ratio to the original, as SVG.
pub(crate) fn draw(rows: &[Row]) -> String {
    let bars: Vec<_> =
        rows.iter().filter_map(|row| Some((&row.what, row.better_than(0)?))).collect();
    let height = LINE * (bars.len() + 2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"860\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"18\">how many times better than the original, logarithmic</text>\n"
    );
    for (index, (what, times)) in bars.iter().enumerate() {
        let (top, width) = (LINE * (index + 1) + 8, times.max(1.02).log10() * DECADE);
        let (base, label, end) = (top + 13, LEFT - 8, LEFT as f64 + width + 6.0);
        let _ = writeln!(
            svg,
            "<text x=\"{label}\" y=\"{base}\" text-anchor=\"end\">{what}</text>\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.0}\" height=\"17\" fill=\"#b7410e\"/>\
             <text x=\"{end:.0}\" y=\"{base}\">{times:.0}</text>"
        );
    }
    svg + "</svg>\n"
}
