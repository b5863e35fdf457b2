import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

/** A file of src by its path below src, with what it imports: paths below src, `node:x`, or package names. */
type Source = { path: string; room: string; text: string; imports: string[] };

function readSources(): Source[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, "src", path), "utf8");
      return { path, room: roomOf(path), text, imports: importsOf(path, text) };
    });
}

/** The room of a path below src; files of src itself wire the rooms and have none. */
function roomOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : "";
}

/** Names in `from "x"`, `import "x"` and `import("x")`; relative ones become paths below src. */
function importsOf(path: string, text: string): string[] {
  const names = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([\w@./:-]+)"/g)].map(
    ([, name = ""]) => name,
  );
  return names.map((name) => (name.startsWith(".") ? posix.join(posix.dirname(path), name) : name));
}

const isPackage = (name: string) => !name.startsWith("node:") && !name.endsWith(".ts");

/** `@scope/name/sub` is of `@scope/name`. */
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

/** What the rooms import beside themselves. A file instead of a room stands for that file alone. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: [],
  git: ["domain", "lib"],
  images: ["domain", "lib", "executors", "network/egress.ts"],
  recipes: ["domain"],
  caches: ["domain"],
  builders: ["domain", "caches"],
  executors: ["domain", "lib", "network/gate.ts", "network/egress.ts"],
  registry: ["domain", "lib"],
  network: ["domain", "lib"],
  trials: ["domain", "builders/index.ts", "builders/types.ts", "caches", "registry", "recipes/dockerfile.ts"],
  findings: ["domain", "git/changed-lines.ts", "recipes/dockerfile.ts"],
  claims: ["domain", "recipes/dockerfile.ts"],
  reports: ["domain", "lib/map-texts.ts", "lib/html-text.ts"],
  series: ["domain", "git/quoted-path.ts"],
  channels: ["domain", "lib", "series"],
  sources: ["domain", "lib", "git", "channels/mail/own-address.ts"],
  web: ["domain", "lib", "channels", "config", "reports"],
  config: ["domain", "lib", "channels", "network/link-rate.ts", "network/egress-list.ts"],
  queue: ["domain", "lib", "channels/types.ts", "channels/mail/reply.ts"],
};

/** Rooms whose packages are part of what they are; the others have none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  images: ["dockerode"],
  recipes: ["@actions/expressions", "dockerfile-ast", "unbash", "yaml"],
  executors: ["dockerode", "tar-stream"],
  network: ["dns-packet", "ipaddr.js", "send", "zod"],
  registry: ["jose", "re2js", "selfsigned"],
  reports: ["echarts", "mustache", "zod"],
  channels: ["@gitbeaker/rest", "nodemailer", "octokit", "pino", "probot", "zod"],
  series: ["mailparser", "zod"],
  sources: ["imapflow", "smtp-server", "zod"],
  web: ["lru-cache", "pino", "prom-client"],
  config: ["yaml", "zod"],
  terminal: ["commander", "pino"],
  queue: ["pg", "pg-boss", "pg-copy-streams", "zod"],
  // Wiring hands the log on.
  "": ["pino"],
};

/** The command line and the files of src itself wire the rooms: they may import all. */
const WIRING: ReadonlySet<string> = new Set(["terminal", ""]);

/** Data in, data out: no clock, no network, no files. */
const PURE = [
  /^domain\//,
  /^recipes\//,
  /^builders\//,
  /^caches\//,
  /^findings\//,
  /^claims\//,
  /^git\/changed-lines\.ts$/,
  /^trials\/(?:gated-job|statistics|verdict|headline|plan|summarize|simulate-cleanup|references|hits|estimate|sample|strategies)\.ts$/,
  /^reports\/(?!fill\.ts$)/,
  /^config\/(?!open-operator-file\.ts$|serve\.ts$)/,
  /^registry\/(?:token-scopes|cleanup|ledgers|access-log|read-manifest|schema1|settle)\.ts$/,
  /^series\//,
  /^sources\/(?:types|batcher|scan|hidden-text|split-mbox)\.ts$/,
  /^network\/(?:link-rate|egress-list|client-hello|gate-dns)\.ts$/,
];

/** Paths as texts, hashes and bytes are arithmetic. What a type is imported for leaves nothing behind at run time; the world is what a pure file must not hold. */
const WORLD = new Set([
  "dockerode",
  ...builtinModules
    .filter((name) => !["path", "crypto", "buffer"].includes(name))
    .map((name) => `node:${name}`),
]);

