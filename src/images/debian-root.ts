import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../domain/problem.ts";
import { hostCommand } from "./host-commands.ts";
import { requiredProgram } from "./host-packages.ts";
import { CERTIFICATES, withDirectory } from "./root-directory.ts";

/** A kept Debian is older than its security updates after this long, and is made anew. */
const KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Unpacks a minimal Debian, installs packages into it, hands its directory to `use` and removes it. The minimal Debian
 * of each suite is kept in the cache directory: images of builders and base images start from the same.
 */
export async function withDebian<T>(
  suite: string,
  packages: readonly string[],
  cacheDirectory: string,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const archive = await keptDebian(suite, cacheDirectory);
  return withDirectory(async (root) => {
    await hostCommand("tar", ["-C", root, "--numeric-owner", "-xf", archive]);
    if (packages.length > 0) await installInside(root, packages);
    await removeLists(root);
    return use(root);
  });
}

/** Path of the tar of a suite's minimal Debian; made where there is none yet. */
async function keptDebian(suite: string, cacheDirectory: string): Promise<string> {
  const archive = join(cacheDirectory, "debian", `${suite}.tar`);
  const made = await stat(archive).catch(() => null);
  if (made !== null && Date.now() - made.mtimeMs < KEPT_MS) return archive;
  const debootstrap = await requiredProgram("debootstrap");
  await mkdir(join(archive, ".."), { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), "tare-debian-"));
  // Whole or not there: another process may look for it at any time.
  const unfinished = `${archive}.${process.pid}`;
  try {
    await hostCommand(debootstrap, ["--variant=minbase", suite, scratch, await debianMirror()]);
    await removeLists(scratch);
    await hostCommand("tar", ["-C", scratch, "--numeric-owner", "-cf", unfinished, "."]);
    await rename(unfinished, archive);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(unfinished, { force: true });
  }
  return archive;
}

/** By apt-get of that Debian: some packages fail to configure among the first that debootstrap unpacks. */
async function installInside(root: string, packages: readonly string[]): Promise<void> {
  const policy = join(root, "usr/sbin/policy-rc.d");
  await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await copyFile("/etc/resolv.conf", join(root, "etc/resolv.conf"));
  // A mirror behind HTTPS is read before that Debian has certificates of its own.
  await mkdir(join(root, CERTIFICATES, ".."), { recursive: true });
  await copyFile(CERTIFICATES, join(root, CERTIFICATES)).catch(() => {});
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const aptGet = (...argv: string[]) => hostCommand("chroot", [root, "apt-get", "-qq", ...argv], { env });
  await aptGet("update");
  // Nothing of it needs to outlive a power cut: the image is imported at once.
  const options = ["-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io"];
  await aptGet("install", ...options, ...packages);
  await rm(policy);
}

/** Official images hold no package lists either: a Dockerfile that relies on them must fail here too. */
async function removeLists(root: string): Promise<void> {
  const script = 'cd "$1" && rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/*.deb';
  await hostCommand("sh", ["-c", script, "sh", root]);
}

/** The Debian mirror that this machine's own package sources name. */
async function debianMirror(): Promise<string> {
  const targets = await hostCommand("apt-get", [
    "indextargets",
    "--format",
    "$(SITE) $(COMPONENT)",
    "Created-By: Packages",
  ]);
  const site = targets
    .split("\n")
    .map((line) => line.split(" "))
    .find(([address, component]) => component === "main" && /\/debian\/?$/.test(address ?? ""))?.[0];
  if (site !== undefined) return site;
  throw new Problem(
    "setup-refused",
    "This machine's package sources name no Debian mirror.",
    "Add one to /etc/apt, or give Tare a container engine that can pull public images.",
  );
}
