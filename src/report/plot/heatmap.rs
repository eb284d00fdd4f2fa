//! Regret of every schedule on every workload.

use super::canvas::{
    Anchor, BLACK, Canvas, GREEN, GREY, ORANGE, PALE, RED, Type, cut, page,
    type_of, widest,
};
use crate::report::number::regret;

/// One cell of the heat map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// How much worse than the workload's best schedule; 0 for that one.
    Regret(f64),
    /// Diverged with at least one seed, and so has no regret.
    Diverged,
    /// Not in the results.
    Missing,
}

const CELL: (f64, f64) = (50.0, 23.0);
const LABEL: f64 = 12.0;

/// SVG with a row a workload and a column a schedule; `cells[workload]
/// [schedule]`. The darker, the further from the workload's best.
pub(crate) fn regret_heatmap(
    workloads: &[String],
    schedules: &[String],
    cells: &[Vec<Cell>],
) -> String {
    let left = widest(names(workloads), LABEL, 230.0) + 24.0;
    let top = widest(names(schedules), LABEL, 190.0) + 22.0;
    let width = left + CELL.0 * schedules.len() as f64 + 16.0;
    let height = top + CELL.1 * workloads.len() as f64 + 12.0;
    let most = highest(cells);
    let label = format!(
        "Regret of {} schedules on {} workloads",
        schedules.len(),
        workloads.len()
    );
    page(width, height, &label, |canvas| {
        for (j, schedule) in schedules.iter().enumerate() {
            let x = left + CELL.0 * (j as f64 + 0.5);
            let name = cut(schedule, top - 14.0, LABEL);
            let style = type_of(LABEL, BLACK, Anchor::Up);
            canvas.text(&name, (x, top - 8.0), style);
        }
        for (i, (workload, row)) in workloads.iter().zip(cells).enumerate() {
            let y = top + CELL.1 * i as f64;
            let name = cut(workload, left - 16.0, LABEL);
            let style = type_of(LABEL, BLACK, Anchor::End);
            canvas.text(&name, (left - 8.0, y + CELL.1 / 2.0), style);
            for (j, &cell) in row.iter().enumerate() {
                draw(canvas, (left + CELL.0 * j as f64, y), cell, most);
            }
        }
    })
}

/// The regret of full colour: the highest, unless one outlier would leave all
/// others pale.
fn highest(cells: &[Vec<Cell>]) -> f64 {
    let mut regrets: Vec<f64> = cells
        .iter()
        .flatten()
        .filter_map(|cell| match cell {
            Cell::Regret(regret) if regret.is_finite() => Some(*regret),
            _ => None,
        })
        .collect();
    regrets.sort_by(f64::total_cmp);
    let usual = regrets.get(regrets.len() * 9 / 10).copied().unwrap_or(0.0);
    let most = regrets.last().copied().unwrap_or(0.0);
    most.min(2.0 * usual).max(f64::MIN_POSITIVE)
}

fn draw(canvas: &mut Canvas<'_>, (x, y): (f64, f64), cell: Cell, most: f64) {
    let (right, bottom) = (x + CELL.0 - 1.5, y + CELL.1 - 1.5);
    let middle = ((x + right) / 2.0, (y + bottom) / 2.0);
    let style = type_of(11.0, BLACK, Anchor::Middle);
    match cell {
        Cell::Regret(value) if value.is_finite() => {
            let best = value <= 0.0;
            // The root: small differences are what the reader looks for.
            let shade = (value / most).clamp(0.0, 1.0).sqrt();
            if best {
                canvas.bar((x, y), (right, bottom), GREEN, 0.16);
            } else {
                let alpha = 0.05 + 0.6 * shade;
                canvas.bar((x, y), (right, bottom), ORANGE, alpha);
            }
            let text = if best { "best".to_owned() } else { regret(value) };
            canvas.text(&text, middle, Type { bold: best, ..style });
        }
        Cell::Missing => {
            canvas.bar((x, y), (right, bottom), PALE, 0.5);
            canvas.text("–", middle, type_of(11.0, GREY, Anchor::Middle));
        }
        Cell::Regret(_) | Cell::Diverged => {
            canvas.bar((x, y), (right, bottom), RED, 0.25);
            canvas.cross(middle, 4.0, RED);
        }
    }
}

fn names(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str)
}