const CLOCK =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bprocess\.|\bfetch\(|\brandom(?:Bytes|UUID|Int|FillSync)\(|\bsetTimeout\(/;

/** Hosts of package registries and mirrors: set-up takes what the machine's own settings name. */
const MIRRORS =
  /deb\.debian\.org|security\.debian\.org|archive\.ubuntu\.com|registry\.npmjs\.org|registry\.yarnpkg\.com|proxy\.golang\.org|sum\.golang\.org|pypi\.org/;

const sources = readSources();

/** `path imports name` for every import that `allowed` refuses. */
function refused(files: readonly Source[], allowed: (name: string, file: Source) => boolean): string[] {
  return files.flatMap((file) =>
    file.imports.filter((name) => !allowed(name, file)).map((name) => `${file.path} imports ${name}`),
  );
}

describe("the reader of imports", () => {
  it("knows every form", () => {
    const text = [
      'import Docker from "dockerode";',
      'import "./side.ts";',
      'import { a,\n  b } from "../lib/disk.ts";',
      'import type { C } from "../domain/job.ts";',
      'export { d } from "./own.ts";',
      'type E = import("node:http").Server;',
      'const f = await import("./later.ts");',
      'const g = field("from") ?? field("from");',
    ].join("\n");
    expect(importsOf("images/x.ts", text)).toStrictEqual([
      "dockerode",
      "images/side.ts",
      "lib/disk.ts",
      "domain/job.ts",
      "images/own.ts",
      "node:http",
      "images/later.ts",
    ]);
  });
});

describe("the rooms of src", () => {
  it("are all in the table", () => {
    const rooms = new Set(sources.map(({ room }) => room).filter((room) => !WIRING.has(room)));
    expect([...rooms].sort()).toStrictEqual(Object.keys(ROOMS).sort());
  });

  it.each(Object.entries(ROOMS))("%s imports nothing beside %j", (room, others) => {
    const files = sources.filter((file) => file.room === room);
    const wrong = refused(files, (name) => {
      if (!name.endsWith(".ts")) return true;
      return roomOf(name) === room || others.some((other) => name === other || roomOf(name) === other);
    });
    expect(wrong).toStrictEqual([]);
  });

  it("import what is there", () => {
    const paths = new Set(sources.map(({ path }) => path));
    expect(refused(sources, (name) => !name.endsWith(".ts") || paths.has(name))).toStrictEqual([]);
  });

  it("import packages where they belong", () => {
    const wrong = refused(sources, (name, { room, path }) => {
      if (!isPackage(name)) return true;
      return path === "main.ts"
        ? packageOf(name) === "commander"
        : (PACKAGES[room] ?? []).includes(packageOf(name));
    });
    expect(wrong).toStrictEqual([]);
  });

  it("import Node's own modules by `node:`, and domain none at all", () => {
    const bare = new Set(builtinModules);
    expect(refused(sources, (name) => !bare.has(name))).toStrictEqual([]);
    const domain = sources.filter(({ room }) => room === "domain");
    expect(refused(domain, (name) => name.startsWith("domain/"))).toStrictEqual([]);
  });
});

describe("pure files", () => {
  const pure = sources.filter(({ path }) => PURE.some((pattern) => pattern.test(path)));

  it("are found by their patterns", () => {
    const unmatched = PURE.filter((pattern) => !pure.some(({ path }) => pattern.test(path)));
    expect(unmatched).toStrictEqual([]);
  });

  it("import nothing of the world", () => {
    expect(refused(pure, (name) => !WORLD.has(name))).toStrictEqual([]);
  });

  it("read no clock, no chance, no process and no network", () => {
    const wrong = pure.filter(({ text }) => CLOCK.test(text)).map(({ path }) => path);
    expect(wrong).toStrictEqual([]);
  });
});

describe("dependencies", () => {
  const imported = new Set(sources.flatMap(({ imports }) => imports.filter(isPackage).map(packageOf)));

  it("are exactly what src imports", () => {
    expect([...imported].sort()).toStrictEqual(Object.keys(PACKAGE.dependencies).sort());
  });

  it("are pinned to one version", () => {
    const pinned = /^\d+\.\d+\.\d+$/;
    const loose = Object.entries(PACKAGE.dependencies).filter(([, version]) => !pinned.test(version));
    expect(loose).toStrictEqual([]);
  });
});

describe("files of src", () => {
  const failing = (fails: (source: Source) => boolean) => sources.filter(fails).map(({ path }) => path);

  it("are named in kebab-case", () => {
    expect(
      failing(({ path }) => !/^(?:[a-z0-9-]+\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path)),
    ).toStrictEqual([]);
  });

  it("have at most 400 lines", () => {
    expect(failing(({ text }) => text.trimEnd().split("\n").length > 400)).toStrictEqual([]);
  });

  it("have no default exports", () => {
    expect(failing(({ text }) => /^export default\b|\bas default\b/m.test(text))).toStrictEqual([]);
  });

  it("have classes for errors only", () => {
    expect(
      failing(({ text }) => /\bclass \w+(?! extends (?:\w*Error)\b)(?: |\{)/.test(withoutErrors(text))),
    ).toStrictEqual([]);
  });

  it("name no package registry and no mirror", () => {
    expect(failing(({ text }) => MIRRORS.test(text))).toStrictEqual([]);
  });

  it("name official images in one file only", () => {
    const official = /"(?:docker\.io|ghcr\.io|gcr\.io|quay\.io)\/[^"]*[:@]/;
    expect(failing(({ text }) => official.test(text))).toStrictEqual(["images/pins.ts"]);
  });

  it("leave nothing for later", () => {
    expect(failing(({ text }) => /\b(?:TODO|FIXME|XXX)\b|not implemented/i.test(text))).toStrictEqual([]);
  });
});

/** The text without the heads of error classes and without comments, where the word class is prose. */
function withoutErrors(text: string): string {
  return text.replaceAll(/class \w+ extends \w*Error\b/g, "").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
}
