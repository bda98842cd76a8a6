//! Ctrl-C and SIGTERM: what was half written is removed, then the signal takes its ordinary course.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// The temporary file being written, if any. Files are written one after the other, so one is enough.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Creates a file that has to go if the program is stopped before [`finished`]. While it is stopped, none is created.
pub fn begin(create: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    let mut unfinished = locked();
    let file = create()?;
    *unfinished = Some(file.path().to_path_buf());
    Ok(file)
}

/// Says that nothing half-written is left.
pub fn finished() {
    *locked() = None;
}

fn locked() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread that waits for signals.
///
/// The process dies of the signal itself afterwards, not with an exit code: a shell that runs `vatic` in a loop only stops
/// the loop when it sees that. What the program was started to ignore stays ignored: SIGHUP under `nohup`, SIGINT in the background of
/// a script. A file that grows beyond its limit (SIGXFSZ) is an error as any other. If no thread is to be had, signals take their ordinary
/// course at once, and a half-written file keeps its temporary name.
#[cfg(unix)]
pub fn install() -> anyhow::Result<()> {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;

    use anyhow::Context;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    /// Nobody asks: the write that was too much fails.
    static TOO_LARGE: AtomicBool = AtomicBool::new(false);
    const PROBLEM: &str = "the handler for Ctrl-C could not be installed";
    signal_hook::flag::register(SIGXFSZ, &TOO_LARGE).context(PROBLEM)?;
    let wanted: Vec<i32> = match ignored() {
        Some(ignored) => [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|signal| ignored >> (signal - 1) & 1 == 0)
            .collect(),
        // Where this cannot be known, a handler for SIGHUP could undo `nohup`.
        None => vec![SIGINT, SIGTERM],
    };
    // Started before the signals are asked for: else they would be lost where there is no thread.
    let (hand, handed) = mpsc::sync_channel::<Signals>(1);
    let thread = std::thread::Builder::new().name("signals".into());
    let started = thread.spawn(move || {
        let Ok(mut signals) = handed.recv() else {
            return;
        };
        for signal in signals.forever() {
            let _lock = remove_unfinished();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    if started.is_ok() {
        hand.send(Signals::new(wanted).context(PROBLEM)?)
            .context(PROBLEM)?;
    }
    Ok(())
}

/// The signals that this program was started to ignore, a bit for each (the lowest is signal 1), where the system tells.
#[cfg(unix)]
fn ignored() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = (status.lines()).find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Asks to be called on Ctrl-C, Ctrl-Break, and when the console's window is closed; the exit code is then the one that the
/// system itself gives to a program ended so, by which a batch file knows.
#[cfg(windows)]
pub fn install() -> anyhow::Result<()> {
    use anyhow::Context;

    const STATUS_CONTROL_C_EXIT: u32 = 0xC000_013A;
    ctrlc::set_handler(|| {
        let _lock = remove_unfinished();
        std::process::exit(STATUS_CONTROL_C_EXIT.cast_signed());
    })
    .context("the handler for Ctrl-C could not be installed")
}

/// Elsewhere the half-written file keeps its temporary name and can be deleted by hand.
#[cfg(not(any(unix, windows)))]
pub fn install() -> anyhow::Result<()> {
    Ok(())
}

/// Removes what is half written. As long as the result is kept, no new file is begun.
#[cfg(any(unix, windows))]
fn remove_unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    let unfinished = locked();
    if let Some(path) = unfinished.as_deref() {
        // If this fails there is nobody left to tell.
        let _ = std::fs::remove_file(path);
    }
    unfinished
}
