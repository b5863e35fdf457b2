import { z } from "zod";
import { CLAIM_KINDS, CLAIM_MARKS } from "../domain/claim.ts";
import { BUILDERS, CACHES } from "../domain/recipe.ts";
import type { Report } from "../domain/report.ts";

/** report.json as zod sees it: an exact mirror of the domain's `Report`, which the compiler checks below. */

const bytes = z.int().nonnegative().describe("bytes");
const bytesOrUnknown = z.union([bytes, z.literal("unknown")]);
const durationMs = z.number().nonnegative().describe("milliseconds");
const count = z.int().nonnegative();
const countOrUnknown = z.union([count, z.literal("unknown")]);
const text = z.string();
const textOrNull = text.nullable();

const builder = z.enum(BUILDERS);
const strategy = z.templateLiteral([builder, "/", z.enum(CACHES)]);
const outcome = z.enum(["succeeded", "failed", "out-of-memory", "timed-out", "canceled"]);
const scenario = z.union([
  z.literal("cold"),
  z.literal("warm"),
  z
    .templateLiteral(["edit ", z.int()])
    .refine((text) => /^edit [1-9]\d*$/u.test(text), "edits are counted from 1"),
]);
const verdict = z.enum(["better", "worse", "mixed", "no change", "broken", "infrastructure", "not measured"]);

const ledgers = z.strictObject({
  perRepository: bytes.describe("bytes: each blob once in each repository"),
  namespace: bytes.describe("bytes: each layer of a tagged image once per root namespace"),
  stored: bytesOrUnknown.describe("bytes: every blob file until garbage collection"),
  ghcr: bytes.describe("bytes: each blob of every version, tagged or not, once in each package"),
});

const roles = z.strictObject({ image: bytes, cache: bytes, unreferenced: bytes });

const holding = z.strictObject({
  perRepository: roles,
  namespace: roles,
  stored: z.union([roles, z.literal("unknown")]),
  tags: count,
  blobs: count,
  supersededBytes: bytes,
  supersededLayers: count,
  superseded: z.array(z.strictObject({ digest: text, bytes, keptBy: z.array(text), keptByCount: count })),
});

const recipe = z.strictObject({
  job: text,
  file: text,
  line: count,
  builder,
  strategy,
  program: text,
  runsIn: textOrNull,
  services: z.array(text),
  dockerfile: textOrNull,
  context: textOrNull,
  target: textOrNull,
  images: z.array(text),
  cacheFrom: z.array(text),
  cacheTo: z.array(text),
  cacheToOptions: z.array(z.record(text, text)),
  pulls: z.array(text),
  buildArgs: z.record(text, textOrNull),
  flags: z.array(text),
  environment: z.record(text, text),
  logins: z.array(text),
  condition: z.enum(["upstream", "fork", "both"]),
  unresolved: z.array(z.strictObject({ part: text, why: text })),
});

const run = z.strictObject({
  scenario,
  outcome,
  failure: z.array(text).nullable(),
  buildMs: z.array(durationMs),
  pushMs: z.array(durationMs),
  totalMs: z.array(durationMs),
  memoryPeakBytes: bytesOrUnknown,
  anonymousPeakBytes: bytesOrUnknown,
  memoryLimitBytes: bytes,
  storageRun: z
    .strictObject({
      outcome,
      memoryPeakBytes: bytesOrUnknown,
      anonymousPeakBytes: bytesOrUnknown,
      memoryLimitBytes: bytes,
    })
    .nullable(),
  hits: countOrUnknown,
  misses: countOrUnknown,
  pulledBytes: bytesOrUnknown,
  pushedBytes: bytesOrUnknown,
  ledgers: ledgers.nullable(),
  repositories: z.array(
    z.strictObject({
      name: text,
      role: z.enum(["image", "cache", "image and cache"]),
      tags: count,
      bytes,
    }),
  ),
  holding: holding.nullable(),
});

const forkRun = z.strictObject({
  outcome,
  exitCode: z.int().nullable(),
  failure: z.array(text).nullable(),
  buildMs: z.union([durationMs, z.literal("unknown")]),
  pushMs: z.union([durationMs, z.literal("unknown")]),
  totalMs: durationMs,
  hits: countOrUnknown,
  misses: countOrUnknown,
  pulledBytes: bytes,
  pushedBytes: bytes,
  denied: z.array(
    z.strictObject({
      user: z.enum(["upstream", "contributor", "anonymous"]),
      repository: text,
      action: text,
    }),
  ),
  namespaceBytes: bytes.describe("bytes: each layer of a tagged image of the fork once"),
  perRepositoryBytes: bytes.describe("bytes: each blob once in each repository of the fork"),
});

const fork = z.strictObject({
  upstream: z.enum(["readable", "unreadable"]),
  runs: z.array(forkRun),
  cachePush: z.enum(["allowed", "denied: the job goes on", "denied: the job fails", "none"]),
});

