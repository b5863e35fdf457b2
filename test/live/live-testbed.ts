import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "../../src/domain/job.ts";
import { builders } from "../../src/builders/index.ts";
import { caches } from "../../src/caches/index.ts";
import type { CachePlace } from "../../src/caches/types.ts";
import { BUILDERS, type BuilderId, type CacheId, type Recipe } from "../../src/domain/recipe.ts";
import { makeBase, pullBase, serveBase, type BaseImage } from "../../src/images/bases.ts";
import { openTestbed, type Testbed } from "../../src/images/testbed.ts";
import { startRegistry, type TrialRegistry } from "../../src/registry/trial-registry.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

const BUSYBOX = "docker.io/library/busybox:1.36";

/** The testbed with a registry that serves the base image, as a trial has them. */
export type LiveTestbed = {
  testbed: Testbed;
  base: BaseImage & { servedDigest: string | null };
  baseHost: string | null;
  startRegistry(name: string): Promise<TrialRegistry>;
  run(job: Job): ReturnType<Testbed["executor"]["run"]>;
  close(): Promise<void>;
};

export async function openLiveTestbed(): Promise<LiveTestbed> {
  const dialogue = { say: () => {}, ask: async () => true };
  const testbed = await openTestbed({
    cacheDirectory: cacheDirectory(process.env),
    environment: process.env,
    dialogue,
    builders: BUILDERS,
    archivedKaniko: true,
  });
  const start = (name: string) =>
    startRegistry({
      name: `${name}-${randomBytes(3).toString("hex")}`,
      image: testbed.tools.registry.image,
      volume: null,
      startService: (spec) => testbed.executor.service(spec),
    });
  const { docker } = testbed.engine;
  const registry = testbed.tools.ownBases ? await start("live-bases") : null;
  const base =
    registry === null
      ? await pullBase(docker, BUSYBOX)
      : await makeBase(docker, BUSYBOX, dialogue, testbed.cacheDirectory);
  const servedDigest = registry === null ? base.digest : await serveBase(docker, base, registry.host);
  return {
    testbed,
    base: { ...base, servedDigest },
    baseHost: registry?.host ?? null,
    startRegistry: start,
    run: (job) => testbed.executor.run(job, new AbortController().signal),
    async close() {
      await registry?.remove();
      await testbed.close();
    },
  };
}

/** A recipe of the example's kind; the builder's own flags and cache are given. */
export function liveRecipe(part: Partial<Recipe> & Pick<Recipe, "builder" | "strategy">): Recipe {
  return {
    job: "live",
    file: "ci.yml",
    line: 1,
    runsIn: null,
    services: [],
    program: "docker build",
    dockerfile: "Dockerfile",
    context: ".",
    target: null,
    images: ["$CI_REGISTRY_IMAGE/image:latest"],
    cacheFrom: [],
    cacheTo: [],
    buildArgs: {},
    flags: [],
    environment: {},
    logins: [],
    condition: "both",
    cacheToOptions: [],
    pulls: [],
    unresolved: [],
    ...part,
  };
}

/** docker/inline and kaniko/layers as templates of QEMU's shape state them; the others as Tare would write them. */
export const STRATEGIES = {
  "docker/none": adapted("docker", "none"),
  "docker/inline": liveRecipe({
    builder: "docker",
    strategy: "docker/inline",
    cacheFrom: ["$CI_REGISTRY_IMAGE/image:latest"],
    cacheTo: ["$CI_REGISTRY_IMAGE/image:latest"],
    buildArgs: { BUILDKIT_INLINE_CACHE: "1" },
    flags: ["--provenance=false"],
  }),
  "docker/registry-max": adapted("docker", "registry-max"),
  "buildkit/registry-min": adapted("buildkit", "registry-min"),
  "buildkit/registry-max": adapted("buildkit", "registry-max"),
  "buildkit/inline": adapted("buildkit", "inline"),
  "kaniko/none": adapted("kaniko", "none"),
  "kaniko/layers": liveRecipe({
    builder: "kaniko",
    strategy: "kaniko/layers",
    program: "/kaniko/executor",
    cacheFrom: ["$CI_REGISTRY_IMAGE/image-cache"],
    cacheTo: ["$CI_REGISTRY_IMAGE/image-cache"],
    flags: ["--cache=true"],
  }),
  "buildah/none": adapted("buildah", "none"),
  "buildah/layers": adapted("buildah", "layers"),
} as const;

