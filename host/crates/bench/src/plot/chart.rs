//! A chart with lines: no more than the growth curves need.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
/// Where the lines are drawn; their names stand to the right of it.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 610.0;
const TOP: f64 = 45.0;
const BOTTOM: f64 = 365.0;

/// Told apart by people who do not see all colours alike, too; after Okabe and Ito.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Equal steps add the same; it begins at 0.
    Linear,
    /// Equal steps multiply by the same; values are above 0.
    Logarithmic,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x: (&'static str, Scale),
    pub(super) y: (&'static str, Scale),
    pub(super) lines: Vec<Line>,
}

/// From values to places on one axis.
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
}

impl Axis {
    /// One that shows all of these values.
    fn of(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let greatest = values.fold(0.0, f64::max);
        match scale {
            Scale::Linear => Self { scale, from: 0.0, to: greatest.max(1e-9) },
            Scale::Logarithmic => {
                let from = least.max(1e-6).log10().floor();
                Self { scale, from, to: greatest.max(1e-6).log10().ceil().max(from + 1.0) }
            }
        }
    }

    /// From 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(1e-6).log10(),
        };
        (value - self.from) / (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Logarithmic => {
                (self.from as i32..=self.to as i32).map(|power| 10f64.powi(power)).collect()
            }
            Scale::Linear => {
                let rough = self.to / 5.0;
                let unit = 10f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * unit);
                let step = step.into_iter().find(|step| *step >= rough).unwrap_or(unit);
                (0..=10).map(|tick| f64::from(tick) * step).filter(|tick| *tick <= self.to).collect()
            }
        }
    }
}

impl Chart {
    /// The picture; nothing when no line has two points.
    pub(super) fn draw(&self) -> Option<String> {
        let lines: Vec<&Line> = self.lines.iter().filter(|line| line.points.len() > 1).collect();
        if lines.is_empty() {
            return None;
        }
        let points = lines.iter().flat_map(|line| &line.points);
        let x = Axis::of(self.x.1, points.clone().map(|point| point.0));
        let y = Axis::of(self.y.1, points.map(|point| point.1));
        let at_x = |value| LEFT + x.place(value) * (RIGHT - LEFT);
        let at_y = |value| BOTTOM - y.place(value) * (BOTTOM - TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"16\">{}</text>\n",
            escaped(self.title)
        );
        let mut add = |line: String| svg.extend([line.as_str(), "\n"]);
        for tick in x.ticks() {
            let at = at_x(tick);
            add(format!("<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>"));
            add(format!("<text x=\"{at:.1}\" y=\"384\" text-anchor=\"middle\">{}</text>", label(tick)));
        }
        for tick in y.ticks() {
            let at = at_y(tick);
            add(format!("<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#ddd\"/>"));
            add(format!("<text x=\"62\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", at + 4.0, label(tick)));
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        add(format!("<text x=\"{middle}\" y=\"408\" text-anchor=\"middle\">{}</text>", escaped(self.x.0)));
        add(format!("<text x=\"14\" y=\"{TOP}\">{}</text>", escaped(self.y.0)));
        for (number, line) in lines.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            // More lines than colours: the second round is dashed.
            let dashes = if number < COLOURS.len() { "" } else { " stroke-dasharray=\"6 4\"" };
            let mut path = String::new();
            for (x, y) in &line.points {
                let _ = write!(path, "{:.1},{:.1} ", at_x(*x), at_y(*y));
                add(format!(
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    at_x(*x),
                    at_y(*y)
                ));
            }
            let points = path.trim_end();
            add(format!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
            ));
            let at = TOP + 20.0 * number as f64;
            add(format!("<path d=\"M625 {at}h24\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"));
            add(format!("<text x=\"656\" y=\"{}\">{}</text>", at + 4.0, escaped(&line.name)));
        }
        svg.push_str("</svg>\n");
        Some(svg)
    }
}

fn label(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        // 0.30000000000000004
        _ => ((value * 1e6).round() / 1e6).to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_places_in_order() {
        let linear = Axis::of(Scale::Linear, [7.0, 93.0].into_iter());
        assert_eq!(linear.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0]);
        let logarithmic = Axis::of(Scale::Logarithmic, [7.0, 930.0].into_iter());
        assert_eq!(logarithmic.ticks(), [1.0, 10.0, 100.0, 1_000.0]);
        assert_eq!([1.0, 1_000.0].map(|value| logarithmic.place(value)), [0.0, 1.0]);
    }

    #[test]
    fn a_line_needs_two_points() {
        let chart = |points: &[(f64, f64)]| Chart {
            title: "a < b",
            x: ("x", Scale::Linear),
            y: ("y", Scale::Linear),
            lines: vec![Line { name: "line".to_owned(), points: points.to_vec() }],
        };
        assert_eq!(chart(&[(1.0, 1.0)]).draw(), None);
        let drawn = chart(&[(1.0, 1.0), (2.0, 2.0)]).draw().unwrap();
        assert!(
            drawn.contains("a &lt; b") && drawn.contains("polyline points=\"340.0,205.0 610.0,45.0\""),
            "{drawn}"
        );
    }
}
