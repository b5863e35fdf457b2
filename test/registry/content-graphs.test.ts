import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRegistryClient } from "../../src/registry/client.ts";
import { chargeAll, useOf } from "../../src/registry/ledgers.ts";
import { takeSnapshot } from "../../src/registry/snapshot.ts";
import { startFakeRegistry, type FakeRegistry } from "../fakes/registry.ts";
import { pushed, pushManifest, TYPES, type Described } from "../fakes/registry-content.ts";

const IMAGE_KINDS = ["oci", "docker", "zstd", "artifact", "old artifact", "cache image", "schema 1"] as const;
const KINDS = [...IMAGE_KINDS, "cache index", "cache list", "index", "list", "mixed index"] as const;
const REPOSITORIES = ["g/app", "g/app/cache", "fork/app", "single"] as const;

/** One manifest to push: `layers` by number, `before` points back at earlier manifests of its repository. */
type Spec = {
  repository: (typeof REPOSITORIES)[number];
  kind: (typeof KINDS)[number];
  layers: number[];
  foreign: boolean;
  before: number[];
  about: number | null;
  tagged: boolean;
};

const SPEC: fc.Arbitrary<Spec> = fc.record({
  repository: fc.constantFrom(...REPOSITORIES),
  kind: fc.constantFrom(...KINDS),
  layers: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 5 }),
  foreign: fc.boolean(),
  before: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
  about: fc.option(fc.nat({ max: 20 })),
  tagged: fc.boolean(),
});

/** What was pushed, as the ledgers' rules see it: written down while pushing, not read back. */
type Node = {
  described: Described;
  layers: string[];
  config: string[];
  children: Node[];
  about: Node | null;
};
type World = Map<string, { nodes: Node[]; tagged: Node[] }>;

const LAYER_TYPES: Partial<Record<Spec["kind"], string>> = {
  docker: TYPES.dockerLayer,
  zstd: TYPES.zstdLayer,
  artifact: "application/vnd.example.part",
  "cache list": TYPES.dockerLayer,
};

/** Pushes one manifest; `nth` makes its bytes its own. */
function pushNode(registry: FakeRegistry, spec: Spec, earlier: readonly Node[], nth: number): Node {
  const { repository, kind } = spec;
  const put = (mediaType: string, content: string) => pushed(registry, repository, mediaType, content);
  const own = spec.layers.map((index) =>
    put(LAYER_TYPES[kind] ?? TYPES.layer, `layer ${index} ${"x".repeat(index * 31)}`),
  );
  const foreign = { mediaType: TYPES.foreignLayer, digest: `sha256:${"f".repeat(64)}`, size: 10_000_000 };
  // Schema 1 knows no foreign layers.
  const layers = spec.foreign && kind !== "schema 1" ? [...own, foreign] : own;
  const children = spec.before.flatMap((index) => earlier[index % Math.max(earlier.length, 1)] ?? []);
  const about = spec.about === null ? null : (earlier[spec.about % Math.max(earlier.length, 1)] ?? null);
  const config = put(configTypeOf(kind), `{"nth":${nth}}`);
  const fields = fieldsOf(kind, layers, config, children);
  const described = pushManifest(registry, repository, spec.tagged ? `t${nth}` : null, typeOf(kind), {
    ...fields,
    nth,
    ...(about === null ? {} : { subject: about.described }),
  });
  const hasLayers = kind !== "index" && kind !== "list";
  const isIndex = kind === "index" || kind === "list" || kind === "mixed index";
  const hasConfig = !isIndex && kind !== "schema 1" && kind !== "old artifact";
  return {
    described,
    layers: hasLayers ? own.map(({ digest }) => digest) : [],
    config: hasConfig ? [config.digest] : [],
    children: isIndex ? children : [],
    about,
  };
}

function configTypeOf(kind: Spec["kind"]): string {
  if (kind.startsWith("cache")) return TYPES.cacheConfig;
  return kind === "artifact" ? TYPES.empty : TYPES.config;
}

