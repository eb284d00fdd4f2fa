use super::losses::Kind;
use super::*;
use crate::seed;
use crate::stats::average::{Average, Start};
use rand::RngExt as _;

/// Range tests of a kind that are planted.
const PLANTED: u64 = 200;

/// The same, for counts.
const MANY: usize = 200;

/// The losses of a range test: flat, falling, rising, with the noise of
/// batches, in proportion to the level. Of one in eight the noise is too small
/// to be seen.
fn planted(seed: u64) -> Vec<f64> {
    let mut rng = seed::stream(seed, "recorded range test");
    let mut draw = |low: f64, high: f64| rng.random_range(low..high);
    let count = [60_u32, 80, 100, 100, 150, 200][(seed % 6) as usize];
    let decades = draw(5.0, 8.0);
    let fall = draw(0.45, 0.7);
    let rise = draw(0.8, 0.92);
    let depth = draw(0.3, 0.9);
    let level = 10.0_f64.powf(draw(-1.0, 1.0));
    let noise = if seed % 8 == 7 { 1e-4 } else { draw(0.03, 0.3) };
    let mut losses = vec![];
    for i in 0..count {
        let x = f64::from(i) / f64::from(count - 1);
        let down = 1.0 / (1.0 + (-(x - fall) * decades * 4.0).exp());
        let up = ((x - rise) * decades * 3.0).exp();
        let mean = level * (1.0 - depth * down + up);
        // The sum of six is close to normal.
        let wave: f64 = (0..6).map(|_| draw(-1.0, 1.0)).sum();
        losses.push(mean * (1.0 + noise * wave / 1.414));
    }
    losses
}

/// As a framework has them: in single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounding is wanted")]
fn single(losses: &[f64]) -> Vec<f64> {
    losses.iter().map(|loss| f64::from(*loss as f32)).collect()
}

/// With so many significant digits, and half a unit in their last place.
fn written(losses: &[f64], digits: usize) -> (Vec<f64>, f64) {
    let decimals = digits - 1;
    let round = |loss: &f64| format!("{loss:.decimals$e}").parse().expect("it");
    let unit = 0.5 * 10.0_f64.powf(losses[0].log10().floor() - decimals as f64);
    (losses.iter().map(round).collect(), unit)
}

fn zero(new: f64) -> Average {
    Average::exponential(new, Start::Zero)
}

/// Writes losses: with what digits, and what these may be off by.
type Record = dyn Fn(&[f64]) -> (Vec<f64>, f64);

/// What became of planted losses.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    right: usize,
    wrong: usize,
    doubtful: usize,
    unknown: usize,
    raw: usize,
}

/// Counts what is said of the losses, or of an average of them, as `record`
/// writes them.
fn tally(average: Option<Average>, said: Smoothed, record: &Record) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..PLANTED {
        let raw = single(&planted(seed));
        let averages = average.map_or_else(|| raw.clone(), |a| a.of(&raw));
        let (losses, rounding) = record(&averages);
        let losses = Losses::of(losses, rounding, said);
        *match losses.kind() {
            Kind::Undone(found) if same(Some(found), average) => {
                &mut tally.right
            }
            Kind::Undone(_) => &mut tally.wrong,
            Kind::Doubtful => &mut tally.doubtful,
            Kind::Unknown => &mut tally.unknown,
            Kind::Raw => &mut tally.raw,
        } += 1;
    }
    tally
}

/// Whether two averages are the same, but for the rounding of a weight.
fn same(a: Option<Average>, b: Option<Average>) -> bool {
    let name = |average: Option<Average>| average.map(|a| a.to_string());
    name(a) == name(b)
}

fn in_full(losses: &[f64]) -> (Vec<f64>, f64) {
    (losses.to_vec(), 0.0)
}

fn six_digits(losses: &[f64]) -> (Vec<f64>, f64) {
    written(losses, 6)
}

#[test]
fn with_all_digits_every_average_is_known_and_no_raw_loss_is_one() {
    let tally = |average| tally(average, Smoothed::Unsaid, &in_full);
    let raw = tally(None);
    assert_eq!((raw.right, raw.wrong, raw.unknown), (0, 0, 0), "{raw:?}");
    assert!(raw.raw >= MANY * 98 / 100, "{raw:?}");
    for average in [
        Average::TORCH_LR_FINDER,
        Average::since_first(0.3),
        Average::LIGHTNING,
        zero(0.1),
    ] {
        let tally = tally(Some(average));
        assert_eq!(tally.right, MANY, "{average}: {tally:?}");
    }
}

#[test]
fn with_six_digits_no_raw_loss_is_undone_and_lightnings_ramp_is_known() {
    let tally = |average, said| tally(average, said, &six_digits);
    let raw = tally(None, Smoothed::Unsaid);
    assert_eq!((raw.right, raw.wrong), (0, 0), "{raw:?}");
    assert!(raw.doubtful <= MANY * 3 / 100, "{raw:?}");
    let lightning = tally(Some(Average::LIGHTNING), Smoothed::Unsaid);
    assert_eq!(lightning.wrong, 0, "{lightning:?}");
    assert!(lightning.right >= MANY * 80 / 100, "{lightning:?}");
    let usual = Average::TORCH_LR_FINDER;
    let unsaid = tally(Some(usual), Smoothed::Unsaid);
    assert_eq!((unsaid.right, unsaid.wrong), (0, 0), "{unsaid:?}");
    assert!(unsaid.raw <= MANY * 5 / 100, "{unsaid:?}");
    let said = tally(Some(usual), Smoothed::Default(usual));
    assert!(said.right >= MANY * 95 / 100, "{said:?}");
}

