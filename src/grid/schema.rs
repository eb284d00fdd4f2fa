//! The grid's format as a JSON schema, for completion and checks in editors.

use super::keys::natural_depth;
use super::keys::{DATASETS, Family, Form, Key, MODELS, OPTIMIZERS};
use crate::schedule::{MODIFIERS, ScheduleSpec};
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12). It knows names and forms. `lrscout check` also
/// checks ranges and combinations.
pub(crate) fn schema() -> Value {
    let count = json!({ "type": "integer", "minimum": 1 });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lrscout grid",
        "type": "object",
        "additionalProperties": false,
        "required": ["budgets", "workload", "schedule"],
        "properties": {
            "title": { "type": "string" },
            "seeds": {
                "description": "a count, or the seeds themselves",
                "default": 5,
                "anyOf": [count, {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": true,
                    "items": { "type": "integer", "minimum": 0 },
                }],
            },
            "jobs": {
                "description": "runs at once",
                "default": "auto",
                "anyOf": [{ "const": "auto" }, count],
            },
            "budgets": {
                "description": "lengths of the runs, in steps or as \
                                \"10 epochs\"",
                "type": "array",
                "minItems": 1,
                "uniqueItems": true,
                "items": { "anyOf": [
                    { "type": "integer", "minimum": 10 },
                    { "type": "string", "pattern": "^ *[0-9.]+ *epochs? *$" },
                ] },
            },
            "lr_multiples": {
                "description": "of the learning rate found; 1 is always \
                                included",
                "default": [1],
                "type": "array",
                "uniqueItems": true,
                "items": { "type": "number", "exclusiveMinimum": 0 },
            },
            "control": {
                "description": "label or kind of the schedule that the \
                                others are compared with",
                "type": "string",
            },
            "race": {
                "description": "whether schedules that are clearly worse \
                                than the control get no further seeds",
                "default": false,
                "type": "boolean",
            },
            "device": {
                "default": "cpu",
                "type": "string",
                "pattern": "^(cpu|cuda|cuda:[0-9]+|metal|auto)$",
            },
            "lr_find": lr_find(),
            "workload": {
                "type": "array",
                "minItems": 1,
                "items": { "anyOf": [candle(), external()] },
            },
            "schedule": {
                "type": "array",
                "minItems": 1,
                "items": schedules(),
            },
        },
    })
}

/// A workload that is trained in this process.
fn candle() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["model", "dataset"],
        "properties": {
            "name": name("with {dataset}, {model}, {optimizer}, {lr}, \
                          {batch}, {label_noise}"),
            "model": components(&MODELS),
            "dataset": components(&DATASETS),
            "optimizer": components(&OPTIMIZERS),
            "lr": axis(rate()),
            "batch": axis(json!({ "type": "integer", "minimum": 1 })),
            "accumulate": { "type": "integer", "minimum": 1 },
            "label_noise": axis(share()),
            "weights": { "type": "string" },
            "cluster": { "type": "string" },
        },
    })
}

/// A learning rate.
fn rate() -> Value {
    json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1e6 })
}

/// A share, as a number or in per cent.
fn share() -> Value {
    json!({ "anyOf": [
        { "type": "number", "minimum": 0, "exclusiveMaximum": 1 },
        { "type": "string", "pattern": "^ *[0-9.]+ *% *$" },
    ] })
}

/// A workload that a program trains.
fn external() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["command"] }, { "required": ["script"] }],
        "properties": {
            "name": name("with {dataset}, {model}, {optimizer}, {lr}, {batch}"),
            "command": {
                "description": "program and arguments; {spec} stands for \
                                the file of the task",
                "type": "array",
                "minItems": 1,
                "items": text,
            },
            "script": {
                "description": "a training script of PyTorch, Trainer, \
                                Lightning or Keras, unchanged",
                "type": "string",
            },
            "args": {
                "description": "its arguments; {run_dir}, {seed}, {steps} \
                                and {lr} stand for those of the task",
                "type": "array",
                "items": text,
            },
            "python": {
                "description": "what runs it, with arguments where it has any",
                "default": "python3",
                "anyOf": [text, { "type": "array", "items": text }],
            },
            "cwd": {
                "description": "where it runs: in a folder of each task, or \
                                in that of the grid",
                "enum": ["task", "grid"],
                "default": "task",
            },
            "baseline": {
                "description": "what the script does without lrscout, to be \
                                compared: as it is recorded, or a rate and a \
                                schedule",
                "anyOf": [{ "const": "recorded" }, {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["lr", "schedule"],
                    "properties": {
                        "lr": rate(),
                        "schedule": {
                            "anyOf": [
                                { "type": "string" },
                                { "type": "object" },
                            ],
                        },
                    },
                }],
            },
            "fingerprint": {
                "description": "files that its numbers depend on; default: \
                                all of `command` that are files; of a \
                                script, it and the modules beside it",
                "type": "array",
                "items": text,
            },
            "protocol": { "const": 1 },
            "timeout": {
                "description": "most that one training may take",
                "default": "1h",
                "type": "string",
            },
            "metric": text,
            "model": axis(text.clone()),
            "dataset": axis(text.clone()),
            "optimizer": axis(text.clone()),
            "lr": axis(rate()),
            "batch": axis(json!({ "type": "integer", "minimum": 1 })),
            "cluster": text,
        },
    })
}

