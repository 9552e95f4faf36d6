/**
 * Finds and loads Cyclone DDS's C library, on first use and not before.
 *
 * `CYCLONEDDS_HOME`, if set, must lead to the library. Otherwise the names that Debian, Ubuntu,
 * other Linux systems and macOS give it are tried in turn.
 */
import { cc, dlopen } from "bun:ffi";
import { readFileSync, realpathSync } from "node:fs";
import { DdsLibraryError } from "./error.ts";
import { type Pointer, withCString } from "./memory.ts";
import { type AddressOf, functionTable, NATIVE_SYMBOLS, withSourceFile } from "./native.ts";
import { SYMBOLS } from "./symbols.ts";
import { MARKING_FUNCTIONS, type Series, seriesOf } from "./version.ts";

const SYSTEM_NAMES = [
  "libddsc.so.0debian",
  "libddsc.so.0",
  "libddsc.so.11",
  "libddsc.so",
  "libddsc.dylib",
] as const;

const RTLD_LAZY = 1;

/** Names of the C library by operating system. */
const LIBC_NAMES = ["libc.so.6", "libc.so", "libSystem.B.dylib"] as const;
const LIBC_SYMBOLS = {
  dlopen: { args: ["ptr", "i32"], returns: "ptr" }, // const char *file, mode
  dlsym: { args: ["ptr", "ptr"], returns: "ptr" }, // void *handle, const char *symbol
  calloc: { args: ["usize", "usize"], returns: "ptr" }, // count, bytes
  free: { args: ["ptr"], returns: "void" }, // void *
  setenv: { args: ["ptr", "ptr", "i32"], returns: "i32" }, // const char *name, *value, overwrite
} as const;

type Dds = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
type Native = ReturnType<typeof cc<typeof NATIVE_SYMBOLS>>["symbols"];
type Libc = ReturnType<typeof dlopen<typeof LIBC_SYMBOLS>>["symbols"];

/** The loaded library. */
export interface Library {
  readonly dds: Dds;
  readonly libc: Libc;
  readonly native: Native;
  /** The name or path that was loaded. */
  readonly path: string;
  /** Series of releases with one binary interface. */
  readonly series: Series;
}

/** Cyclone's variable for its configuration; a participant's own configuration replaces it. */
const CONFIG_VARIABLE = "CYCLONEDDS_URI";
/**
 * One receiving thread that waits on all sockets at once. By default Cyclone ends a thread that
 * waits on a single socket by sending a packet to that socket, which never arrives when the network
 * interface is gone: dds_delete() would hang.
 */
const STOPPABLE =
  "<CycloneDDS><Domain><Internal><MultipleReceiveThreads>false</MultipleReceiveThreads></Internal></Domain></CycloneDDS>";

/** Puts STOPPABLE before `config`, so `config` can override it. */
export const stoppable = (config: string): string =>
  // Cyclone merges comma-separated fragments; later ones have precedence.
  config.trim() === "" ? STOPPABLE : `${STOPPABLE},${config}`;

let loaded: Library | undefined;

/**
 * Loads the library once and returns it.
 * Throws DdsLibraryError that lists what was tried and how to install it.
 */
export function loadLibrary(): Library {
  if (loaded === undefined) {
    const opened = openFirst(candidates(process.env["CYCLONEDDS_HOME"]));
    const libc = openLibc();
    // Set for C alone: process.env and child processes do not have it.
    const config = stoppable(process.env[CONFIG_VARIABLE] ?? "");
    withCString(CONFIG_VARIABLE, (name) =>
      withCString(config, (value) => libc.setenv(name, value, 1)),
    );
    loaded = { ...opened, libc, native: compileNative(finder(libc, opened.path)) };
  }
  return loaded;
}

/** The paths to try: those below `home` if it is set, else the usual names. */
export function candidates(home: string | undefined): readonly string[] {
  if (home === undefined || home === "") return SYSTEM_NAMES;
  return ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "."].flatMap((folder) =>
    SYSTEM_NAMES.map((name) => `${home}/${folder}/${name}`),
  );
}

/**
 * Opens the first of `paths` that loads, has every function of the table and is of a known series.
 */
export function openFirst(paths: readonly string[]): Pick<Library, "dds" | "path" | "series"> {
  const tried: string[] = [];
  for (const path of paths) {
    try {
      const dds = dlopen(path, SYMBOLS).symbols;
      const exported = MARKING_FUNCTIONS.filter((name) => isExported(path, name));
      return { dds, path, series: seriesOf(new Set(exported), realFile(path)) };
    } catch (error) {
      tried.push(`${path} (${(error as Error).message.split("\n")[0]})`);
    }
  }
  throw new DdsLibraryError(
    "Cannot load the Cyclone DDS C library (0.10 or 11). Install libddsc0debian or libddsc0t64, " +
      "whichever this Debian or Ubuntu has, or set CYCLONEDDS_HOME to the folder above its lib/. " +
      `Tried: ${tried.join("; ")}`,
  );
}

function isExported(path: string, name: string): boolean {
  try {
    dlopen(path, { [name]: { args: [], returns: "void" } });
    return true;
  } catch {
    // The library was loaded before, so only the function can be missing.
    return false;
  }
}

/**
 * The file of a path, or of a name that the loader resolved; undefined when it cannot be
 * determined.
 */
function realFile(path: string): string | undefined {
  if (path.includes("/")) return realpathSync(path);
  if (process.platform !== "linux") return undefined;
  return readFileSync("/proc/self/maps", "utf8").match(/\/\S*\/libddsc[^/\s]*$/m)?.[0];
}

function openLibc(): Libc {
  for (const name of LIBC_NAMES) {
    try {
      return dlopen(name, LIBC_SYMBOLS).symbols;
    } catch (error) {
      if (name === LIBC_NAMES.at(-1)) {
        throw new DdsLibraryError("Cannot load the C library of this system", { cause: error });
      }
    }
  }
  throw new DdsLibraryError("Cannot load the C library of this system");
}

/** Compiles native.c and passes it the addresses of the functions that it calls. */
function compileNative(addressOf: AddressOf): Native {
  const table = functionTable(addressOf);
  const native = withSourceFile(
    (source) => cc({ source, symbols: NATIVE_SYMBOLS, flags: ["-nostdlib"] }).symbols,
  );
  native.native_link(table.pointer);
  return native;
}

/** Looks up functions of this process and of the library, which is loaded already. */
function finder(libc: Libc, ddsPath: string): AddressOf {
  const dds = Number(withCString(ddsPath, (path) => libc.dlopen(path, RTLD_LAZY))) as Pointer;
  return (name, from) =>
    withCString(name, (text) => Number(libc.dlsym(from === "dds" ? dds : null, text)));
}
