/** Source, symbols and functions for the compilation of native.c. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DdsLibraryError } from "./error.ts";
import { Block } from "./memory.ts";
// Imported as text, so that a bundled program contains it.
import source from "./native.c" with { type: "text" };

/** The functions of native.c. */
export const NATIVE_SYMBOLS = {
  native_link: { args: ["ptr"], returns: "void" }, // void **functions
  // Bun passes the first argument itself, and ignores the one from JavaScript.
  wake_open: { args: ["napi_env", "napi_value", "ptr"], returns: "bool" }, // env, callback, struct wake *
  wake_close: { args: ["napi_env", "ptr"], returns: "void" }, // env, struct wake *
  wake_on_data: { args: [], returns: "ptr" }, // dds_on_data_available_fn
  wake_signal: { args: ["ptr"], returns: "void" }, // struct wake *
  wake_look: { args: ["ptr"], returns: "void" }, // struct wake *
  wake_rest: { args: ["ptr"], returns: "bool" }, // struct wake *
  unload: { args: ["ptr", "u32", "ptr", "usize", "ptr"], returns: "u32" }, // samples, count, arena, room, sizes
} as const;
/** The function addresses that native_link() takes, in this order. */
const PROCESS_FUNCTIONS = [
  "napi_create_string_utf8",
  "napi_create_threadsafe_function",
  "napi_call_threadsafe_function",
  "napi_release_threadsafe_function",
  "napi_add_env_cleanup_hook",
  "napi_remove_env_cleanup_hook",
  "pthread_mutex_init",
  "pthread_mutex_lock",
  "pthread_mutex_unlock",
];
const DDS_FUNCTIONS = ["ddsi_serdata_size", "ddsi_serdata_to_ser", "ddsi_serdata_unref"];

/** Returns the address of a function of the process or of Cyclone DDS; 0 where there is none. */
export type AddressOf = (name: string, from: "process" | "dds") => number;

/**
 * The argument of native_link(). Throws DdsLibraryError when a function that native.c needs cannot
 * be found.
 */
export function functionTable(addressOf: AddressOf): Block {
  const addresses = [
    ...PROCESS_FUNCTIONS.map((name) => addressOf(name, "process")),
    ...DDS_FUNCTIONS.map((name) => addressOf(name, "dds")),
  ];
  const table = new Block(addresses.length * 8);
  addresses.forEach((address, i) => {
    if (address === 0) throw new DdsLibraryError("Cannot find the functions that native.c needs");
    table.setAddress(i * 8, address);
  });
  return table;
}

/**
 * Calls `compile` with native.c as a file, because Bun compiles files only. Removes the file, and
 * the folder of headers that Bun writes to the temporary directory; native.c uses none of them.
 */
export function withSourceFile<T>(compile: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "cyclonedds-"));
  try {
    const file = join(folder, "native.c");
    writeFileSync(file, source);
    return compile(file);
  } finally {
    remove(folder);
    remove(join(process.env["BUN_TMPDIR"] ?? tmpdir(), `bun-cc-${process.geteuid?.() ?? 0}`));
  }
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Another process writes the folder of headers at this moment, and removes it afterwards.
  }
}
