import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { goPrograms, type GoModule } from "./go-program.ts";
import { hostCommand } from "./host-commands.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import { CERTIFICATES, CERTIFICATES_PACKAGE, withDirectory } from "./root-directory.ts";
import type { ToolMaker } from "./types.ts";

/** What the archived original of kaniko was released as last; a Go module, so that it can be built by name. */
const KANIKO: GoModule = {
  name: "kaniko",
  module: "github.com/GoogleContainerTools/kaniko",
  version: "v1.24.0",
  versionVariable: "github.com/GoogleContainerTools/kaniko/pkg/version.version",
  packages: ["./cmd/executor"],
  oldestGo: "1.24",
};

const IMAGE = `localhost/tare/kaniko:${KANIKO.version}-2`;

/** kaniko's executor and nothing else. */
export const kanikoMaker: ToolMaker = {
  image: IMAGE,
  madeOf: `${KANIKO.module} ${KANIKO.version}, built with Go`,
  packages: CERTIFICATES_PACKAGE,
  oldestGo: KANIKO.oldestGo,
  async make(docker, cacheDirectory) {
    const programs = await goPrograms(KANIKO, cacheDirectory);
    await withDirectory(async (root) => {
      for (const directory of ["kaniko", "workspace", "tmp"])
        await mkdir(join(root, directory), { recursive: true });
      await chmod(join(root, "tmp"), 0o1777);
      await copyFile(join(programs, "executor"), join(root, "kaniko/executor"));
      await copyFile(CERTIFICATES, join(root, "kaniko/ca-certificates.crt"));
      // Never outside a root directory of its own: a build empties `/`.
      const said = await hostCommand("chroot", [root, "/kaniko/executor", "version"]);
      const version = /(v\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
      await importDirectory(docker, root, IMAGE, [
        "ENV HOME=/root",
        "ENV USER=root",
        "ENV PATH=/usr/local/bin:/kaniko",
        "ENV SSL_CERT_FILE=/kaniko/ca-certificates.crt",
        "ENV DOCKER_CONFIG=/kaniko/.docker/",
        "WORKDIR /workspace",
        `LABEL ${VERSION_LABEL}=${version}`,
      ]);
    });
  },
};
