//! Finds the learning rate of a model, ranks learning-rate schedules on it,
//! and says which one to use, with the evidence.
//!
//! ```no_run
//! use candle_core::Device;
//! use candle_nn::Module as _;
//! use lrscout::{Dataset, Learner, ScheduleSpec, nn};
//!
//! # fn main() -> lrscout::Result<()> {
//! let dataset = Dataset::csv("wine.csv", "quality").load(&Device::Cpu)?;
//! let learner = Learner::new(
//!     |vb, data| {
//!         let hidden = nn::linear(data.features(), 64, vb.pp("hidden"))?;
//!         let out = nn::linear(64, data.outputs(), vb.pp("out"))?;
//!         Ok(candle_nn::func(move |x| out.forward(&hidden.forward(x)?.relu()?)))
//!     },
//!     dataset,
//! );
//! let lr = learner.find_lr()?.lr;
//! let schedule = ScheduleSpec::cosine().build(lr, 2_000)?;
//! let fit = learner.fit(&schedule, 2_000)?;
//! # Ok(())
//! # }
//! ```
//!
//! A program of your own gets the whole command line on its models and data:
//! see [`main`] and [`Registry`].

mod audit;
mod cli;
mod data;
mod digest;
mod error;
mod grid;
mod gzip;
mod import;
mod kernels;
mod learner;
mod library;
mod lr_find;
mod model;
pub mod nn;
mod optim;
mod plan;
mod ranking;
mod record;
mod report;
mod results;
mod runner;
mod schedule;
mod seed;
mod spec;
mod stats;
mod store;
mod synonyms;
mod text;
mod train;
mod workload;

pub use cli::main;
pub use data::{CsvFile, Dataset, Split, Task, TextFile};
pub use error::{Error, Problem, Result, Source};
pub use learner::{Auto, Budget, Candidate, Comparison, Learner};
pub use lr_find::{
    Confidence, FindOutcome, Ladder, LossKind, LrFound, LrPoint, Opinion,
    OpinionSource, RangeTest, Rule, Trial, Verify,
};
pub use optim::Checkpoint;
pub use ranking::{Direction, Protocol, Ranking, Scale};
pub use record::{Observation, Outcome};
pub use results::rows::{LeaderboardRow, Verdict};
pub use schedule::{Bound, Library, Schedule, ScheduleSpec, bound};
pub use spec::{AdjustLr, OptimizerSpec};
pub use train::{Fit, Progress, Score};
pub use workload::Registry;
