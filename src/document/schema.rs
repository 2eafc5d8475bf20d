//! JSON Schema (draft 2020-12) of a kind of file, from its table of keys.

use serde_json::{Map, Value, json};

use super::{Form, Key, Need};

/// The schema of a file with these keys. Unknown keys are errors in it, as they are for the reader.
pub fn schema(title: &str, keys: &[Key]) -> Value {
    let mut schema = table(keys);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn property(key: &Key) -> Value {
    let mut property = form(&key.form);
    property["description"] = json!(key.about);
    if let Need::Default(text) = key.need
        && let Some(default) = toml_value(text)
    {
        property["default"] = default;
    }
    property
}

fn form(form_: &Form) -> Value {
    match form_ {
        Form::Text => json!({ "type": "string", "minLength": 1 }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Count { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Length { .. } => json!({ "type": "string", "pattern": "^[0-9]+[smhdw]$" }),
        Form::Size { .. } => json!({ "type": "string", "pattern": "^[0-9]+ *([KMG]i?B|kB|B)?$" }),
        Form::Choice(words) => json!({ "enum": words }),
        Form::List(inner) => json!({ "type": "array", "items": form(inner) }),
        Form::OneOrMore(inner) => {
            json!({ "anyOf": [form(inner), { "type": "array", "minItems": 1, "items": form(inner) }] })
        }
        Form::Table(keys) => table(keys),
        Form::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
    }
}

fn toml_value(text: &str) -> Option<Value> {
    let document: toml::Table = format!("default = {text}").parse().ok()?;
    serde_json::to_value(document.get("default")?).ok()
}
