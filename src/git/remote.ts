import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../domain/problem.ts";
import { redact } from "../lib/redact.ts";
import { gitEnvironment } from "./environment.ts";
import { gitOutput } from "./git-process.ts";

/** An address to fetch from, without the secrets that it had; `secrets` are to be taken from what git says. */
export type Remote = { url: string; secrets: string[]; environment: Record<string, string> };

/** Allows the one protocol of the URL and moves its credentials from the address to the environment. */
export function readRemote(address: string, header?: string): Remote {
  if (address.startsWith("/") || address.startsWith("file:///")) {
    return {
      url: address,
      secrets: [],
      environment: gitEnvironment([["protocol.file.allow", "always"]]),
    };
  }
  const url = URL.parse(address);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new Problem(
      "arguments",
      `${JSON.stringify(redact(address, []))} is no address that Tare fetches from.`,
      "Use an http:// or https:// URL.",
    );
  }
  const given = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const basic = Buffer.from(given.join(":")).toString("base64");
  const extra = header ?? (given.join("") === "" ? undefined : `Authorization: Basic ${basic}`);
  url.username = "";
  url.password = "";
  const config: [string, string][] = [
    [`protocol.${url.protocol.slice(0, -1)}.allow`, "always"],
    // A redirect would carry the header to another host.
    ["http.followRedirects", extra === undefined ? "initial" : "false"],
  ];
  if (extra !== undefined) config.push([`http.${url.origin}/.extraHeader`, extra.replaceAll(/[\r\n]/g, "")]);
  const secrets = [given[1] ?? "", ...(extra ? [extra, extra.split(" ").at(-1) ?? ""] : [])];
  return {
    url: url.href,
    secrets: secrets.filter((secret) => secret !== ""),
    environment: gitEnvironment(config, network()),
  };
}

/** What a connection needs of the machine's own settings: proxies and certificates. */
function network(): Record<string, string> {
  const names = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
  ];
  const found: Record<string, string> = {};
  for (const name of [...names, "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"]) {
    const value = process.env[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Makes a bare repository without templates and hooks where there is none. */
export async function makeBare(cacheDir: string, env: Record<string, string>): Promise<void> {
  try {
    await access(join(cacheDir, "HEAD"));
  } catch {
    await mkdir(cacheDir, { recursive: true });
    await gitOutput(["init", "--quiet", "--bare", "--template=", "--initial-branch=none"], { env });
  }
}
