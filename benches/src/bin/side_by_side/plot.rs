//! The figures as a picture.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Line, Report};
use crate::way::Kind;

const SIZE: (u32, u32) = (960, 520);
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(225, 228, 232);
const FONT: &str = "sans-serif";

/// Bars of throughput in terms of the coordinator's (or, without one, of the driver's).
pub(crate) fn draw(report: &Report, path: &Path) -> anyhow::Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, body) = root.split_vertically(84);
    let title = (FONT, 24).into_font().style(FontStyle::Bold).color(&INK);
    head.draw(&Text::new(
        "The same statements by different ways",
        (24, 18),
        title,
    ))?;
    let base = report.lines.first().and_then(|line| line.ways.first());
    let subtitle = format!(
        "throughput, {} = 1; {}, {} clients, one machine for all",
        base.map_or("", |measured| measured.way.name()),
        report.backend,
        report.clients
    );
    let small = |size| (FONT, size).into_font().color(&INK);
    head.draw(&Text::new(subtitle, (24, 52), small(15)))?;

    let highest = report
        .lines
        .iter()
        .flat_map(relative)
        .map(|(_, height)| height);
    let top = highest.fold(1.0, f64::max) * 1.15;
    let groups = f64::from(u32::try_from(report.lines.len())?);
    let mut chart = ChartBuilder::on(&body)
        .margin(16)
        .margin_top(0)
        .x_label_area_size(32)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..groups, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .y_labels(6)
        .y_label_formatter(&|value| format!("×{value:.1}"))
        .label_style(small(14))
        .axis_style(FAINT)
        .draw()?;

    let centred = |size| small(size).pos(Pos::new(HPos::Center, VPos::Bottom));
    for (group, line) in (0_u32..).zip(&report.lines) {
        let bars = relative(line);
        let width = 0.8 / f64::from(u32::try_from(bars.len().max(1))?);
        for (place, (kind, height)) in (0_u32..).zip(bars) {
            let left = f64::from(group) + 0.1 + f64::from(place) * width;
            let right = left + width * 0.9;
            let bar = Rectangle::new([(left, 0.0), (right, height)], colour(kind).filled());
            chart.draw_series([bar])?;
            let place = (f64::midpoint(left, right), height + top * 0.012);
            let label = Text::new(format!("{height:.2}"), place, centred(14));
            chart.draw_series([label])?;
        }
        // Below the axis, where the chart's own coordinates do not reach.
        let (x, y) = chart
            .plotting_area()
            .map_coordinate(&(f64::from(group) + 0.5, 0.0));
        let style = small(15).pos(Pos::new(HPos::Center, VPos::Top));
        root.draw(&Text::new(line.operation.name(), (x, y + 10), style))?;
    }

    let kinds = report.lines.first().map(relative).unwrap_or_default();
    for (place, (kind, _)) in (0_i32..).zip(kinds) {
        let left = 520 + place * 132;
        head.draw(&Rectangle::new(
            [(left, 26), (left + 14, 40)],
            colour(kind).filled(),
        ))?;
        head.draw(&Text::new(kind.name(), (left + 20, 25), small(15)))?;
    }
    root.present()?;
    Ok(())
}

/// Each way's throughput in terms of the first's, which is the coordinator's where there is one.
fn relative(line: &Line) -> Vec<(Kind, f64)> {
    let base = line
        .ways
        .first()
        .map_or(Kind::Driver, |measured| measured.way);
    let to_base = |kind| Some((kind, line.ratio(kind, base)?));
    line.ways
        .iter()
        .filter_map(|measured| to_base(measured.way))
        .collect()
}

fn colour(kind: Kind) -> RGBColor {
    match kind {
        Kind::Coordinator => RGBColor(158, 167, 179),
        Kind::Driver => RGBColor(24, 119, 201),
        Kind::Plain => RGBColor(214, 203, 176),
    }
}
