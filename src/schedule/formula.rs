//! Closed forms as expressions: one definition, which a run evaluates and
//! `export` writes out as code.

use std::f64::consts::PI;
use std::ops::{Add, Div, Mul, Sub};
use std::sync::Arc;

/// A factor on the peak as a function of the update, with a name.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    /// Its kind, or what it adds to one: `cosine`, `warmup`.
    pub(crate) name: &'static str,
    /// What it is, in terms of [`Expr::Time`].
    pub(crate) value: Expr,
}

/// A number that may depend on the update.
///
/// Shared parts are evaluated each time: a schedule takes only a few dozen
/// operations per step.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    /// The update, counted from 0 and real: a cooldown may begin between
    /// two of them and needs the factor there.
    Time,
    /// A number.
    Number(f64),
    /// Half a circle.
    Pi,
    /// A parameter.
    Named(&'static str, f64),
    /// A step on the way that has a name.
    Local(&'static str, Arc<Self>),
    /// A function of one number.
    Unary(Unary, Arc<Self>),
    /// A function of two.
    Binary(Binary, Arc<[Self; 2]>),
    /// A number to a whole power.
    Power(Arc<Self>, i32),
    /// The third if the first is less than the second, else the fourth; only
    /// that one is evaluated.
    Choice(Less, Arc<[Self; 4]>),
    /// The row of a table whose update is the last one not after this; its
    /// last row from there on.
    Row(Arc<Vec<f64>>, Arc<Self>),
    /// Another formula at another time.
    Call(Arc<Formula>, Arc<Self>),
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Sqrt,
    Cos,
    Tanh,
    Ln,
    Floor,
}

/// Functions of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
}

/// When a number counts as less than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Less {
    /// Not where they are equal.
    Strictly,
    /// Also where they are equal.
    OrEqual,
}

impl Formula {
    pub(super) fn new(name: &'static str, value: impl Into<Expr>) -> Arc<Self> {
        Arc::new(Self { name, value: value.into() })
    }

    /// The factor at update `t`.
    pub(crate) fn at(&self, t: f64) -> f64 {
        self.value.at(t)
    }

    /// The formula at the time `t` of another one.
    pub(super) fn of(self: &Arc<Self>, t: impl Into<Expr>) -> Expr {
        Expr::Call(Arc::clone(self), Arc::new(t.into()))
    }
}

impl Expr {
    /// The value at update `t`.
    pub(crate) fn at(&self, t: f64) -> f64 {
        match self {
            Self::Time => t,
            Self::Number(value) | Self::Named(_, value) => *value,
            Self::Pi => PI,
            Self::Local(_, value) => value.at(t),
            Self::Unary(function, x) => function.at(x.at(t)),
            Self::Binary(function, pair) => {
                function.at(pair[0].at(t), pair[1].at(t))
            }
            Self::Power(base, exponent) => base.at(t).powi(*exponent),
            Self::Choice(less, parts) => {
                let [left, right, then, otherwise] = &**parts;
                if less.holds(left.at(t), right.at(t)) {
                    then.at(t)
                } else {
                    otherwise.at(t)
                }
            }
            Self::Row(rows, time) => {
                let row = rows.get(index(time.at(t))).or(rows.last());
                row.copied().unwrap_or(0.0)
            }
            Self::Call(formula, time) => formula.at(time.at(t)),
        }
    }

    /// The value under a name of its own.
    pub(super) fn called(self, name: &'static str) -> Self {
        Self::Local(name, Arc::new(self))
    }

