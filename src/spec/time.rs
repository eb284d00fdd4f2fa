//! Lengths of time as people write them.

use std::time::Duration;

/// `30m`, `1h30m`, `90s` or `90`.
///
/// # Errors
///
/// What would be right.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 90s, 30m or 1h30m");
    let mut seconds = 0;
    let mut number = String::new();
    for c in text
        .chars()
        .chain(text.ends_with(|c: char| c.is_ascii_digit()).then_some('s'))
    {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit: u64 = match c {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        number.clear();
        let more = count.checked_mul(unit);
        seconds = more
            .and_then(|more| more.checked_add(seconds))
            .ok_or_else(wrong)?;
    }
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_said() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("1h30m", 5400),
            ("1h30", 3630),
            ("18446744073709551615s", u64::MAX),
        ] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "m", "1d", "0.5h", "-1s", "1 s", "18446744073709551615s1s"]
        {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