fn name(description: &str) -> Value {
    json!({
        "description": description,
        "default": "{dataset}-{model}",
        "type": "string",
    })
}

fn lr_find() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "per": {
                "enum": ["budget", "workload", "schedule"],
                "default": "budget",
            },
            "seeds": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
            },
            "verify": { "type": "boolean", "default": true },
            "trainings": {
                "type": "number",
                "minimum": 0.5,
                "maximum": 100,
                "default": 5,
            },
            "from": rate(),
            "to": rate(),
            "steps": { "type": "integer", "minimum": 10 },
            "ladder": {
                "enum": ["exponential", "linear"],
                "default": "exponential",
            },
            "on": { "enum": ["train", "valid"], "default": "train" },
            "rule": { "type": "string", "default": "lrscout" },
        },
    })
}

/// A name, a table with a kind, or a list of those. A user's binary may have
/// further names, so any string is a name.
fn components(family: &Family) -> Value {
    let names = (family.names)();
    let name = json!({ "anyOf": [{ "enum": names }, { "type": "string" }] });
    let tables: Vec<Value> =
        family.kinds().map(|kind| table(kind.name, kind.keys)).collect();
    let one = json!({ "anyOf": [name, { "anyOf": tables }] });
    axis(one)
}

fn table(kind: &str, keys: &[Key]) -> Value {
    let mut properties = Map::new();
    properties.insert("kind".to_owned(), json!({ "const": kind }));
    let mut required = vec!["kind"];
    for key in keys {
        properties.insert(key.name.to_owned(), axis(form(key.form)));
        if key.required {
            required.push(key.name);
        }
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn form(form: Form) -> Value {
    match form {
        Form::Whole => json!({ "type": "integer", "minimum": 0 }),
        Form::Number => json!({ "type": "number" }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Text => json!({ "type": "string" }),
        Form::Wholes => json!({
            "type": "array",
            "items": { "type": "integer", "minimum": 0 },
        }),
        Form::Texts => json!({
            "type": "array",
            "items": { "type": "string" },
        }),
        Form::Shares => json!({
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": share(),
        }),
        Form::Numbers => json!({
            "type": "object",
            "additionalProperties": { "type": "number" },
        }),
        Form::Choice(names) => json!({ "enum": names }),
    }
}

/// `one`, or a list of them.
fn axis(one: impl Into<Value>) -> Value {
    let one = one.into();
    json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
}

fn schedules() -> Value {
    let with_modifiers = |first: (&str, Value), keys: &[&str]| {
        let modifiers = MODIFIERS.iter().map(|&(name, _)| name);
        let mut properties = Map::new();
        for key in keys.iter().copied().chain(modifiers) {
            let value = match natural_depth(key, None) {
                0 => json!({}),
                _ => json!({ "type": "array" }),
            };
            properties.insert(key.to_owned(), value);
        }
        let (key, value) = first;
        properties.insert(key.to_owned(), value);
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [key],
            "properties": properties,
        })
    };
    let join = json!({
        "type": "array",
        "minItems": 1,
        "items": { "type": "object" },
    });
    let kinds: Vec<&str> =
        ScheduleSpec::kinds().iter().map(|kind| kind.name).collect();
    let mut tables = vec![with_modifiers(("join", join), &[])];
    tables.extend(ScheduleSpec::kinds().iter().map(|kind| {
        let keys: Vec<&str> = kind.keys.iter().map(|key| key.name).collect();
        with_modifiers(("kind", json!({ "const": kind.name })), &keys)
    }));
    // Several kinds in one table: `lrscout check` checks their keys.
    tables.push(json!({
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {
                "type": "array",
                "minItems": 1,
                "items": { "enum": kinds },
            },
        },
    }));
    json!({ "anyOf": tables })
}
