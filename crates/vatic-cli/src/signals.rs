//! Ctrl-C and SIGTERM: what was half written is removed, then the signal takes its ordinary course.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The temporary file being written, if any. Files are written one after the other, so one is enough.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Says that `path` has to go if the program is stopped now.
pub fn unfinished(path: &Path) {
    *UNFINISHED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(path.to_path_buf());
}

/// Says that nothing half-written is left.
pub fn finished() {
    *UNFINISHED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
}

/// Starts the thread that waits for signals.
///
/// The process dies of the signal itself afterwards, not with an exit code: a shell that runs `vatic` in a loop only stops
/// the loop when it sees that. SIGHUP is left alone, because a handler would undo `nohup`.
#[cfg(unix)]
pub fn install() -> anyhow::Result<()> {
    use anyhow::Context;
    use signal_hook::consts::{SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .context("the handler for Ctrl-C could not be installed")?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                // The lock is held to the end, so that no new file is begun in between.
                let unfinished = UNFINISHED
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                if let Some(path) = unfinished.as_deref() {
                    // If this fails there is nobody left to tell.
                    let _ = std::fs::remove_file(path);
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })
        .context("the thread that waits for Ctrl-C could not be started")?;
    Ok(())
}

/// Elsewhere the half-written file keeps its temporary name and can be deleted by hand.
#[cfg(not(unix))]
pub fn install() -> anyhow::Result<()> {
    Ok(())
}
