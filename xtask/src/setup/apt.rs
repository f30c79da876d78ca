//! Installing with apt.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::command::{is_in_path, output, run};

/// Debian's package makes a cluster and starts it at once, unless told not to. Nobody asked for a
/// server on port 5432.
const CREATE_NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/xtask.conf";

/// As root and with apt, as in a container. `sudo` is left to the user.
pub(super) fn may_install() -> bool {
    is_in_path("apt-get") && output("id", &["-u"]).as_deref() == Some("0")
}

pub(super) fn install<'a>(packages: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let packages: Vec<&str> = packages.flat_map(str::split_whitespace).collect();
    let without_cluster = packages.contains(&"postgresql");
    if without_cluster {
        let file = Path::new(CREATE_NO_CLUSTER);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, "create_main_cluster = false\n").context(CREATE_NO_CLUSTER)?;
    }
    let installed = run(apt_get().arg("update")).and_then(|()| {
        run(apt_get()
            .args(["install", "-y", "--no-install-recommends"])
            .args(&packages))
    });
    if without_cluster {
        fs::remove_file(CREATE_NO_CLUSTER).context(CREATE_NO_CLUSTER)?;
    }
    installed
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Another apt on a machine that has just booted.
        .args(["-q", "-o", "DPkg::Lock::Timeout=300"]);
    command
}
