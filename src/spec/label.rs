//! Labels in tables and names: the kind, then what differs from the defaults.

use super::optimizer::{
    adamw_decay, alpha, beta1, beta2, eps, lion_beta2, momentum, muon_decay,
    muon_momentum, ns_steps,
};
use super::{
    AdjustLr, ModelSpec, OptimizerSpec, cnn_channels, cnn_hidden, cnn_kernels,
    four, gru_embedding, gru_hidden, mlp_hidden, one, resnet_channels,
    transformer_width, two,
};
use std::fmt::Display;

impl ModelSpec {
    /// The kind, then what differs from its defaults: `mlp(hidden=64)`.
    pub(crate) fn label(&self) -> String {
        let mut label = Label::default();
        match self {
            Self::Mlp { hidden } => label.list("hidden", hidden, &mlp_hidden()),
            Self::Cnn { channels, kernels, stride, padding, pool, hidden } => {
                label.list("channels", channels, &cnn_channels());
                label.list("kernels", kernels, &cnn_kernels());
                label.count("stride", *stride, one());
                label.maybe("padding", *padding);
                label.count("pool", *pool, two());
                label.list("hidden", hidden, &cnn_hidden());
            }
            Self::Resnet { channels, blocks } => {
                label.list("channels", channels, &resnet_channels());
                label.count("blocks", *blocks, one());
            }
            Self::Transformer { width, layers, heads } => {
                label.count("width", *width, transformer_width());
                label.count("layers", *layers, two());
                label.count("heads", *heads, four());
            }
            Self::Gru { hidden, layers, embedding } => {
                label.count("hidden", *hidden, gru_hidden());
                label.count("layers", *layers, one());
                label.count("embedding", *embedding, gru_embedding());
            }
            Self::Registered { .. } => {}
        }
        label.of(self.kind())
    }
}

impl OptimizerSpec {
    /// The kind, then what differs from its defaults:
    /// `sgd(weight_decay=0.005)`.
    pub fn label(&self) -> String {
        let mut label = Label::default();
        match *self {
            Self::Sgd { momentum: m, nesterov, weight_decay, .. } => {
                label.real("momentum", m, momentum());
                label.flag("nesterov", nesterov, false);
                label.real("weight_decay", weight_decay, 0.0);
            }
            Self::Adamw { beta1, beta2, eps, weight_decay, .. } => {
                label.adam(beta1, beta2, eps);
                label.real("weight_decay", weight_decay, adamw_decay());
            }
            Self::Adam { beta1, beta2, eps, weight_decay, .. } => {
                label.adam(beta1, beta2, eps);
                label.real("weight_decay", weight_decay, 0.0);
            }
            Self::Rmsprop {
                alpha: a, eps: e, momentum, weight_decay, ..
            } => {
                label.real("alpha", a, alpha());
                label.real("eps", e, eps());
                label.real("momentum", momentum, 0.0);
                label.real("weight_decay", weight_decay, 0.0);
            }
            Self::Lion { beta1: b1, beta2: b2, weight_decay, .. } => {
                label.real("beta1", b1, beta1());
                label.real("beta2", b2, lion_beta2());
                label.real("weight_decay", weight_decay, 0.0);
            }
            Self::Muon { .. } => self.label_muon(&mut label),
        }
        label.maybe("clip_norm", self.clip_norm());
        let multipliers = self.lr_multipliers().iter();
        let multipliers: Vec<_> =
            multipliers.map(|(name, f)| format!("{name}={f}")).collect();
        if !multipliers.is_empty() {
            let all = multipliers.join("+");
            label.0.push(format!("lr_multipliers={all}"));
        }
        label.of(self.kind())
    }

    fn label_muon(&self, label: &mut Label) {
        let Self::Muon {
            momentum,
            nesterov,
            ns_steps: steps,
            adjust_lr_fn,
            weight_decay,
            ref adamw_for,
            adamw_lr_ratio,
            adamw_weight_decay,
            beta1,
            beta2,
            eps,
            ..
        } = *self
        else {
            return;
        };
        label.real("momentum", momentum, muon_momentum());
        label.flag("nesterov", nesterov, true);
        label.count("ns_steps", steps, ns_steps());
        if adjust_lr_fn != AdjustLr::Original {
            label.maybe("adjust_lr_fn", Some(adjust_lr_fn.name()));
        }
        label.real("weight_decay", weight_decay, muon_decay());
        let names = adamw_for.as_ref().map(|names| match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join("+"),
        });
        label.maybe("adamw_for", names);
        label.maybe("adamw_lr_ratio", adamw_lr_ratio.map(short));
        label.real("adamw_weight_decay", adamw_weight_decay, adamw_decay());
        label.adam(beta1, beta2, eps);
    }
}

