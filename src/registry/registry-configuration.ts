import { textFile, type JobFile } from "../domain/job.ts";
import { TOKEN_ISSUER, TOKEN_SERVICE, type TokenServer } from "./token-server.ts";

/** Where the registry keeps everything, inside its container. */
export const ROOT = "/var/lib/registry";
const CERTIFICATE = "/etc/tare/tokens.pem";

/** Files of a registry on loopback; with a token server its users have rights. */
export function configuration(port: number, tokens: TokenServer | null): JobFile[] {
  const text = [
    "version: 0.1",
    // The access log is on standard output by itself; everything below a warning would double it.
    "log: {level: warn}",
    `storage: {filesystem: {rootdirectory: ${ROOT}}, delete: {enabled: true}}`,
    // Foreign layers are named by where they are; by itself Distribution refuses every such manifest.
    'validation: {manifests: {urls: {allow: ["^https?://"]}}}',
    `http: {addr: "127.0.0.1:${port}"}`,
    ...(tokens === null ? [] : [authorization(tokens)]),
    "",
  ].join("\n");
  return [
    textFile("/etc/tare/registry.yml", text),
    ...(tokens === null ? [] : [textFile(CERTIFICATE, tokens.certificate)]),
  ];
}

function authorization({ realm }: TokenServer): string {
  const words = [
    `realm: "${realm}"`,
    `service: ${TOKEN_SERVICE}`,
    `issuer: ${TOKEN_ISSUER}`,
    `rootcertbundle: ${CERTIFICATE}`,
  ];
  return `auth: {token: {${words.join(", ")}}}`;
}
