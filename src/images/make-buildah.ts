import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withDebian } from "./debian-root.ts";
import { hostCommand } from "./host-commands.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import type { ToolMaker } from "./types.ts";

const IMAGE = "localhost/tare/buildah:trixie-1";
const PACKAGES = ["buildah", "crun", "ca-certificates"];

/** buildah, in place of quay.io/buildah/stable. */
export const buildahMaker: ToolMaker = {
  image: IMAGE,
  madeOf: "buildah and crun of Debian 13",
  packages: { debootstrap: "debootstrap" },
  oldestGo: null,
  make: (docker, cacheDirectory) =>
    withDebian("trixie", PACKAGES, cacheDirectory, async (root) => {
      // Debian's own looks nowhere for a name without a host; the official image looks at docker.io, as docker does.
      await writeFile(
        join(root, "etc/containers/registries.conf"),
        'unqualified-search-registries = ["docker.io"]\n',
      );
      const said = await hostCommand("chroot", [root, "buildah", "--version"]);
      const version = /version (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
      await importDirectory(docker, root, IMAGE, [
        "ENV BUILDAH_ISOLATION=chroot",
        `LABEL ${VERSION_LABEL}=${version}`,
      ]);
    }),
};
