import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../domain/problem.ts";
import { codeOf } from "../lib/error-text.ts";
import { findProgram, hostCommand } from "./host-commands.ts";

/** A program that is in no Debian package, and that a Go module builds. */
export type GoModule = {
  name: string;
  module: string;
  version: string;
  /** Variable that the linker sets, so that the program prints its version. */
  versionVariable: string;
  /** Packages of its programs. Each program is called like its package's last part. */
  packages: readonly string[];
  oldestGo: string;
};

/**
 * Directory with the programs of a module, built where the cache directory does not have them yet.
 * They are built in the module's own directory, with the versions of its own go.sum. `go install PATH@VERSION` is not
 * used: it first asks for a module of every longer path, and a proxy that answers 403 there ends it.
 */
export async function goPrograms(module: GoModule, cacheDirectory: string): Promise<string> {
  const directory = join(cacheDirectory, "go", `${module.name}-${module.version}`);
  const there = await stat(directory).then(
    () => true,
    () => false,
  );
  if (there) return directory;
  const go = await findProgram("go");
  if (go === null) throw goMissing(module.name, module.oldestGo);
  const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
  const source = `${module.module}@${module.version}`;
  const said = await hostCommand(go, ["mod", "download", "-json", source], { env });
  const { Dir } = JSON.parse(said) as { Dir: string };
  await mkdir(join(directory, ".."), { recursive: true });
  const scratch = await mkdtemp(`${directory}.`);
  try {
    const flags = `-s -w -X ${module.versionVariable}=${module.version}`;
    const argv = ["build", "-trimpath", "-ldflags", flags, "-o", `${scratch}/`, ...module.packages];
    await hostCommand(go, argv, { env: { CGO_ENABLED: "0", GOFLAGS: "" }, cwd: Dir });
    // A second process that built the same was first: its programs are as good.
    await rename(scratch, directory).catch((error: unknown) => {
      if (codeOf(error) !== "ENOTEMPTY") throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return directory;
}

export function goMissing(name: string, oldest: string): Problem {
  return new Problem(
    "setup-refused",
    `${name} is in no Debian package, and there is no Go here to build it.`,
    `Install Go ${oldest} or later, or give Tare a container engine that can pull public images.`,
  );
}
