//! Compiles `bpf/*.bpf.c` with clang; the objects are embedded in the library, so nothing is compiled on a target.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

/// One object file per event source.
const OBJECTS: [&str; 4] = ["connection_state", "process", "syscall_data", "tcp_data"];

fn fail(what: &str) -> ! {
    eprintln!("error: {what}");
    exit(1)
}

fn compile(clang: &str, sources: &Path, include: &Path, name: &str, out: &Path) {
    let object = out.join(format!("{name}.bpf.o"));
    let result = Command::new(clang)
        .args([
            "-target",
            "bpf",
            "-mcpu=v3",
            "-D__TARGET_ARCH_x86",
            "-O2",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
        ])
        .arg("-Wno-unused-parameter")
        // Paths of the build machine would otherwise end up in the line information of the object.
        .arg(format!("-fdebug-prefix-map={}=bpf", sources.display()))
        .arg("-I")
        .arg(include)
        .arg("-c")
        .arg(sources.join(format!("{name}.bpf.c")))
        .arg("-o")
        .arg(&object)
        .output();
    match result {
        Err(error) => fail(&format!(
            "cannot run `{clang}` ({error}). The kernel programs in bpf/ are compiled with clang 14 or newer: \
             install it (Debian: `apt install clang`) or name it in the environment variable CLANG."
        )),
        Ok(output) if !output.status.success() => fail(&format!(
            "{name}.bpf.c does not compile:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(_) => {}
    }
}

fn main() {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if arch != "x86_64" {
        fail(&format!(
            "the kernel programs in bpf/ support x86_64 only, not {arch}"
        ));
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let sources = root
        .join("../../bpf")
        .canonicalize()
        .unwrap_or_else(|error| fail(&format!("no bpf/: {error}")));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let Ok(include) = env::var("DEP_BPF_INCLUDE") else {
        fail("libbpf-sys does not tell where libbpf's headers are (DEP_BPF_INCLUDE)")
    };
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".into());
    println!("cargo:rerun-if-env-changed=CLANG");
    println!("cargo:rerun-if-changed={}", sources.display());
    for entry in fs::read_dir(&sources).into_iter().flatten().flatten() {
        println!("cargo:rerun-if-changed={}", entry.path().display());
    }
    for name in OBJECTS {
        compile(&clang, &sources, Path::new(&include), name, &out);
    }
}
