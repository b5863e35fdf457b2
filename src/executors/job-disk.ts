import { cp, mkdir, open, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type Docker from "dockerode";
import { Outage, Problem } from "../domain/problem.ts";
import { formatBytes } from "../domain/quantities.ts";
import { freeBytes } from "../lib/disk.ts";
import { isRunning } from "../lib/process-identity.ts";
import { run } from "../lib/spawn.ts";

/**
 * A file system of a fixed size in a file, on which everything lies that a job writes: its root's layer, its volumes
 * and the few files that an engine puts into every container. What is full is full for this job alone.
 */
export type JobDisk = {
  /** What is mounted where in the job's container. */
  mounts: Docker.MountSettings[];
  /** Puts the layer that a container writes to onto the disk; before anything is written there. */
  takeLayer(container: Docker.Container): Promise<void>;
  remove(): Promise<void>;
};

export type DiskOptions = {
  /** Job's name, and the identity of the process that it belongs to. */
  name: string;
  owner: string;
  bytes: number;
  /** Paths inside that get empty storage. */
  volumes: readonly string[];
  /** Files that the engine would put in from its own disk, writable and without a limit. */
  etc: Readonly<Record<string, string>>;
  /** Where the engine keeps images and containers. */
  engineDirectory: string;
};

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LIMIT_MS = 30_000;

const disksOf = (engineDirectory: string) => join(engineDirectory, "tare-disks");

export async function createJobDisk(options: DiskOptions): Promise<JobDisk> {
  const { name, owner, bytes, engineDirectory } = options;
  await refuseLargerThanFree(bytes, engineDirectory);
  const directory = join(disksOf(engineDirectory), `${encodeURIComponent(owner)},${name}`);
  const root = join(directory, "root");
  await mkdir(root, { recursive: true });
  try {
    await mountNew(join(directory, "image"), root, bytes);
    const mounts = [...(await makeVolumes(root, options.volumes)), ...(await makeFiles(root, options.etc))];
    return {
      mounts,
      takeLayer: (container) => takeLayer(container, join(root, "layer"), engineDirectory),
      remove: () => removeDisk(directory),
    };
  } catch (error) {
    await removeDisk(directory);
    throw error;
  }
}

async function refuseLargerThanFree(bytes: number, directory: string): Promise<void> {
  const free = await freeBytes(directory);
  if (free > bytes) return;
  throw new Problem(
    "disk-full",
    `A job is to get a disk of ${formatBytes(bytes)}; ${formatBytes(free)} are free at ${directory}.`,
    "Make room there, or lower limits.disk in tare.yml.",
  );
}

/** The file has no name any more once it is mounted: whatever ends Tare, its blocks go with the mount. */
async function mountNew(image: string, root: string, bytes: number): Promise<void> {
  const file = await open(image, "wx", 0o600);
  await file.truncate(bytes);
  await file.close();
  // A disk that lives for one job needs no journal and no reserve; its inodes are written when they are used.
  await hostProgram("mkfs.ext4", ["-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "nodiscard", image]);
  await hostProgram("mount", ["-o", "loop,nodev,noatime", image, root]);
  await rm(image);
}

async function makeVolumes(root: string, paths: readonly string[]): Promise<Docker.MountSettings[]> {
  return Promise.all(
    [...new Set(paths)].map(async (path, index) => {
      const source = join(root, `volume-${index}`);
      await mkdir(source);
      return { Type: "bind", Source: source, Target: path } as const;
    }),
  );
}

async function makeFiles(
  root: string,
  files: Readonly<Record<string, string>>,
): Promise<Docker.MountSettings[]> {
  return Promise.all(
    Object.entries(files).map(async ([path, text], index) => {
      const source = join(root, `file-${index}`);
      await writeFile(source, text, { mode: 0o644 });
      return { Type: "bind", Source: source, Target: path } as const;
    }),
  );
}

/**
 * overlay2 keeps what a container writes in the directories `diff` and `work` beside each other; both must lie on one
 * mount. The directory around them is moved onto the disk and mounted in its place before the engine uses it. The
 * engine itself takes the mount away when it removes the container.
 */
async function takeLayer(
  container: Docker.Container,
  target: string,
  engineDirectory: string,
): Promise<void> {
  const { GraphDriver } = await container.inspect();
  const upper = (GraphDriver?.Data as { UpperDir?: string } | undefined)?.UpperDir ?? "";
  const layer = dirname(upper);
  if (GraphDriver?.Name !== "overlay2" || dirname(layer) !== join(engineDirectory, "overlay2"))
    throw new Outage(
      `The engine keeps containers in a way that no disk limit is known for: ${GraphDriver?.Name ?? "unknown"}.`,
      "Use Docker with the storage driver overlay2.",
    );
  await cp(layer, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await hostProgram("mount", ["--bind", target, layer]);
}

async function removeDisk(directory: string): Promise<void> {
  const root = join(directory, "root");
  for (const path of (await mountPoints()).filter((point) => point === root))
    // What a process of the engine still looks at for a moment goes when it has looked.
    await run("umount", ["--lazy", path], { env: { PATH } });
  await rm(join(directory, "image"), { force: true });
  // Not recursively: what is still mounted there must not be emptied.
  await rmdir(root).catch(() => {});
  await rmdir(directory).catch(() => {});
  await rmdir(dirname(directory)).catch(() => {});
}

/** Removes disks of processes that are gone, once their containers are. */
export async function sweepDisks(engineDirectory: string): Promise<void> {
  const names = await readdir(disksOf(engineDirectory)).catch(() => []);
  for (const name of names) {
    const owner = decodeURIComponent(name.split(",")[0] ?? "");
    if (!isRunning(owner)) await removeDisk(join(disksOf(engineDirectory), name));
  }
}

/** Where something is mounted, latest first. Spaces and their like are octal there. */
async function mountPoints(): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).trimEnd().split("\n");
  return lines
    .map((line) => line.split(" ")[4] ?? "")
    .map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .toReversed();
}

async function hostProgram(program: string, argv: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const result = await run(program, argv, { env: { PATH }, signal });
  if (result.exitCode === 0) return;
  throw new Outage(
    `${program} failed: ${result.stderr.trim()}`,
    "Run `tare doctor`: it tells what this machine can enforce.",
  );
}
