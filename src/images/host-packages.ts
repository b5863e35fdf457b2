import { Problem } from "../domain/problem.ts";
import { findProgram, hostCommand } from "./host-commands.ts";
import type { SetupDialogue } from "./types.ts";

/** A container engine of Tare's own. */
export const ENGINE_PACKAGES: Readonly<Record<string, string>> = { dockerd: "docker.io" };

/** Base images: Debian's own and busybox. */
export const BASE_PACKAGES: Readonly<Record<string, string>> = {
  debootstrap: "debootstrap",
  busybox: "busybox-static",
};

/** Packages of which the program is not on this machine, sorted. */
export async function missingPackages(wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(wanted)) {
    if ((await findProgram(program)) === null) missing.push(name);
  }
  return missing.toSorted();
}

/** True where Debian packages can be installed: as root, with apt-get. */
export async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await findProgram("apt-get")) !== null;
}

/** Installs what is missing once the person agrees. Problem setup-refused where it cannot or may not be installed. */
export async function ensurePackages(
  wanted: Readonly<Record<string, string>>,
  dialogue: SetupDialogue,
): Promise<void> {
  const missing = await missingPackages(wanted);
  if (missing.length === 0) return;
  if (!(await canInstall())) {
    throw new Problem(
      "setup-refused",
      `These Debian packages are missing: ${missing.join(", ")}.`,
      "Install them, or run as root on Debian; or give Tare a container engine that can pull public images.",
    );
  }
  if (!(await dialogue.ask(`Install these Debian packages: ${missing.join(", ")}?`))) {
    throw new Problem(
      "setup-refused",
      `Not installed: ${missing.join(", ")}.`,
      "Install them, or start Docker or Podman.",
    );
  }
  dialogue.say(`Installing ${missing.join(", ")}`);
  // Services must not start by themselves: Tare starts its own and stops them.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await hostCommand("apt-get", ["update", "-qq"], { env });
  await hostCommand("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
}

/** Path of a program that an image is made of. Problem setup-refused where it is not installed. */
export async function requiredProgram(program: string): Promise<string> {
  const path = await findProgram(program);
  if (path !== null) return path;
  throw new Problem("setup-refused", `${program} is not installed.`, "Run `tare setup`, which installs it.");
}
