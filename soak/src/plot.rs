//! The requests of each second as a picture, with what was done to the cluster.

use std::path::Path;

use plotters::prelude::*;

use crate::tally::Seen;

const SIZE: (u32, u32) = (1200, 420);
const SUCCEEDED: RGBColor = RGBColor(33, 120, 180);
const FAILED: RGBColor = RGBColor(200, 60, 40);
const FAULT: RGBColor = RGBColor(225, 228, 232);
const FONT: (&str, u32) = ("sans-serif", 14);

/// A line for what succeeded, one for what failed, and a stroke for each event.
pub(crate) fn draw(path: &Path, seen: &Seen) -> anyhow::Result<()> {
    let highest = seen
        .seconds
        .iter()
        .map(|(succeeded, failed)| succeeded.max(failed));
    let top = f64::from(highest.copied().max().unwrap_or(1)) * 1.1;
    let length = f64::from(u32::try_from(seen.seconds.len())?);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let caption =
        "requests in each second: succeeded, failed, and (strokes) what was done to the cluster";
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, FONT)
        .margin(16)
        .x_label_area_size(32)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..length, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style(FONT)
        .draw()?;
    for (second, _) in &seen.events {
        let second = f64::from(u32::try_from(*second)?);
        chart.draw_series(LineSeries::new([(second, 0.0), (second, top)], FAULT))?;
    }
    let line = |of: fn(&(u32, u32)) -> u32, colour: RGBColor| {
        let seconds = (0_u32..).zip(&seen.seconds);
        let points: Vec<_> = seconds
            .map(|(second, counts)| (f64::from(second), f64::from(of(counts))))
            .collect();
        LineSeries::new(points, colour)
    };
    chart.draw_series(line(|(succeeded, _)| *succeeded, SUCCEEDED))?;
    chart.draw_series(line(|(_, failed)| *failed, FAILED))?;
    root.present()?;
    Ok(())
}
