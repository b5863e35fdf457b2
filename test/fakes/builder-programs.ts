import { createHash } from "node:crypto";
import type { Job, JobFile } from "../../src/domain/job.ts";
import type { FakeLayer, FakeTrialRegistry } from "./trial-world.ts";

/** What a build was told, read from its words alone. */
type Told = {
  images: string[];
  from: string[];
  to: { reference: string; kind: "in the image" | "one manifest" | "a tag per instruction" }[];
  cumulative: boolean;
  layered: boolean;
};

type Caches = Map<string, Map<string, FakeLayer>>;

/** What registries remember: of their caches by reference, the layer that each key stands for; and layers that came in. */
const remembered = new WeakMap<FakeTrialRegistry, { caches: Caches; layers: Set<string> }>();

/**
 * Does what docker, BuildKit, kaniko and buildah do with a Dockerfile of `RUN head -c N`: layers by their text, caches as
 * the words of the job say, each on a fresh runner. `nth` makes layers of two builds differ, as random content does.
 */
export function playBuilder(job: Job, registry: FakeTrialRegistry, nth: number): Record<string, never> {
  const told = readWords(job);
  const held = remembered.get(registry) ?? { caches: new Map() as Caches, layers: new Set<string>() };
  remembered.set(registry, held);
  const found = told.from.flatMap((reference) => held.caches.get(bare(reference)) ?? []);
  const lines = instructionsOf(job.files);
  const made = lines.map((line, index): Step => {
    const key = createHash("sha256")
      .update(lines.slice(0, index + 1).join("\n"))
      .digest("hex");
    const bytes = /head -c (\d+)/.exec(line)?.[1];
    const hit = found.map((cache) => cache.get(key)).find((layer) => layer !== undefined);
    return { key, layer: bytes === undefined ? null : (hit ?? [`${key.slice(0, 8)}-${nth}`, Number(bytes)]) };
  });
  push(registry, held.caches, told, made);
  for (const { layer } of made) {
    if (layer === null || held.layers.has(layer[0])) continue;
    held.layers.add(layer[0]);
    registry.move({ pushedBytes: layer[1] });
  }
  return {};
}

/** One instruction: its key, and the layer that it leaves. */
type Step = { key: string; layer: FakeLayer | null };

const BASE: FakeLayer = ["base", 1_000_000];

function push(registry: FakeTrialRegistry, caches: Caches, told: Told, made: readonly Step[]): void {
  const own = made.flatMap(({ layer }) => (layer === null ? [] : [layer]));
  const [first] = own;
  // Without layers an image has one, of everything that its instructions left.
  const one: FakeLayer[] =
    first === undefined ? [] : [[`all-${first[0]}`, own.reduce((sum, [, bytes]) => sum + bytes, 0)]];
  for (const image of told.images) registry.push(...placeOf(image), [BASE, ...(told.layered ? own : one)]);
  for (const { reference, kind } of told.to) {
    const before = kind === "a tag per instruction" ? caches.get(bare(reference)) : undefined;
    const cache = new Map(before);
    for (const [index, { key, layer }] of made.entries()) {
      cache.set(key, layer ?? [`nothing-${key}`, 0]);
      if (kind !== "a tag per instruction" || before?.has(key) === true) continue;
      const below = made.slice(0, index + 1).flatMap((step) => (step.layer === null ? [] : [step.layer]));
      if (told.cumulative) registry.push(placeOf(reference)[0], key, [BASE, ...below]);
      else if (layer !== null) registry.push(placeOf(reference)[0], key, [layer]);
    }
    if (kind === "one manifest") registry.push(...placeOf(reference), [BASE, ...own]);
    caches.set(bare(reference), cache);
  }
}

/** Repository and tag of a reference of the trial's registry. */
function placeOf(reference: string): [repository: string, tag: string] {
  const path = reference.slice(reference.indexOf("/") + 1);
  const [repository = "", tag = "latest"] = path.split(":");
  return [repository, tag];
}

const bare = (reference: string) => placeOf(reference).join(":");

/** The Dockerfile's instructions behind FROM. */
function instructionsOf(files: readonly JobFile[]): string[] {
  const file = files.find(({ path }) => path.endsWith("/Dockerfile"));
  const text = file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : "";
  return text.split("\n").filter((line) => /^(?:RUN|CMD) /.test(line));
}

function readWords(job: Job): Told {
  const build = job.commands.find(({ phase }) => phase.startsWith("build"))?.argv ?? job.main;
  const valuesOf = (name: string) =>
    build.flatMap((word, at) =>
      word === name
        ? [build[at + 1] ?? ""]
        : word.startsWith(`${name}=`)
          ? [word.slice(name.length + 1)]
          : [],
    );
  const exports = [...valuesOf("--cache-to"), ...valuesOf("--export-cache")];
  const isInline =
    exports.includes("type=inline") || valuesOf("--build-arg").includes("BUILDKIT_INLINE_CACHE=1");
  const buildctl = build[0] === "buildctl";
  const named = buildctl ? valuesOf("--output").map((text) => optionsOf(text)["name"] ?? "") : [];
  const images = [...valuesOf("--tag"), ...valuesOf("--destination"), ...named];
  const pushes = new Set(job.commands.filter(({ phase }) => phase === "push").map(({ argv }) => argv.at(-1)));
  const buildah = build[0] === "buildah";
  const kaniko = build[0] === "/kaniko/executor";
  const repositories = kaniko ? valuesOf("--cache-repo").filter(() => build.includes("--cache=true")) : [];
  const layers = buildah && build.includes("--layers") ? valuesOf("--cache-to") : repositories;
  const registry = exports.filter((text) => text.startsWith("type=registry,"));
  return {
    images: buildctl || kaniko ? images : images.filter((image) => pushes.has(image)),
    from: [
      ...valuesOf("--cache-from").filter(() => !buildah || build.includes("--layers")),
      ...valuesOf("--import-cache").map((text) => optionsOf(text)["ref"] ?? ""),
      ...repositories,
    ],
    to: [
      ...(isInline ? images.map((reference) => ({ reference, kind: "in the image" as const })) : []),
      ...registry.map((text) => ({ reference: optionsOf(text)["ref"] ?? "", kind: "one manifest" as const })),
      ...layers.map((reference) => ({ reference, kind: "a tag per instruction" as const })),
    ],
    cumulative: buildah,
    layered: !buildah || build.includes("--layers"),
  };
}

function optionsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}
