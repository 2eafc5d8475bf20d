use std::path::Path;

use super::{PolicySet, SourceFile};
use crate::fault::render;

/// The folder as it is shipped.
pub(super) fn shipped() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files = Vec::new();
    for below in ["", "practices", "roles", "tests"] {
        for entry in std::fs::read_dir(folder.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml" || extension == "csv") {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(SourceFile { path: format!("policies/{name}"), name, text });
            }
        }
    }
    files
}

#[test]
fn the_shipped_policies_load_and_their_tests_pass() {
    let policy =
        PolicySet::load(&shipped()).unwrap_or_else(|(faults, sources)| panic!("{}", render(&faults, &sources)));
    let results = policy.run_tests();
    assert!(results.len() >= 8);
    for result in results {
        assert_eq!(result.failure, None, "{}", result.name);
    }
}
