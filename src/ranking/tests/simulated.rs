//! Simulated studies with a known answer.

use super::*;

#[test]
fn no_false_dominated_in_null_studies() {
    let mut noise = Noise(3);
    let mut false_alarms = 0;
    for _ in 0..300 {
        let mut runs = vec![];
        for w in 0..10 {
            let level = 1.0 + noise.next();
            for s in 0..6 {
                // A schedule's luck on a workload is shared by its seeds.
                let luck = 0.05 * noise.normal();
                for seed in 0..3 {
                    let score = level + luck + 0.02 * noise.normal();
                    let name = format!("w{w}");
                    runs.push(run(&name, &format!("s{s}"), seed, Some(score)));
                }
            }
        }
        let ranking = quick(&runs, &Protocol::default());
        let verdicts: Vec<Verdict> =
            ranking.leaderboard().iter().map(|row| row.verdict).collect();
        false_alarms += usize::from(verdicts.contains(&Verdict::Dominated));
        let best = verdicts.iter().filter(|v| **v == Verdict::Recommended);
        assert_eq!(best.count(), 1);
    }
    // One-sided errors of a two-sided test: about 2.5 % are expected.
    assert!(false_alarms <= 15, "{false_alarms} of 300");
}

#[test]
fn a_planted_best_and_worst_are_found() {
    let mut noise = Noise(8);
    let mut runs = vec![];
    for w in 0..12 {
        let level = 1.0 + 3.0 * noise.next();
        for (schedule, factor) in
            [("best", 0.93), ("linear", 1.0), ("twin", 1.0), ("worst", 1.2)]
        {
            let twin = if schedule == "twin" { "linear" } else { schedule };
            for seed in 0..3_u32 {
                let mut own = Noise(u64::from(seed + 10 * w));
                let luck =
                    1.0 + 0.01 * (own.normal() + twin.len() as f64 / 9.0);
                let score = level * factor * luck;
                runs.push(run(
                    &format!("w{w}"),
                    schedule,
                    u64::from(seed),
                    Some(score),
                ));
            }
        }
    }
    let ranking = Ranking::of(&runs, "valid_loss", &Protocol::default());
    let ranking = ranking.expect("a valid study");
    let verdict = |schedule| ranking.verdict(schedule);
    assert_eq!(verdict("best"), Some(Verdict::Recommended));
    assert_eq!(verdict("linear"), Some(Verdict::Control));
    assert_eq!(verdict("worst"), Some(Verdict::Dominated));
    let board = ranking.leaderboard();
    let row = |name: &str| {
        board.iter().find(|row| row.schedule == name).expect("a row")
    };
    assert_eq!(row("best").place, 1);
    assert_eq!(row("best").mean_regret, 0.0);
    let behind = row("worst").mean_regret;
    assert!((behind - (1.2_f64 / 0.93).ln()).abs() < 0.02, "{behind}");
    for row in board {
        assert!(row.regret_low <= row.mean_regret);
        assert!(row.mean_regret <= row.regret_high);
    }
    let twin = row("twin");
    assert_eq!(twin.group, row("linear").group);
    assert_ne!(twin.group, row("best").group);
    assert_eq!(twin.win_rate_vs_control, Some(0.5));
    assert_eq!(twin.p_holm, Some(1.0));
    assert!(twin.p_equivalent.is_some_and(|p| p < 0.1));
}

#[test]
fn copies_of_one_schedule_are_one_group_and_equivalent() {
    let names = ["a", "b", "c", "d", "e"];
    let scores: Vec<Vec<f64>> =
        (0..8).map(|w| vec![1.0 + f64::from(w); 5]).collect();
    let ranking = quick(&matrix(&names, &scores), &Protocol::default());
    let board = ranking.leaderboard();
    assert!(board.iter().all(|row| row.group == "a" && row.mean_rank == 3.0));
    let equal = |row: &LeaderboardRow| row.verdict == Verdict::Equivalent;
    assert_eq!(board.iter().filter(|row| equal(row)).count(), 4);
    let json = json(&ranking);
    assert_eq!(json["friedman"]["chi2"], Value::Null);
    assert!(ranking.notes().iter().any(|n| n.starts_with("10 of 10 pairs")));
}