/** The image with another strategy, as Tare would write it. */
export function adapted(builder: BuilderId, cache: CacheId, variant: string | null = null): Recipe {
  const recipe = liveRecipe({ builder: "docker", strategy: "docker/none" });
  const place: CachePlace = { repository: "beside the image", moreSources: [] };
  const found = builders[builder].adapt(recipe, caches[cache], place, variant);
  if (typeof found === "string") throw new Error(found);
  return found;
}

/** What a registry's files say, read on the host without any code of the registry room. */
export type DiskSums = { storedBytes: number; perRepository: Record<string, number> };

/** Directory of the host where the newest registry container of this name keeps its volume. */
export async function registryDirectory(testbed: Testbed, host: string): Promise<string> {
  const containers = await testbed.engine.docker.listContainers({ filters: { label: ["dev.tare.owner"] } });
  for (const { Id } of containers) {
    const container = testbed.engine.docker.getContainer(Id);
    const mount = (await container.inspect()).Mounts.find(
      ({ Destination }) => Destination === "/var/lib/registry",
    );
    if (mount === undefined) continue;
    const config = await configOf(container);
    if (config.includes(`addr: "${host}"`)) return join(mount.Source, "docker/registry/v2");
  }
  throw new Error(`no registry container listens on ${host}`);
}

async function configOf(container: {
  getArchive(options: { path: string }): Promise<NodeJS.ReadableStream>;
}) {
  const chunks: Buffer[] = [];
  for await (const chunk of await container.getArchive({ path: "/etc/tare/registry.yml" }))
    chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function filesNamed(directory: string, name: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === name)
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Sums blob files, and for each repository the blobs that its tags' manifests name, straight from the files. */
export function sumDisk(root: string): DiskSums {
  const blob = (digest: string) => {
    const hex = digest.replace("sha256:", "");
    return join(root, "blobs/sha256", hex.slice(0, 2), hex, "data");
  };
  const storedBytes = filesNamed(join(root, "blobs"), "data").reduce(
    (sum, path) => sum + statSync(path).size,
    0,
  );
  const byRepository = new Map<string, Set<string>>();
  for (const link of filesNamed(join(root, "repositories"), "link").filter((path) =>
    path.endsWith("/current/link"),
  )) {
    const name = link.slice(join(root, "repositories/").length).split("/_manifests/")[0] ?? "";
    const seen = byRepository.get(name) ?? new Set<string>();
    byRepository.set(name, seen);
    const visit = (digest: string) => {
      if (seen.has(digest)) return;
      seen.add(digest);
      const raw = JSON.parse(readFileSync(blob(digest), "utf8")) as {
        config?: { digest: string };
        layers?: { digest: string }[];
        manifests?: { digest: string; mediaType?: string }[];
      };
      for (const part of [raw.config, ...(raw.layers ?? [])]) if (part !== undefined) seen.add(part.digest);
      // BuildKit's older cache is an index of blobs.
      for (const { digest: child, mediaType = "" } of raw.manifests ?? [])
        if (/manifest|index/.test(mediaType)) visit(child);
        else seen.add(child);
    };
    visit(readFileSync(link, "utf8"));
  }
  const bytes = (digests: Set<string>) =>
    [...digests].reduce((sum, digest) => sum + statSync(blob(digest)).size, 0);
  const perRepository = Object.fromEntries(
    [...byRepository].map(([name, digests]) => [name, bytes(digests)]),
  );
  return { storedBytes, perRepository };
}
