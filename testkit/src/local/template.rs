//! The data directory that every server's own is a copy of: `initdb` takes longer than all the
//! rest, so it runs once for an installation, and its result is kept.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::account::Account;
use super::configuration;
use super::home::Home;
use super::installation::Installation;
use super::server::{Server, Stop};
use crate::address::Address;
use crate::connect::{connect, run};
use crate::{NodeError, StartError};

/// A database without connections that has the extension, for others to be copied from: that is
/// ten times faster than `CREATE EXTENSION citus` in each.
pub(crate) const CITUS_DATABASE: &str = "citus_testkit_template";

/// To be raised when the contents of a template change.
const FORMAT: u32 = 1;
const LOCK_TIMEOUT: Duration = Duration::from_secs(180);
const INITDB: [&str; 6] = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    // Small segments make a small directory.
    "--wal-segsize=4",
];

/// The template for an installation; made when it is not there yet.
pub(crate) async fn template(
    installation: &Installation,
    citus: bool,
    account: Account,
) -> Result<PathBuf, StartError> {
    let configuration = configuration::common(installation, citus)?;
    let cache = cache_directory()?;
    let name = name(installation, citus, &configuration);
    let template = cache.join(&name);
    if template.exists() {
        return Ok(template);
    }
    let _lock = lock(cache.join(format!("{name}.lock"))).await?;
    if template.exists() {
        return Ok(template);
    }
    tracing::info!(path = %template.display(), "running initdb, once for this PostgreSQL");
    let home = Home::new(account)?;
    let node = home.node("template")?;
    let data = node.join("data");
    initialise(installation, account, &node, &configuration).await?;
    if citus {
        add_citus(installation, account, &node).await?;
    }
    // Copied beside its place and then renamed: another process sees all of it or nothing. What a
    // killed process left there is nobody's, as the lock is ours.
    let partial = cache.join(format!("{name}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(StartError::io("remove", &partial))?;
    }
    spawn_copy(data, partial.clone(), Account::Own).await?;
    fs::rename(&partial, &template).map_err(StartError::io("rename to", &template))?;
    Ok(template)
}

/// Copies a data directory, on a thread where blocking is allowed.
pub(crate) async fn spawn_copy(
    from: PathBuf,
    to: PathBuf,
    owner: Account,
) -> Result<(), StartError> {
    let target = to.clone();
    spawn_blocking(move || copy(&from, &to, owner))
        .await
        .map_err(|error| StartError::io("copy to", target)(std::io::Error::other(error)))?
}

async fn initialise(
    installation: &Installation,
    account: Account,
    home: &Path,
    configuration: &str,
) -> Result<(), StartError> {
    let program = installation.program("initdb");
    let data = home.join("data");
    let mut command = account.command(&program, home);
    command.args(INITDB).arg("-D").arg(&data);
    let output = spawn_blocking(move || command.output())
        .await
        .map_err(std::io::Error::other)
        .and_then(|output| output)
        .map_err(StartError::io("run", &program))?;
    if !output.status.success() {
        let output = [output.stdout, output.stderr].concat();
        return Err(StartError::Initdb {
            output: String::from_utf8_lossy(&output).into_owned(),
        });
    }
    append(&data.join("postgresql.conf"), configuration)
}

/// Creates the extension in the database `postgres` and in [`CITUS_DATABASE`].
async fn add_citus(
    installation: &Installation,
    account: Account,
    home: &Path,
) -> Result<(), StartError> {
    let mut server = Server::new(installation.program("postgres"), account, home);
    server.start_on_a_free_port().await?;
    let address = Address::local(server.port());
    let statements: [(&str, &str); 4] = [
        ("postgres", "CREATE EXTENSION citus"),
        ("postgres", &format!("CREATE DATABASE {CITUS_DATABASE}")),
        (CITUS_DATABASE, "CREATE EXTENSION citus"),
        (
            "postgres",
            &format!("ALTER DATABASE {CITUS_DATABASE} ALLOW_CONNECTIONS false"),
        ),
    ];
    for (database, statement) in statements {
        let client = connect(&address, database).await?;
        run("preparing Citus", &address, client.batch_execute(statement)).await?;
    }
    server.stop(Stop::Fast).await.map_err(NodeError::into)
}

pub(crate) fn append(file: &Path, text: &str) -> Result<(), StartError> {
    OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(StartError::io("write", file))
}

fn copy(from: &Path, to: &Path, owner: Account) -> Result<(), StartError> {
    DirBuilder::new()
        .mode(0o700)
        .create(to)
        .map_err(StartError::io("create", to))?;
    owner.own(to)?;
    for entry in fs::read_dir(from).map_err(StartError::io("read", from))? {
        let entry = entry.map_err(StartError::io("read", from))?;
        let target = to.join(entry.file_name());
        if entry
            .file_type()
            .map_err(StartError::io("read", entry.path()))?
            .is_dir()
        {
            copy(&entry.path(), &target, owner)?;
        } else {
            fs::copy(entry.path(), &target).map_err(StartError::io("write", &target))?;
            owner.own(&target)?;
        }
    }
    Ok(())
}

/// Everything that the contents depend on is in the name, so nothing ever has to be thrown away.
fn name(installation: &Installation, citus: bool, configuration: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (
        FORMAT,
        INITDB,
        &installation.build,
        &installation.programs,
        configuration,
    )
        .hash(&mut hasher);
    let citus = match (&installation.citus, citus) {
        (Some(version), true) => format!("-citus-{version}"),
        _ => String::new(),
    };
    format!(
        "postgres-{}{citus}-{:016x}",
        installation.version,
        hasher.finish()
    )
}

/// `$XDG_CACHE_HOME/citus-testkit`, or the same in `~/.cache`, or a directory of this user among
/// the temporary files.
fn cache_directory() -> Result<PathBuf, StartError> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let user = rustix::process::geteuid().as_raw();
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    if let Some(cache) = cache.map(|cache| cache.join("citus-testkit"))
        && usable(&cache, user).is_ok()
    {
        return Ok(cache);
    }
    let cache = env::temp_dir().join(format!("citus-testkit-cache-{user}"));
    usable(&cache, user).map_err(StartError::io("use", &cache))?;
    Ok(cache)
}

/// Among the temporary files somebody else could have been first, and could change the contents.
fn usable(directory: &Path, user: u32) -> std::io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let metadata = fs::symlink_metadata(directory)?;
    if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o022 != 0 {
        return Err(std::io::Error::other(
            "it is not a directory that only this user can change",
        ));
    }
    tempfile::tempfile_in(directory).map(drop)
}

/// Waits for other processes that make the same template. The lock goes when the file is closed,
/// also when this process dies.
async fn lock(path: PathBuf) -> Result<File, StartError> {
    let file = File::create(&path).map_err(StartError::io("create", &path))?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() > deadline {
            return Err(StartError::Locked {
                path,
                after: LOCK_TIMEOUT,
            });
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(file)
}
