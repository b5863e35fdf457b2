import { z } from "zod";
import { Problem } from "../domain/problem.ts";
import { BUILDERS, CACHES } from "../domain/recipe.ts";
import { egressFault } from "../network/egress-list.ts";
import { parseLink } from "../network/link-rate.ts";

/** Values as the settings files write them: a number has its unit in its key, or is text with a unit. */

const MIB = 1024 ** 2;
const LEAST_MEMORY_BYTES = 32 * MIB;
const WEEK_MS = 7 * 24 * 3_600_000;

/** Memory in binary units, as engines take it: `8g`, `512m`, `8GiB`. Becomes bytes. */
export const memory = z
  .string({ error: "must be a size with its unit, for example 8g" })
  .regex(/^\d{1,6}(?:\.\d+)?[kKmMgG](?:iB)?$/u, "must be a size with its unit, for example 8g or 512m")
  .transform((text) => {
    const factor = { k: 1024, m: MIB, g: 1024 ** 3 }[/[kmg]/iu.exec(text)?.[0].toLowerCase() ?? ""];
    return Math.round(Number.parseFloat(text) * (factor ?? Number.NaN));
  })
  .refine((bytes) => bytes >= LEAST_MEMORY_BYTES, "must be at least 32m: a build cannot start in less");

/** A duration: `90s`, `60m`, `2h`. Becomes milliseconds, six seconds to a week as the command line takes them. */
export const duration = z
  .string({ error: "must be a duration with its unit, for example 60m" })
  .regex(/^\d{1,6}(?:\.\d+)?[smh]$/u, "must be a duration with its unit, for example 90s, 60m or 2h")
  .transform((text) => {
    const factor = { s: 1000, m: 60_000, h: 3_600_000 }[text.slice(-1)];
    return Math.round(Number.parseFloat(text) * (factor ?? Number.NaN));
  })
  .refine((ms) => ms >= 6000 && ms <= WEEK_MS, "must be between 6s and 168h");

export const cpus = z.number().min(0.01).max(1024);
export const repeats = z.int().min(1).max(20);
export const imageCount = z.int().min(1).max(1000);

export const ledger = z.enum(["perRepository", "namespace", "stored", "ghcr"]);

/** `all`, `kaniko/layers`, or with a variant `kaniko/layers+redo`. Which of them a builder has is told by the plan. */
const strategyPattern = new RegExp(
  `^(?:all|(?:${BUILDERS.join("|")})/(?:${CACHES.join("|")})(?:\\+[a-z0-9]+(?:-[a-z0-9]+)*)?)$`,
  "u",
);
export const strategies = z
  .array(z.string().regex(strategyPattern, "must be all or builder/cache, as kaniko/layers"))
  .max(40)
  .refine(distinct, "names a strategy twice");

/** A rate as the network room reads it; the text is kept. */
export const link = z.string().refine((text) => {
  try {
    parseLink(text);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}, "must be a rate, for example 100mbit, 1gbit or 12.5MB/s, or unlimited");

/** Hosts as the gate's list has them. */
export const egress = z
  .array(
    z.string().superRefine((text, context) => {
      const fault = egressFault(text);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    }),
  )
  .max(1000)
  .refine(distinct, "names a host twice");

const HOST = String.raw`[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?`;
const PORT = String.raw`:\d{1,5}`;

/** A container image by its digest; a tag beside it is for the reader. */
export const imageByDigest = z
  .string()
  .max(500)
  .regex(
    new RegExp(`^${HOST}(?:${PORT})?(?:/[a-z0-9][a-z0-9._-]*)+(?::[\\w.-]+)?(?:@sha256:[0-9a-f]{64})?$`, "u"),
    {
      error: "must be a whole name with its digest, as registry.example.org/tools/docker@sha256:…",
      abort: true,
    },
  )
  .refine(
    (name) => name.includes("@"),
    "has no digest: what a tag names changes, and with it what is measured. Write name@sha256:…",
  );

/** Where a mirror listens. */
export const mirrorHost = z
  .string()
  .max(255)
  .regex(new RegExp(`^${HOST}(?:${PORT})?$`, "u"), "must be host or host:port, with nothing before or after");

/** The host of a registry as image names have it: one with a dot or a port, or `localhost`. */
export const registryHost = z
  .string()
  .max(255)
  .regex(
    new RegExp(`^(?:localhost$|${HOST}${PORT}$|(?=[^:]*\\.)${HOST}$)`, "u"),
    "must be the host of a registry, as docker.io or quay.io",
  )
  .refine(
    (host) => !/^(?:index|registry|registry-1)\.docker\.io$/u.test(host),
    "is called docker.io in image names",
  );

/** RUN instructions that are edited, one scenario each. */
export const edits = z
  .array(
    z.union([z.enum(["first", "last"]), z.int().min(1).max(1000)], {
      error: "must be first, last or the number of a RUN",
    }),
  )
  .min(1)
  .max(5)
  .refine(distinct, "names an edit twice");

/** Edits that are replayed from the Dockerfile's history, one scenario each; 0 for synthetic ones. */
export const replay = z.int().min(0).max(50);

export const thresholds = z.strictObject({
  bytes: described(z.int().min(0), "bytes that a difference in storage must pass", 1_000_000),
  percent: described(
    z.number().min(0).max(1000),
    "percent of the current figure that any difference must pass",
    5,
  ),
  seconds: described(z.number().min(0).max(86_400), "seconds that a difference in time must pass", 1),
});

/** No braces and classes: what a pattern may hold is what `matchesGlob` of image-filter.ts reads. */
export const globs = z
  .array(
    z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^{}()[\]!\\\s]+$/u, "must be a name or path with *, ** and ? alone"),
  )
  .max(100);

/** Where a secret is held. Its value never stands in the file. */
export const secret = z
  .strictObject(
    {
      file: described(z.string().regex(/^\//u, "must be an absolute path"), "file that holds the secret"),
      variable: described(
        z.string().regex(/^[A-Za-z_]\w*$/u, "must be the name of an environment variable"),
        "environment variable that holds the secret",
      ),
    },
    {
      error: (issue) =>
        issue.code === "invalid_type" ? "is a secret: write {file: /…} or {variable: NAME}" : undefined,
    },
  )
  .refine(
    ({ file, variable }) => (file === undefined) !== (variable === undefined),
    "names one of file and variable",
  );
export type Secret = z.output<typeof secret>;

/** An optional key with what an editor shows of it. `fallback` is what holds where it is not written (`editorSchema`). */
export function described<T extends z.ZodType>(schema: T, description: string, fallback?: unknown) {
  return schema.optional().meta({ description, ...(fallback === undefined ? {} : { fallback }) });
}

function distinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