const cleanup = z.strictObject({
  keepTags: count,
  olderThanDays: count,
  tagsBefore: count,
  deletedTags: count,
  ledgers: ledgers.omit({ ghcr: true }).describe("bytes when garbage collection has followed"),
  neededTags: count,
  neededDeleted: count,
});

const strategyReport = z.strictObject({
  strategy,
  variant: textOrNull,
  role: z.enum(["current", "proposed", "other"]),
  job: text,
  recipe,
  droppedFlags: z.array(z.strictObject({ flag: text, why: text })),
  privileges: z.enum(["none", "mounts", "daemon"]),
  needs: textOrNull,
  runs: z.array(run),
  forks: z.array(fork),
  cleanup: z.array(cleanup).default([]),
});

const figure = z.strictObject({
  figure: text,
  unit: z.enum(["bytes", "ms"]),
  current: z.number().nullable(),
  proposed: z.number().nullable(),
  thresholdRatio: z.number().nonnegative(),
  thresholdAbsolute: z.number().nonnegative(),
  judgement: z.enum(["better", "worse", "no change", "does not decide"]),
  why: text,
});

const image = z.strictObject({
  image: text,
  dockerfile: text,
  bases: z.array(z.strictObject({ name: text, digest: textOrNull, from: text })),
  edits: z.array(z.strictObject({ description: text, synthetic: z.boolean(), line: count })),
  strategies: z.array(strategyReport),
  verdict,
  figures: z.array(figure),
});

const part = z.strictObject({
  part: text,
  version: text,
  image: text,
  digest: textOrNull,
  named: textOrNull,
  differs: z.boolean(),
  origin: text,
});

const copied = z.array(z.strictObject({ line: count, text }));
const dockerfile = z.strictObject({
  path: text,
  jobs: z.array(text),
  fromContext: copied,
  fromElsewhere: copied,
  unread: textOrNull,
});

const lineOrNull = count.nullable();
const excerpt = z.strictObject({
  file: text,
  line: count,
  side: z.enum(["base", "head"]),
  lines: z.array(
    z.strictObject({
      mark: z.enum(["added", "removed", "kept"]),
      base: lineOrNull,
      head: lineOrNull,
      text,
    }),
  ),
});

export const SCHEMA_VERSION = 2;

export const reportSchema = z
  .strictObject({
    schemaVersion: z.literal(SCHEMA_VERSION),
    tare: text,
    change: z.strictObject({
      id: text,
      title: text,
      author: z.strictObject({ name: text, address: text }),
      trust: z.enum(["trusted", "approved", "stranger"]),
      base: z.strictObject({ commit: textOrNull, tree: text, chosenBy: text }),
      head: z.strictObject({ commit: textOrNull, tree: text }),
      files: z.array(text),
    }),
    sentence: text,
    quoted: z.array(z.strictObject({ file: text, line: count, text })),
    recipes: z.strictObject({ base: z.array(recipe), head: z.array(recipe) }),
    findings: z.array(
      z.strictObject({
        id: text,
        file: text,
        line: count,
        side: z.enum(["base", "head"]),
        text,
        why: text,
      }),
    ),
    excerpts: z.array(excerpt).default([]),
    dockerfiles: z.array(dockerfile).nullable().default(null),
    claims: z.array(
      z.strictObject({
        kind: z.enum(CLAIM_KINDS),
        quote: text,
        author: text,
        date: textOrNull,
        messageId: textOrNull,
        mark: z.enum(CLAIM_MARKS),
        sentence: text,
        alike: z.array(z.strictObject({ quote: text, author: text })),
      }),
    ),
    verdict,
    headline: text,
    images: z.array(image),
    notBuilt: z.array(z.strictObject({ what: text, why: text })),
    ledger: z.strictObject({ id: z.enum(["perRepository", "namespace", "stored", "ghcr"]), why: text }),
    limits: z.strictObject({ cpus: z.number().positive(), memoryBytes: bytes }),
    repeats: count,
    machine: z.strictObject({
      cpus: count,
      memoryBytes: bytes,
      kernel: text,
      cgroup: z.enum(["v1", "v2"]),
      link: text,
      clock: text,
    }),
    parts: z.array(part),
    notes: z.array(text),
    command: text,
    startedAt: text,
    wallMs: durationMs,
    machineMs: durationMs,
    estimate: z.strictObject({ wallMs: durationMs, bytes, basis: text }),
    downloads: z.strictObject({
      from: z.enum(["cache", "direct"]),
      bytesFromCache: bytes,
      bytesFetched: bytes,
      tunnelBytes: bytes,
      tunnelHosts: z.array(text),
    }),
    argv: z.array(text),
  })
  .describe("The answer of Tare to one change");

type Parsed = z.infer<typeof reportSchema>;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
/** Does not compile where the schema and the domain's type part ways. */
export const SCHEMA_MIRRORS_REPORT: Same<Parsed, Report> = true;

/** JSON Schema (draft 2020-12) of report.json. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema);
}
