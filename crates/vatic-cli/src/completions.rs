//! Shell completions and man pages, generated from the one definition of the command line.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::Cli;
use crate::files;

/// Prints the completions for `shell`.
pub fn print(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::definition(), "vatic", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the man page of `vatic`, or writes it and those of its subcommands into `directory`.
pub fn man(directory: Option<&Path>) -> anyhow::Result<ExitCode> {
    let mut definition = Cli::definition();
    definition.build();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(definition).render(&mut page)?;
        std::io::stdout().write_all(&page)?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(directory)
        .with_context(|| format!("{}: cannot be created", files::shown(directory)))?;
    let mut pages = vec![("vatic".to_string(), definition.clone())];
    for subcommand in definition
        .get_subcommands()
        .filter(|subcommand| !subcommand.is_hide_set())
    {
        pages.push((
            format!("vatic-{}", subcommand.get_name()),
            subcommand.clone(),
        ));
    }
    for (name, command) in pages {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        let path = directory.join(format!("{name}.1"));
        std::fs::write(&path, page)
            .with_context(|| format!("{}: cannot be written", files::shown(&path)))?;
    }
    Ok(ExitCode::SUCCESS)
}