    pub(super) fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }

    pub(super) fn cos(self) -> Self {
        self.unary(Unary::Cos)
    }

    pub(super) fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    pub(super) fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }

    pub(super) fn floor(self) -> Self {
        self.unary(Unary::Floor)
    }

    pub(super) fn min(self, other: impl Into<Self>) -> Self {
        self.binary(Binary::Min, other)
    }

    pub(super) fn max(self, other: impl Into<Self>) -> Self {
        self.binary(Binary::Max, other)
    }

    pub(super) fn pow(self, exponent: impl Into<Self>) -> Self {
        self.binary(Binary::Pow, exponent)
    }

    pub(super) fn powi(self, exponent: i32) -> Self {
        Self::Power(Arc::new(self), exponent)
    }

    /// `then` where this is less than `limit`, else `otherwise`.
    pub(super) fn below(
        self,
        limit: impl Into<Self>,
        then: impl Into<Self>,
        otherwise: impl Into<Self>,
    ) -> Self {
        self.choice(Less::Strictly, limit.into(), then, otherwise)
    }

    /// `then` where this is at most `limit`, else `otherwise`.
    pub(super) fn at_most(
        self,
        limit: impl Into<Self>,
        then: impl Into<Self>,
        otherwise: impl Into<Self>,
    ) -> Self {
        self.choice(Less::OrEqual, limit.into(), then, otherwise)
    }

    fn choice(
        self,
        less: Less,
        limit: Self,
        then: impl Into<Self>,
        otherwise: impl Into<Self>,
    ) -> Self {
        let parts = [self, limit, then.into(), otherwise.into()];
        Self::Choice(less, Arc::new(parts))
    }

    fn unary(self, function: Unary) -> Self {
        Self::Unary(function, Arc::new(self))
    }

    fn binary(self, function: Binary, other: impl Into<Self>) -> Self {
        Self::Binary(function, Arc::new([self, other.into()]))
    }
}

impl Unary {
    fn at(self, x: f64) -> f64 {
        match self {
            Self::Sqrt => x.sqrt(),
            Self::Cos => x.cos(),
            Self::Tanh => x.tanh(),
            Self::Ln => x.ln(),
            Self::Floor => x.floor(),
        }
    }
}

impl Binary {
    fn at(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Add => x + y,
            Self::Sub => x - y,
            Self::Mul => x * y,
            Self::Div => x / y,
            Self::Pow => x.powf(y),
            Self::Min => x.min(y),
            Self::Max => x.max(y),
        }
    }
}

impl Less {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Strictly => left < right,
            Self::OrEqual => left <= right,
        }
    }
}

/// The update whose time is the last one not after `t`.
fn index(t: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time within the budget, 0 or more"
    )]
    let index = t.floor() as usize;
    index
}

impl From<f64> for Expr {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&Expr> for Expr {
    fn from(value: &Expr) -> Self {
        value.clone()
    }
}

/// Operators between expressions, borrowed or not, and numbers.
macro_rules! operators {
    ($($operator:ident $method:ident;)+) => {$(
        impl<T: Into<Expr>> $operator<T> for Expr {
            type Output = Expr;

            fn $method(self, other: T) -> Expr {
                self.binary(Binary::$operator, other)
            }
        }

        impl<T: Into<Expr>> $operator<T> for &Expr {
            type Output = Expr;

            fn $method(self, other: T) -> Expr {
                self.clone().binary(Binary::$operator, other)
            }
        }

        impl $operator<Expr> for f64 {
            type Output = Expr;

            fn $method(self, other: Expr) -> Expr {
                Expr::from(self).binary(Binary::$operator, other)
            }
        }

        impl $operator<&Expr> for f64 {
            type Output = Expr;

            fn $method(self, other: &Expr) -> Expr {
                Expr::from(self).binary(Binary::$operator, other)
            }
        }
    )+};
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

/// Parameters under their own names, as expressions.
macro_rules! named {
    ($($name:ident),+) => {
        $(let $name = $crate::schedule::formula::Expr::Named(
            stringify!($name),
            $name,
        );)+
    };
}

pub(super) use named;

/// Half a cosine from 1 at `x = 0` to 0 at `x = 1`.
///
/// Source: Loshchilov & Hutter, *SGDR* (2017), eq. 5.
pub(super) fn half_cosine(x: impl Into<Expr>) -> Expr {
    (1.0 + (Expr::Pi * x.into()).cos()) / 2.0
}
