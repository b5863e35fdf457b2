import { Problem } from "../domain/problem.ts";

/** Hosts that jobs of others may reach, as the operator names them. */
export type EgressList = {
  /** Whether anything of this host may be reached: its name is answered then. */
  knows: (host: string) => boolean;
  allows: (host: string, port: number) => boolean;
};

type Entry = { name: string; below: boolean; ports: readonly number[] };

/** Ports of an entry that names none: HTTP and HTTPS. */
const WEB_PORTS = [80, 443];

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** Parsers of URLs take a name whose last label looks like a number for an IPv4 address. */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** Why an entry is none; null where it is one. */
export function egressFault(text: string): string | null {
  const entry = readEntry(text);
  return typeof entry === "string" ? entry : null;
}

/** Reads `example.org`, `example.org:8443` and `*.example.org`. Problem configuration with every entry that is none. */
export function parseEgress(texts: readonly string[]): EgressList {
  const entries: Entry[] = [];
  const faults: string[] = [];
  for (const text of texts) {
    const entry = readEntry(text);
    if (typeof entry === "string") faults.push(`${JSON.stringify(text.slice(0, 260))}: ${entry}`);
    else entries.push(entry);
  }
  if (faults.length > 0) {
    throw new Problem(
      "configuration",
      "The list of hosts that jobs may reach is wrong.",
      "Write hosts as example.org, example.org:8443 or *.example.org.",
      faults,
    );
  }
  const matching = (host: string) => {
    const name = canonicalHost(host);
    return name === null ? [] : entries.filter((entry) => matches(entry, name));
  };
  return {
    knows: (host) => matching(host).length > 0,
    allows: (host, port) => matching(host).some(({ ports }) => ports.includes(port)),
  };
}

/** A host as entries are compared: lower case, without the root's dot; null for addresses and for what is no name. */
export function canonicalHost(host: string): string | null {
  const name = host.toLowerCase().replace(/\.$/, "");
  return name.length <= 253 && NAME.test(name) && !NUMERIC.test(name) ? name : null;
}

function matches({ name, below }: Entry, host: string): boolean {
  return below ? host.endsWith(`.${name}`) : host === name;
}

function readEntry(text: string): Entry | string {
  const [, stars = "", written = "", port] = /^(\*\.)?(.+?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = canonicalHost(written);
  if (name === null) return "must be the name of a host: example.org, example.org:8443 or *.example.org";
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) return "has a port that is none";
  // Everything below a top-level domain is no list.
  if (stars !== "" && !name.includes(".")) return "names everything below a top-level domain";
  return { name, below: stars !== "", ports: port === undefined ? WEB_PORTS : [Number(port)] };
}
