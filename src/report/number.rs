//! Numbers as a reader wants them: few digits, the same everywhere.

use super::none;

/// A learning rate or multiple to three significant digits: `0.012`, `3.2e-5`.
pub(crate) fn rate(value: f64) -> String {
    significant(value, 3)
}

/// A loss, rank or regret to four significant digits.
pub(crate) fn score(value: f64) -> String {
    significant(value, 4)
}

/// A regret: three decimals, which is a tenth of a per cent of a loss.
pub(crate) fn regret(value: f64) -> String {
    if !value.is_finite() {
        none()
    } else if value > 0.0 && value < 0.0005 {
        "< 0.001".to_owned()
    } else if value.abs() < 100.0 {
        format!("{:.3}", value + 0.0)
    } else {
        significant(value, 3)
    }
}

/// A difference of scores with its sign: `−0.012`, `+0.003`.
pub(crate) fn difference(value: f64) -> String {
    if !value.is_finite() {
        return none();
    }
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", regret(value.abs()).replace("< ", ""))
}

/// `value` with the decimals that multiples of `step` need.
pub(crate) fn plain(value: f64, step: f64) -> String {
    let magnitude = value.abs().max(step);
    if magnitude >= 1e6 || (magnitude < 1e-4 && magnitude > 0.0) {
        return significant(value, 3);
    }
    // Adding 0 turns -0 into 0.
    let value = (value / step).round() * step + 0.0;
    format!("{value:.*}", decimals(step))
}

/// A share as a whole percentage.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0} %", 100.0 * share) } else { none() }
}

/// A probability: three decimals, never a bare zero.
pub(crate) fn probability(p: f64) -> String {
    if !p.is_finite() {
        none()
    } else if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return none();
    }
    let scientific = format!("{value:.*e}", size(digits - 1));
    let (mantissa, exponent) =
        scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-3..6).contains(&exponent) {
        let text = format!("{value:.*}", size(digits - 1 - exponent));
        return without_zeros(&text).to_owned();
    }
    format!("{}e{exponent}", without_zeros(mantissa))
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

fn decimals(step: f64) -> usize {
    (0..12).find(|&d| step >= 10_f64.powi(-d) * (1.0 - 1e-9)).map_or(12, size)
}

fn size(digits: i32) -> usize {
    usize::try_from(digits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_no_zeros_for_nothing() {
        let cases = [
            (0.012, "0.012"),
            (0.012_345, "0.0123"),
            (3.2e-5, "3.2e-5"),
            (1e-3, "0.001"),
            (9.999e-4, "0.001"),
            (1.0, "1"),
            (0.25, "0.25"),
            (123_456.0, "123456"),
            (0.0, "0"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(rate(value), text);
        }
    }

    #[test]
    fn probabilities_and_regrets_are_never_a_bare_zero() {
        assert_eq!(probability(0.0), "< 0.001");
        assert_eq!(probability(0.0123), "0.012");
        assert_eq!(probability(f64::NAN), "–");
        assert_eq!(regret(0.0), "0.000");
        assert_eq!(regret(1e-5), "< 0.001");
        assert_eq!(regret(0.0125), "0.013");
        assert_eq!(regret(1e9), "1e9");
        assert_eq!(regret(f64::INFINITY), "–");
        assert_eq!(difference(-0.0125), "−0.013");
        assert_eq!(difference(0.5), "+0.500");
        assert_eq!(difference(f64::NAN), "–");
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!(plain(0.1 + 0.2, 0.1), "0.3");
        assert_eq!(plain(-0.0, 0.05), "0.00");
        assert_eq!(plain(15.0, 5.0), "15");
        assert_eq!(plain(2e7, 1e7), "2e7");
    }

    #[test]
    fn shares_are_whole_percents() {
        assert_eq!(percent(0.726), "73 %");
        assert_eq!(percent(f64::NAN), "–");
    }
}
