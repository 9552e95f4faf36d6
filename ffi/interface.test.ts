/**
 * A participant can be closed after its network interface is gone. Needs root, for a network
 * namespace.
 */
import { describe, expect, test } from "bun:test";
import { Program } from "./testing/program.ts";

const LEAVER = `${import.meta.dir}/testing/leaver.ts`;
/**
 * Removes the interface when a line arrives on standard input, before the program reads that line.
 */
const SCRIPT = `
ip link set lo up && ip link add gone type veth peer name peer && ip link set peer up && ip addr add 10.77.0.1/24 dev gone && ip link set gone up || exit 9
{ read -r line; ip link delete gone; echo "$line"; } | "$@"
`;
const ON_GONE =
  '<CycloneDDS><Domain><General><Interfaces><NetworkInterface name="gone"/></Interfaces></General></Domain></CycloneDDS>';

describe.skipIf(process.getuid?.() !== 0)("when its interface is gone, a participant", () => {
  test.each([
    ["closes", ON_GONE],
    ["closes without any configuration", ""],
  ])(
    "%s",
    async (_, config) => {
      const argv = [
        "unshare",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        SCRIPT,
        "sh",
        process.execPath,
        LEAVER,
        "0",
      ];
      await using program = new Program(argv, { env: { CYCLONEDDS_URI: config } });
      expect(await program.nextLine()).toBe("joined");
      program.send("leave");
      expect(await program.nextLine()).toBe("left");
      await program.finish();
    },
    30_000,
  );
});
