import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "../../src/domain/job.ts";
import { BUILDERS } from "../../src/domain/recipe.ts";
import type { DiskSums } from "../contracts/builder-contract.ts";
import type { Mirror } from "../../src/domain/mirror.ts";
import { makeBase, pullBase, serveBase, standIn, type BaseImage } from "../../src/images/bases.ts";
import { openTestbed, type Testbed } from "../../src/images/testbed.ts";
import type Docker from "dockerode";
import type { TagName } from "../../src/domain/registry.ts";
import { exec } from "../../src/executors/exec.ts";
import { startRegistry, type TrialRegistry } from "../../src/registry/trial-registry.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

const BUSYBOX = "docker.io/library/busybox:1.36";

/** The testbed with a registry that serves the base image, as a trial has them. */
export type LiveTestbed = {
  testbed: Testbed;
  base: BaseImage & { servedDigest: string | null };
  baseHost: string | null;
  /** The base image's registry in docker.io's place, where there is one. */
  mirrors: Mirror[];
  /** With the root namespace of a fork its users have rights; without, everybody may do everything. */
  startRegistry(name: string, contributor?: string): Promise<TrialRegistry>;
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
  const start = (name: string, contributor?: string) =>
    startRegistry({
      name: `${name}-${randomBytes(3).toString("hex")}`,
      image: testbed.tools.registry.image,
      volume: null,
      ...(contributor === undefined ? {} : { contributor }),
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
    mirrors: registry === null ? [] : [standIn(registry.host)],
    startRegistry: start,
    run: (job) => testbed.executor.run(job, new AbortController().signal),
    async close() {
      await registry?.remove();
      await testbed.close();
    },
  };
}

/** Directory of the host where the registry at this host and port keeps its volume. */
export async function registryDirectory(testbed: Testbed, host: string): Promise<string> {
  const { directory } = await registryContainer(testbed, host);
  return join(directory, "docker/registry/v2");
}

/** Takes tags away on the registry's disk, and has its own garbage collection remove what nothing names any more. */
export async function collectWithout(
  testbed: Testbed,
  host: string,
  deleted: readonly TagName[],
): Promise<void> {
  const { container, directory } = await registryContainer(testbed, host);
  for (const { repository, tag } of deleted) {
    const tags = join(directory, "docker/registry/v2/repositories", repository, "_manifests/tags");
    rmSync(join(tags, tag), { recursive: true });
  }
  const argv = ["registry", "garbage-collect", "--delete-untagged", "/etc/tare/registry.yml"];
  const said: Buffer[] = [];
  const code = await exec(container, argv, "/", (_, chunk) => void said.push(chunk));
  if (code !== 0) throw new Error(`garbage-collect: ${code}: ${Buffer.concat(said).toString("utf8")}`);
}

type RegistryContainer = { container: Docker.Container; directory: string };

async function registryContainer(testbed: Testbed, host: string): Promise<RegistryContainer> {
  const containers = await testbed.engine.docker.listContainers({ filters: { label: ["dev.tare.owner"] } });
  for (const { Id } of containers) {
    const container = testbed.engine.docker.getContainer(Id);
    const mount = (await container.inspect()).Mounts.find(
      ({ Destination }) => Destination === "/var/lib/registry",
    );
    if (mount === undefined) continue;
    const config = await configOf(container);
    if (config.includes(`addr: "${host}"`)) return { container, directory: mount.Source };
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

/** Sums of a repository: `contentBytes` without manifests, as tables by hand count. */
export type RepositorySums = { bytes: number; contentBytes: number; tags: number };
export type LiveDiskSums = DiskSums & {
  /** Everything that manifests name which a tag ever named, once in each repository. */
  ghcrBytes: number;
  repositories: Record<string, RepositorySums>;
  /** The first layer of the image that was pushed: what it starts from. */
  baseBytes: number;
};

type RawManifest = {
  config?: { digest: string };
  layers?: { digest: string }[];
  manifests?: { digest: string; mediaType?: string }[];
};

/** Sums blob files, and for each repository the blobs that its tags' manifests name, straight from the files. */
export function sumDisk(root: string, imageRepository: string): LiveDiskSums {
  const blob = (digest: string) => {
    const hex = digest.replace("sha256:", "");
    return join(root, "blobs/sha256", hex.slice(0, 2), hex, "data");
  };
  const bytesOf = (digests: Iterable<string>) =>
    [...new Set(digests)].reduce((sum, digest) => sum + statSync(blob(digest)).size, 0);
  const repositories: Record<string, RepositorySums> = {};
  const layersOfAll = new Set<string>();
  let baseBytes = 0;
  const read = (digest: string) => JSON.parse(readFileSync(blob(digest), "utf8")) as RawManifest;
  const everBytes = [...linksBelow(root, /\/_manifests\/revisions\//)].map(([, links]) => {
    const { manifests, configs, layers } = reach(
      links.map((link) => readFileSync(link, "utf8")),
      read,
    );
    return bytesOf([...manifests, ...configs, ...layers]);
  });
  for (const [name, links] of linksBelow(root, /\/current\/link$/)) {
    const reached = reach(
      links.map((link) => readFileSync(link, "utf8")),
      read,
    );
    for (const digest of reached.layers) layersOfAll.add(digest);
    const content = [...reached.configs, ...reached.layers];
    repositories[name] = {
      bytes: bytesOf([...reached.manifests, ...content]),
      contentBytes: bytesOf(content),
      tags: links.length,
    };
    const [base] = reached.layers;
    if (name === imageRepository && base !== undefined) baseBytes = bytesOf([base]);
  }
  return {
    storedBytes: filesNamed(join(root, "blobs"), "data").reduce((sum, path) => sum + statSync(path).size, 0),
    namespaceBytes: bytesOf(layersOfAll),
    ghcrBytes: everBytes.reduce((sum, bytes) => sum + bytes, 0),
    perRepository: Object.fromEntries(Object.entries(repositories).map(([name, { bytes }]) => [name, bytes])),
    repositories,
    baseBytes,
  };
}

/** By repository, the files that name manifests: what each tag names now, or every manifest that it ever named. */
function linksBelow(root: string, pattern: RegExp): Map<string, string[]> {
  const links = filesNamed(join(root, "repositories"), "link").filter((path) => pattern.test(path));
  return Map.groupBy(
    links,
    (path) => path.slice(join(root, "repositories/").length).split("/_manifests/")[0] ?? "",
  );
}

/** Everything that manifests name, each digest once, in the order of the manifests. */
function reach(tagged: readonly string[], read: (digest: string) => RawManifest) {
  const reached = { manifests: new Set<string>(), configs: new Set<string>(), layers: new Set<string>() };
  const visit = (digest: string) => {
    if (reached.manifests.has(digest)) return;
    reached.manifests.add(digest);
    const raw = read(digest);
    if (raw.config !== undefined) reached.configs.add(raw.config.digest);
    for (const layer of raw.layers ?? []) reached.layers.add(layer.digest);
    for (const { digest: child, mediaType = "" } of raw.manifests ?? []) {
      if (/manifest|index/.test(mediaType)) visit(child);
      // BuildKit's older cache is an index of blobs.
      else if (mediaType.includes("cacheconfig")) reached.configs.add(child);
      else reached.layers.add(child);
    }
  };
  for (const digest of tagged) visit(digest);
  return reached;
}
