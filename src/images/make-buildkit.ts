import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { goPrograms, type GoModule } from "./go-program.ts";
import { hostCommand } from "./host-commands.ts";
import { requiredProgram } from "./host-packages.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import {
  addAccounts,
  addBusybox,
  addProgram,
  CERTIFICATES,
  CERTIFICATES_PACKAGE,
  withDirectory,
} from "./root-directory.ts";
import type { ToolMaker } from "./types.ts";

const BUILDKIT: GoModule = {
  name: "buildkit",
  module: "github.com/moby/buildkit",
  version: "v0.32.2",
  versionVariable: "github.com/moby/buildkit/version.Version",
  packages: ["./cmd/buildkitd", "./cmd/buildctl"],
  oldestGo: "1.26.3",
};

const IMAGE = `localhost/tare/buildkit:${BUILDKIT.version}-1`;

/** BuildKit's daemon and client with runc and a shell, in place of moby/buildkit. */
export const buildkitMaker: ToolMaker = {
  image: IMAGE,
  madeOf: `${BUILDKIT.module} ${BUILDKIT.version}, built with Go, and Debian's runc`,
  packages: { busybox: "busybox-static", runc: "runc", ...CERTIFICATES_PACKAGE },
  oldestGo: BUILDKIT.oldestGo,
  async make(docker, cacheDirectory) {
    const programs = await goPrograms(BUILDKIT, cacheDirectory);
    await withDirectory(async (root) => {
      await addBusybox(root);
      await addProgram(root, await requiredProgram("runc"), "runc");
      for (const name of ["buildkitd", "buildctl"])
        await copyFile(join(programs, name), join(root, "bin", name));
      await addAccounts(root);
      await mkdir(join(root, CERTIFICATES, ".."), { recursive: true });
      await copyFile(CERTIFICATES, join(root, CERTIFICATES));
      const said = await hostCommand("chroot", [root, "/bin/buildkitd", "--version"]);
      const version = /(v\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
      await importDirectory(docker, root, IMAGE, [`LABEL ${VERSION_LABEL}=${version}`]);
    });
  },
};
