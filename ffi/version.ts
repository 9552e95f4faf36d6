/**
 * Determines the release series of a Cyclone DDS library. The library has no function for it: the
 * exported functions tell the series apart, and a version in the file name must agree.
 *
 * The structs that are passed (topic descriptor, sample info, statuses) and the op codes are the
 * same in both series: dds_public_impl.h, dds.h, dds_public_status.h and dds_opcodes.h of 0.10.2
 * and 11.0.1.
 */
import { DdsLibraryError } from "./error.ts";

/** A series of releases with one binary interface. */
export type Series = "0.10" | "11";

interface Marks {
  readonly series: Series;
  /** Versions in file names of this series. */
  readonly version: RegExp;
  readonly has: readonly string[];
  readonly lacks: readonly string[];
}

const MARKS: readonly Marks[] = [
  {
    series: "0.10",
    version: /^0(\.10(\.|$)|$)/,
    // Type information exists since 0.10, types made at run time since 11.
    has: ["dds_get_typeinfo", "dds_create_topic_arbitrary"],
    lacks: ["dds_dynamic_type_create"],
  },
  {
    series: "11",
    version: /^11(\.|$)/,
    has: ["dds_get_typeinfo", "dds_dynamic_type_create", "dds_peekcdr"],
    lacks: ["dds_create_topic_arbitrary"],
  },
];

/** All functions whose presence or absence identifies a series. */
export const MARKING_FUNCTIONS: readonly string[] = [
  ...new Set(MARKS.flatMap(({ has, lacks }) => [...has, ...lacks])),
];

/**
 * Returns the series of the library in `file` (its real path, if known) from the functions that it
 * exports. Throws DdsLibraryError for an unknown series.
 */
export function seriesOf(exported: ReadonlySet<string>, file: string | undefined): Series {
  const version = versionInName(file);
  const marks = MARKS.find(
    ({ has, lacks }) =>
      has.every((name) => exported.has(name)) && !lacks.some((name) => exported.has(name)),
  );
  if (marks === undefined || (version !== undefined && !marks.version.test(version))) {
    const is = version === undefined ? "its version is unknown" : `it is ${version}`;
    throw new DdsLibraryError(`it must be Cyclone DDS 0.10 or 11, but ${is}`);
  }
  return marks.series;
}

/** The version in the name of a library's file: 0.10.2 in `libddsc.so.0.10.2`. */
export function versionInName(file: string | undefined): string | undefined {
  return /libddsc[^/]*?\.(?:so\.)?(\d+(?:\.\d+)*)[^/]*$/.exec(file ?? "")?.[1];
}
