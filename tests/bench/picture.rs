//! A picture of the ratios: bars on a logarithmic scale.

use std::fmt::Write as _;

use crate::table::Row;

const LINE: usize = 24;
const WIDTH: usize = 940;
const LEFT: usize = 390;
/// Width of a factor of ten.
const DECADE: f64 = 105.0;

/// The rows that people care for and that have a ratio to the original, as SVG.
pub(crate) fn draw(rows: &[Row]) -> String {
    let bars: Vec<_> = rows
        .iter()
        .filter(|row| row.headline)
        .filter_map(|row| Some((row, row.better()?)))
        .collect();
    let (height, bottom) = (LINE * (bars.len() + 2), LINE * (bars.len() + 1) + 6);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"18\">how many times better than superlance 2.0.0 \
         (logarithmic), and the values</text>\n"
    );
    for power in 0..=3 {
        let x = LEFT as f64 + f64::from(power) * DECADE;
        let _ = writeln!(
            svg,
            "<path d=\"M{x} 28V{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{}</text>",
            bottom + 14,
            10_u32.pow(power)
        );
    }
    for (index, (row, times)) in bars.iter().enumerate() {
        let (top, width) = (LINE * (index + 1) + 8, times.max(1.02).log10() * DECADE);
        let (base, label, end) = (top + 13, LEFT - 8, LEFT as f64 + width + 6.0);
        let ([theirs, ours, _], what, better) = (row.values(), &row.what, row.better_text());
        let _ = writeln!(
            svg,
            "<text x=\"{label}\" y=\"{base}\" text-anchor=\"end\">{what}</text>\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.0}\" height=\"17\" fill=\"#b7410e\"/>\
             <text x=\"{end:.0}\" y=\"{base}\"><tspan font-weight=\"bold\">{better}</tspan> \
             <tspan fill=\"#666\">{theirs} → {ours}</tspan></text>"
        );
    }
    svg + "</svg>\n"
}
