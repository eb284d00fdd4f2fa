//! Curves of range tests as CSV: our own, and those of any other tool.

use super::sheet::{Row, Sheet};
use crate::error::Result;

/// A recorded range test: one row an update, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RecordedCurve {
    /// Learning rates, finite and not negative.
    pub(crate) lr: Vec<f64>,
    /// Raw losses; may be infinite or NaN.
    pub(crate) loss: Vec<f64>,
}

/// Reads the columns `lr` and `loss`, in any place; others are ignored. An
/// empty loss is NaN, as `nan` is, and `inf` is allowed.
///
/// # Errors
///
/// If it is no such table; with line and column.
pub(crate) fn curve(sheet: &Sheet) -> Result<RecordedCurve> {
    let (lr, loss) = (sheet.needed("lr")?, sheet.needed("loss")?);
    let mut curve = RecordedCurve::default();
    for row in sheet.records() {
        curve.lr.push(rate(row, lr)?);
        let wanted = "it must be a number, `nan` or `inf`";
        curve.loss.push(row.number(loss, wanted)?);
    }
    Ok(curve)
}

fn rate(row: Row<'_>, column: usize) -> Result<f64> {
    let wanted = "it must be a finite number from 0 up";
    let lr = row.number(column, wanted)?;
    if lr.is_finite() && lr >= 0.0 {
        return Ok(lr);
    }
    Err(row.error(column, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::table::write_rows;
    use std::path::Path;

    fn read_text(text: &str) -> Result<RecordedCurve> {
        curve(&Sheet::parse(Path::new("curve.csv"), text)?)
    }

    fn refusal(text: &str) -> String {
        read_text(text).expect_err("not a curve").to_string()
    }

    #[test]
    fn columns_stand_anywhere_and_losses_may_be_anything() {
        let curve = read_text(
            "step, LOSS ,lr,note\r\n0,1.5,1e-7,\"a, b\"\r\n\r\n1,NaN,0.1,\n\
             2,,1,x\n3,-Inf,2,\n4,inf,\"3\",\n",
        )
        .expect("a curve");
        assert_eq!(curve.lr, [1e-7, 0.1, 1.0, 2.0, 3.0]);
        let losses = format!("{:?}", curve.loss);
        assert_eq!(losses, "[1.5, NaN, NaN, -inf, inf]");
        let empty = read_text("lr,loss\n").expect("a curve of no rows");
        assert_eq!(empty, RecordedCurve::default());
    }

    #[test]
    fn refusals_say_where_and_what_would_be_right() {
        for (text, message) in [
            (
                "",
                "curve.csv:1:1: the file is empty; its first line must name \
                 the columns",
            ),
            (
                "rate,loss\n1,2\n",
                "curve.csv:1:1: there is no column `lr`; the columns are: \
                 rate, loss",
            ),
            (
                "lr,loss,lr\n",
                "curve.csv:1:9: there is a second column `lr`; rename one",
            ),
            (
                "lr,loss\n0.1,2\n0.2,much\n",
                "curve.csv:3:5: `loss` is `much`; it must be a number, `nan` \
                 or `inf`",
            ),
            (
                "a,lr,loss\n\n\"é,\n\", nan,2\n",
                "curve.csv:4:4: `lr` is `nan`; it must be a finite number \
                 from 0 up",
            ),
            (
                "lr,loss\n-1,2\n",
                "curve.csv:2:1: `lr` is `-1`; it must be a finite number \
                 from 0 up",
            ),
            (
                "lr,loss\n0.1,2\n0.2\n",
                "curve.csv:3:1: this row has 1 fields and the header 2; \
                 quote cells that contain commas",
            ),
        ] {
            assert_eq!(refusal(text), message, "{text:?}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        #[derive(serde::Serialize)]
        struct Line {
            lr: f64,
            smoothed: f64,
            loss: f64,
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/curve.csv");
        let row = |lr, loss| Line { lr, smoothed: 1.0, loss };
        let rows = [row(1e-7, 0.1 + 0.2), row(0.3, f64::INFINITY)];
        write_rows(&path, &rows).expect("writable");
        let sheet = Sheet::read(&path).expect("a table");
        let back = curve(&sheet).expect("a curve");
        assert_eq!(back.lr, [1e-7, 0.3]);
        assert_eq!(back.loss, [0.1 + 0.2, f64::INFINITY]);
    }
}
