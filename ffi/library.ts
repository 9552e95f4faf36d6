/**
 * Finds and loads Cyclone DDS's C library, on first use and not before.
 *
 * `CYCLONEDDS_HOME`, if set, must lead to the library. Otherwise the names that Debian, Ubuntu, other
 * Linux systems and macOS give it are tried in turn.
 */
import { cc, dlopen } from "bun:ffi";
import { DdsLibraryError } from "./error.ts";
import { SYMBOLS } from "./symbols.ts";

const SYSTEM_NAMES = [
  "libddsc.so.0debian",
  "libddsc.so.0",
  "libddsc.so.11",
  "libddsc.so",
  "libddsc.dylib",
] as const;

const WAKE_SYMBOLS = {
  wake_open: { args: ["ptr"], returns: "i32" },
  wake_close: { args: ["i32", "i32"], returns: "void" },
  wake_signal: { args: ["i32"], returns: "void" },
  wake_on_data: { args: [], returns: "ptr" },
} as const;

type Dds = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
type Wake = ReturnType<typeof cc<typeof WAKE_SYMBOLS>>["symbols"];

/** The loaded library. */
export interface Library {
  readonly dds: Dds;
  readonly wake: Wake;
  /** The name or path that worked. */
  readonly path: string;
}

let loaded: Library | undefined;

/**
 * Loads the library once and returns it.
 * Throws DdsLibraryError that lists what was tried and how to install it.
 */
export function loadLibrary(): Library {
  loaded ??= { ...openFirst(candidates(process.env["CYCLONEDDS_HOME"])), wake: compileWake() };
  return loaded;
}

/** The paths to try; throws when `home` is set and leads nowhere that could hold the library. */
export function candidates(home: string | undefined): readonly string[] {
  if (home === undefined || home === "") return SYSTEM_NAMES;
  return ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "."].flatMap((folder) =>
    SYSTEM_NAMES.map((name) => `${home}/${folder}/${name}`),
  );
}

/** Opens the first of `paths` that loads and has every function of the table. */
export function openFirst(paths: readonly string[]): { dds: Dds; path: string } {
  const tried: string[] = [];
  for (const path of paths) {
    try {
      return { dds: dlopen(path, SYMBOLS).symbols, path };
    } catch (error) {
      tried.push(`${path} (${(error as Error).message.split("\n")[0]})`);
    }
  }
  throw new DdsLibraryError(
    "Cannot load the Cyclone DDS C library (0.10 or 11). Install it with `apt-get install libddsc0debian` " +
      "(Debian, Ubuntu), or set CYCLONEDDS_HOME to the folder above its lib/. " +
      `Tried: ${tried.join("; ")}`,
  );
}

function compileWake(): Wake {
  return cc({ source: `${import.meta.dir}/wake.c`, symbols: WAKE_SYMBOLS }).symbols;
}