/// What differs from the defaults, in order.
#[derive(Default)]
struct Label(Vec<String>);

impl Label {
    fn count(&mut self, key: &str, got: usize, usual: usize) {
        if got != usual {
            self.0.push(format!("{key}={got}"));
        }
    }
    fn real(&mut self, key: &str, got: f64, usual: f64) {
        if got != usual {
            self.0.push(format!("{key}={}", short(got)));
        }
    }
    fn flag(&mut self, key: &str, got: bool, usual: bool) {
        if got != usual {
            self.0.push(format!("{key}={got}"));
        }
    }
    fn adam(&mut self, b1: f64, b2: f64, e: f64) {
        self.real("beta1", b1, beta1());
        self.real("beta2", b2, beta2());
        self.real("eps", e, eps());
    }
    fn maybe<T: Display>(&mut self, key: &str, got: Option<T>) {
        self.0.extend(got.map(|got| format!("{key}={got}")));
    }
    fn list(&mut self, key: &str, got: &[usize], usual: &[usize]) {
        if got != usual {
            let items: Vec<_> = got.iter().map(usize::to_string).collect();
            let items = match items.as_slice() {
                [] => "none".to_owned(),
                items => items.join("-"),
            };
            self.0.push(format!("{key}={items}"));
        }
    }
    fn of(self, kind: &str) -> String {
        match self.0.as_slice() {
            [] => kind.to_owned(),
            parts => format!("{kind}({})", parts.join(",")),
        }
    }
}

/// `number` as people write it: `0.005`, `1e-8`.
pub(crate) fn short(number: f64) -> String {
    if number == 0.0 || (1e-4..1e6).contains(&number.abs()) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_what_differs() {
        let model = |text: &str| -> String {
            serde_json::from_str::<ModelSpec>(text).expect(text).label()
        };
        for (text, label) in [
            (r#"{"kind":"mlp"}"#, "mlp"),
            (r#"{"kind":"mlp","hidden":[128,64]}"#, "mlp"),
            (r#"{"kind":"mlp","hidden":[64]}"#, "mlp(hidden=64)"),
            (r#"{"kind":"mlp","hidden":[]}"#, "mlp(hidden=none)"),
            (
                r#"{"kind":"cnn","kernels":[5,3],"padding":1,"pool":1}"#,
                "cnn(kernels=5-3,padding=1,pool=1)",
            ),
            (r#"{"kind":"resnet","blocks":2}"#, "resnet(blocks=2)"),
            (
                r#"{"kind":"transformer","heads":2,"width":32}"#,
                "transformer(width=32,heads=2)",
            ),
            (r#"{"kind":"gru","hidden":128}"#, "gru(hidden=128)"),
        ] {
            assert_eq!(model(text), label);
        }
        let own = ModelSpec::Registered { name: "mine".to_owned() };
        assert_eq!(own.label(), "mine");

        let optimizer = |text: &str| -> String {
            serde_json::from_str::<OptimizerSpec>(text).expect(text).label()
        };
        for (text, label) in [
            (r#"{"kind":"sgd"}"#, "sgd"),
            (r#"{"kind":"sgd","momentum":0}"#, "sgd(momentum=0)"),
            (
                r#"{"kind":"sgd","nesterov":true,"weight_decay":0.005}"#,
                "sgd(nesterov=true,weight_decay=0.005)",
            ),
            (r#"{"kind":"adamw","weight_decay":0.01}"#, "adamw"),
            (
                r#"{"kind":"sgd","lr_multipliers":{"out":10,"bias":0.5}}"#,
                "sgd(lr_multipliers=bias=0.5+out=10)",
            ),
            (
                r#"{"kind":"adamw","eps":1e-6,"clip_norm":1.0}"#,
                "adamw(eps=1e-6,clip_norm=1)",
            ),
            (r#"{"kind":"adam","weight_decay":0}"#, "adam"),
            (
                r#"{"kind":"rmsprop","alpha":0.9,"momentum":0.5}"#,
                "rmsprop(alpha=0.9,momentum=0.5)",
            ),
            (r#"{"kind":"lion","beta2":0.98}"#, "lion(beta2=0.98)"),
            (r#"{"kind":"muon"}"#, "muon"),
            (
                r#"{"kind":"muon","adjust_lr_fn":"match-rms-adamw",
                    "nesterov":false,"adamw_for":["head","out"]}"#,
                "muon(nesterov=false,adjust_lr_fn=match-rms-adamw,\
                 adamw_for=head+out)",
            ),
        ] {
            assert_eq!(optimizer(text), label);
        }
    }
}
