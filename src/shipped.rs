//! The policy files that come with the program, so that an installed binary has them too.

/// Declares [`POLICIES`]; the paths are those below `policies`.
macro_rules! shipped {
    ($($path:literal)*) => {
        /// Every file below `policies`: its path there, and its content.
        pub const POLICIES: &[(&str, &[u8])] = &[$(($path, include_bytes!(concat!("../policies/", $path)))),*];
    };
}

shipped! {
    "10-own-practice.toml"
    "20-recipients.toml"
    "30-documents.toml"
    "README.md"
    "directory.csv.example"
    "practices/example-clinic.svg"
    "practices/example-clinic.toml"
    "restricted.toml"
    "roles/doctor-elsewhere.toml"
    "roles/doctor.toml"
    "roles/patient.toml"
    "roles/payer.toml"
    "roles/staff-elsewhere.toml"
    "roles/staff.toml"
    "schema/config.json"
    "schema/practice.json"
    "schema/restricted.json"
    "schema/role.json"
    "schema/rules.json"
    "schema/specialties.json"
    "schema/tests.json"
    "schema/types.json"
    "specialties.toml"
    "templates/en/guests.txt"
    "templates/en/portal.ftl"
    "templates/en/staff.txt"
    "templates/en/words.txt"
    "templates/fr/guests.txt"
    "templates/fr/portal.ftl"
    "templates/fr/staff.txt"
    "templates/fr/words.txt"
    "templates/notice.mjml"
    "templates/notice.txt"
    "templates/report.mjml"
    "templates/report.txt"
    "templates/to-guest.mjml"
    "templates/to-guest.txt"
    "templates/to-staff.mjml"
    "templates/to-staff.txt"
    "tests/shipped.toml"
    "types.toml"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    /// A file that was added and not listed would be missing in every installed program.
    #[test]
    fn every_policy_file_is_shipped() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let (mut folders, mut there) = (vec![root.clone()], BTreeSet::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    there.insert(path.strip_prefix(&root).unwrap().to_owned());
                }
            }
        }
        let listed: BTreeSet<PathBuf> = super::POLICIES.iter().map(|(path, _)| PathBuf::from(path)).collect();
        assert_eq!(listed, there, "left: listed in src/shipped.rs; right: the files of policies/");
    }
}
