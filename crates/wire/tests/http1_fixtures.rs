//! Cases as data: `NAME.case` and what it gives, `NAME.expected.json`. A new case is these two files;
//! `UPDATE_EXPECTED=1 cargo test` writes the second for reading over.

mod support;

use std::fs;
use std::path::Path;

#[test]
fn cases_give_what_is_expected_however_they_are_cut() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/http1");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "case") {
            continue;
        }
        cases += 1;
        let steps = support::parse_case(&fs::read_to_string(&path).unwrap());
        let expected = path.with_extension("expected.json");
        for piece in [usize::MAX, 1, 2, 7, 64] {
            let (log, flow) = support::run_case(&steps, piece);
            let mut got = log.to_json();
            got["flow"] = format!("{flow:?}").into();
            if std::env::var_os("UPDATE_EXPECTED").is_some() && piece == usize::MAX {
                fs::write(&expected, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
            }
            let wanted: serde_json::Value =
                serde_json::from_str(&fs::read_to_string(&expected).unwrap()).unwrap();
            assert!(
                got == wanted,
                "{}, pieces of {piece}:\ngot {got:#}\nwanted {wanted:#}",
                path.display()
            );
        }
    }
    assert!(cases > 30, "found only {cases} cases");
}
