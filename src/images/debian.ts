import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../domain/problem.ts";
import { findProgram, hostCommand } from "./host-commands.ts";

/** Debian packages that set-up needs, by the program that shows they are there. */
const PACKAGES: Readonly<Record<string, string>> = {
  debootstrap: "debootstrap",
  "docker-registry": "docker-registry",
  busybox: "busybox-static",
};

/** Packages missing for making images; `withEngine` adds a container engine. */
export async function missingPackages(withEngine: boolean): Promise<string[]> {
  const wanted = { ...PACKAGES, ...(withEngine ? { dockerd: "docker.io" } : {}) };
  const missing: string[] = [];
  for (const [program, name] of Object.entries(wanted)) {
    if ((await findProgram(program)) === null) missing.push(name);
  }
  return missing;
}

/** Installs Debian packages. Needs root and apt-get; Problem setup-refused where they are missing. */
export async function installPackages(names: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0 || (await findProgram("apt-get")) === null) {
    throw new Problem(
      "setup-refused",
      `These Debian packages are missing: ${names.join(", ")}.`,
      "Install them, or run as root on Debian; or give Tare a container engine that can pull public images.",
    );
  }
  // Services must not start by themselves: Tare starts its own and stops them.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await hostCommand("apt-get", ["update", "-qq"], { env });
  await hostCommand("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names], { env });
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

/** Makes a minimal Debian in a new directory, hands it to `use`, and removes it. */
export async function withDebian<T>(
  suite: string,
  include: readonly string[],
  use: (root: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "tare-debian-"));
  try {
    const mirror = await debianMirror();
    const extra = include.length === 0 ? [] : [`--include=${include.join(",")}`];
    await hostCommand("debootstrap", ["--variant=minbase", ...extra, suite, directory, mirror]);
    await hostCommand("sh", [
      "-c",
      'rm -rf "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb',
      "sh",
      directory,
    ]);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
