//! The JSON Schema of scenario files: made of the file types, and what files are checked against.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value};

use super::file;

/// The JSON Schema of scenario files (draft 2020-12), for editors and for [`super::parse`] alike.
#[must_use]
pub fn schema() -> Value {
    SCHEMA.clone()
}

/// The same, made once: a study checks its scenario many times.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = settings.into_generator().into_root_schema_for::<file::Scenario>();
    RecursiveTransform(drop_null).transform(&mut schema);
    schema.to_value()
});

/// TOML has no null: an optional key is one that may be missing. Defaults that mean "missing" go too.
fn drop_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("default");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.retain(|alternative| alternative.get("type") != Some(&"null".into()));
        if let [Value::Object(only)] = &alternatives[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

/// A schema and the name of the definition that it refers to.
pub(super) struct Resolved<'a> {
    /// The name of the file type, or that of the root.
    pub(super) name: &'a str,
    pub(super) keywords: &'a Map<String, Value>,
}

/// Follows a reference into the definitions of the root.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> Resolved<'a> {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"));
    let (name, schema) = match name {
        Some(name) => (name, &root["$defs"][name]),
        None => (schema.get("title").and_then(Value::as_str).unwrap_or_default(), schema),
    };
    Resolved { name, keywords: schema.as_object().expect("a definition is an object") }
}