#[test]
fn means_of_an_epoch_are_known_if_keras_is_said() {
    let means = Average::Mean { every: None };
    let tally = |average| {
        tally(average, Smoothed::PerhapsMeans, &|losses| (single(losses), 0.0))
    };
    let (raw, found) = (tally(None), tally(Some(means)));
    assert!(raw.wrong <= MANY * 2 / 100, "{raw:?}");
    assert_eq!(found.wrong, 0, "{found:?}");
    assert!(found.right >= MANY * 75 / 100, "{found:?}");
}

#[test]
fn a_file_with_two_digits_is_too_coarse_and_says_so() {
    let average = Average::LIGHTNING;
    let averages = average.of(&planted(0));
    let (losses, rounding) = written(&averages, 2);
    let losses = Losses::of(losses, rounding, Smoothed::By(average));
    assert_eq!(losses.kind(), Kind::Doubtful);
    let said = losses.said(0.07);
    assert!(said.contains("has too few digits to undo that"), "{said}");
    let (losses, rounding) = written(&averages, 5);
    let losses = Losses::of(losses, rounding, Smoothed::By(average));
    assert_eq!(losses.kind(), Kind::Undone(average));
    let said = losses.said(0.07);
    assert!(said.contains("undone, accurate to "), "{said}");
}

#[test]
fn a_declared_weight_finds_its_start() {
    let raw = single(&planted(3));
    for start in [
        Start::First,
        Start::Zero,
        Start::Corrected { ahead: 0 },
        Start::Corrected { ahead: 1 },
    ] {
        let average = Average::Exponential { new: 0.1, past: 0.9, start };
        let said = Smoothed::Weight(0.1);
        let losses = Losses::of(average.of(&raw), 0.0, said);
        assert_eq!(losses.kind(), Kind::Undone(average), "{start:?}");
        for (got, want) in losses.loss.iter().zip(&raw) {
            assert!((got / want - 1.0).abs() < 1e-9, "{got} is not {want}");
        }
    }
}

fn ladder(count: usize) -> Vec<f64> {
    let rung = |i| 10.0_f64.powf(-6.0 + 7.0 * i as f64 / (count - 1) as f64);
    (0..count).map(rung).collect()
}

fn suggestion(loss: Vec<f64>) -> Option<f64> {
    let lr = ladder(loss.len());
    let found = RecordedTest::new(lr, loss, false).diagnosis.suggestion();
    found.map(|found| found.lr)
}

#[test]
fn one_loss_that_is_not_finite_moves_nothing() {
    // The descent of seed 6 is hardly more than noise.
    for seed in 7..27 {
        let raw = planted(seed);
        let Some(want) = suggestion(raw.clone()) else { continue };
        for at in 0..raw.len() - 1 {
            for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut loss = raw.clone();
                loss[at] = odd;
                let got = suggestion(loss).expect("an answer");
                let off = (got / want).log10().abs();
                assert!(off < 0.35, "seed {seed}, row {at}: {off} decades");
            }
        }
    }
}

#[test]
fn a_range_that_ends_too_low_says_how_far_to_go() {
    let count = 80;
    let falling: Vec<f64> =
        (0..count).map(|i| 2.3 - 0.01 * f64::from(i)).collect();
    let lr = ladder(80);
    let read = |loss: Vec<f64>, rule| {
        RecordedTest::new(lr.clone(), loss, false).read(rule)
    };
    let found = read(falling, Rule::Lrscout);
    assert_eq!(found.outcome, FindOutcome::NeverDiverged);
    assert_eq!(found.confidence, Confidence::Low);
    assert_eq!(
        found.reason,
        "the loss never rose again up to 1.00e1: repeat the range test with \
         a maximum rate of 1e3; rule `lrscout`, one curve"
    );
    let flat = (0..count).map(|i| 1.4 + 0.05 * f64::from(i % 3)).collect();
    let found = read(flat, Rule::Lrscout);
    assert_eq!(found.outcome, FindOutcome::NoDescent);
    assert_eq!(
        found.reason,
        "the loss fell at no rate up to 1.00e1: repeat the range test with a \
         maximum rate of 1e3; the rule `lrscout` has no answer"
    );
}

#[test]
fn a_range_that_begins_at_0_is_repeated_from_below_its_first_rate() {
    let mut lr = ladder(80);
    lr.insert(0, 0.0);
    let first = 1e-3 * lr[1];
    let reason = |loss: Vec<f64>| {
        RecordedTest::new(lr.clone(), loss, false).read(Rule::Lrscout).reason
    };
    assert_eq!(
        reason(vec![f64::NAN; 81]),
        format!(
            "the loss is not finite from the first updates on: repeat the \
             range test from {first:.0e}; the rule `lrscout` has no answer"
        )
    );
    let rising = (0..81).map(|i| 2.0 + f64::from(i * i));
    let reason = reason(rising.collect());
    let repeat = format!("repeat the range test from {first:.0e};");
    assert!(reason.contains(&repeat), "{reason}");
}

#[test]
fn a_long_record_is_read_in_groups_to_the_same_rate() {
    let valley = |count: u32| -> Vec<f64> {
        let share = |i| f64::from(i) / f64::from(count - 1);
        (0..count).map(|i| (share(i) - 0.6).abs()).collect()
    };
    let want = suggestion(valley(200)).expect("an answer");
    let test = RecordedTest::new(ladder(6001), valley(6001), false);
    let found = test.diagnosis.suggestion().expect("an answer");
    assert!(test.diagnosis.len() <= MOST_ROWS);
    assert!((found.lr / want).log10().abs() < 0.1, "{} {want}", found.lr);
    assert_eq!(test.points().len(), 6001);
}
