/**
 * Makes certificates for tests with openssl: an authority, and a server and a client certificate
 * that it signs.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Paths of a certificate and of its private key. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes the pairs in `folder`. */
export function makeCertificates(
  folder: string,
): Readonly<Record<"ca" | "server" | "client", Pair>> {
  const pair = (name: string): Pair => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  });
  const make = (name: string, more: readonly string[]): Pair => {
    const made = pair(name);
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      made.key,
    ];
    const args = ["req", "-x509", "-days", "2", "-subj", `/CN=${name}`, ...key];
    execFileSync("openssl", [...args, "-out", made.certificate, ...more], { stdio: "pipe" });
    return made;
  };
  const ca = make("ca", []);
  const signed = ["-CA", ca.certificate, "-CAkey", ca.key, "-addext", "basicConstraints=CA:FALSE"];
  return {
    ca,
    server: make("server", [...signed, "-addext", "subjectAltName=DNS:localhost"]),
    client: make("client", signed),
  };
}

/** The files' contents in the form that servers take. */
export const pem = ({ certificate, key }: Pair): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(certificate),
  key: readFileSync(key),
});