function typeOf(kind: Spec["kind"]): string {
  if (kind === "docker") return TYPES.dockerManifest;
  if (kind === "schema 1") return TYPES.schema1;
  if (kind === "old artifact") return "application/vnd.oci.artifact.manifest.v1+json";
  if (kind === "list" || kind === "cache list") return TYPES.dockerList;
  return kind.includes("index") ? TYPES.index : TYPES.manifest;
}

function fieldsOf(kind: Spec["kind"], layers: Described[], config: Described, children: Node[]) {
  const manifests = children.map(({ described }) => described);
  if (kind === "index" || kind === "list") return { manifests };
  if (kind === "mixed index") return { manifests: [...layers, ...manifests] };
  if (kind === "cache index" || kind === "cache list") return { manifests: [config, ...layers] };
  if (kind === "schema 1") return { fsLayers: layers.map(({ digest }) => ({ blobSum: digest })) };
  return kind === "old artifact" ? { blobs: layers } : { config, layers };
}

function pushWorld(registry: FakeRegistry, specs: readonly Spec[]): World {
  const world: World = new Map();
  specs.forEach((spec, nth) => {
    const repository = world.get(spec.repository) ?? { nodes: [], tagged: [] };
    world.set(spec.repository, repository);
    const node = pushNode(registry, spec, repository.nodes, nth);
    repository.nodes.push(node);
    if (spec.tagged) repository.tagged.push(node);
  });
  return world;
}

/** Everything that `more` leads to, node by node, until nothing is new. */
function closure(from: readonly Node[], more: (node: Node) => readonly Node[]): Set<Node> {
  const found = new Set<Node>();
  const visit = (node: Node) => {
    if (found.has(node)) return;
    found.add(node);
    more(node).forEach(visit);
  };
  from.forEach(visit);
  return found;
}

/** The three ledgers, by what was pushed and by the blobs' own sizes. */
function independentLedgers(world: World, stored: Record<string, number>, listsReferrers: boolean) {
  const size = (digests: Iterable<string>) =>
    [...new Set(digests)].reduce((sum, digest) => sum + (stored[digest] ?? Number.NaN), 0);
  const byRepository = new Map<string, number>();
  const namespaces = new Map<string, string[]>();
  for (const [name, { nodes, tagged }] of world) {
    if (tagged.length === 0) continue;
    const tree = closure(tagged, (node) => node.children);
    const all = closure(tagged, (node) => [
      ...node.children,
      ...(node.about === null ? [] : [node.about]),
      ...(listsReferrers ? nodes.filter((other) => other.about === node) : []),
    ]);
    const parts = [...all].flatMap((node) => [node.described.digest, ...node.layers, ...node.config]);
    byRepository.set(name, size(parts));
    const root = name.replace(/\/.*/, "");
    namespaces.set(root, [...(namespaces.get(root) ?? []), ...[...tree].flatMap((node) => node.layers)]);
  }
  const add = (sizes: Iterable<number>) => [...sizes].reduce((a, b) => a + b, 0);
  return {
    byRepository: Object.fromEntries(byRepository),
    perRepository: add(byRepository.values()),
    namespace: add([...namespaces.values()].map(size)),
    stored: add(Object.values(stored)),
  };
}

describe("ledgers of any content", () => {
  it.each([
    ["with a list of referrers", true],
    ["without a list of referrers", false],
  ])("agree with an independent sum, %s", async (_, referrers) => {
    await fc.assert(
      fc.asyncProperty(fc.array(SPEC, { maxLength: 14 }), async (specs) => {
        const registry = await startFakeRegistry({ pageSize: 3, referrers });
        try {
          const world = pushWorld(registry, specs);
          const client = createRegistryClient(registry.origin);
          const names = await client.repositories();
          const stored = registry.stored();
          const seen = await takeSnapshot(client, names, stored);
          const unseen = await takeSnapshot(client, names, null);
          const { byRepository, ...ledgers } = independentLedgers(world, stored, referrers);
          expect(seen.faults).toStrictEqual([]);
          expect(chargeAll(seen)).toStrictEqual(ledgers);
          expect({ ...unseen, stored }).toStrictEqual(seen);
          const uses = useOf(seen, [], []).map(({ name, bytes }) => [name, bytes]);
          expect(Object.fromEntries(uses)).toStrictEqual(byRepository);
        } finally {
          await registry.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
