// Runs a program compiled for WASI, such as Rust's tests are: node wasi.mjs PROGRAM ARGUMENTS…
// It sees no files and, of the environment, what the tests read. There are no threads.
import { readFileSync } from "node:fs";
import process from "node:process";
import { WASI } from "node:wasi";

const [program, ...rest] = process.argv.slice(2);
const names = ["PROPTEST_CASES", "RUST_BACKTRACE", "VATIC_KERNEL"];
const given = names.filter((name) => name in process.env);
const env = Object.fromEntries(given.map((name) => [name, process.env[name]]));
const wasi = new WASI({ version: "preview1", args: [program, ...rest], env });
const module = await WebAssembly.compile(readFileSync(program));
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const instance = await WebAssembly.instantiate(module, imports);
process.exitCode = wasi.start(instance);
