import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withDebian } from "./debian-root.ts";
import { hostCommand } from "./host-commands.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import type { ToolMaker } from "./types.ts";

const IMAGE = "localhost/tare/buildah:trixie-4";

/** netavark because buildah looks for it even where a build uses the network of the job. */
const PACKAGES = ["buildah", "crun", "netavark", "ca-certificates"];

/**
 * buildah gives each RUN step 1048576 open files and processes, and fails where the container itself may have fewer
 * and may not raise them. Called in its place, this asks for no more than there is.
 */
const WITHIN_LIMITS = `#!/bin/sh
least() {
  hard=$(sed -n "s/^$1 *[^ ]* *\\([0-9]*\\).*/\\1/p" /proc/self/limits)
  if [ "\${hard:-1048576}" -lt 1048576 ]; then echo "$hard:$hard"; else echo 1048576:1048576; fi
}
cat > /etc/containers/containers.conf.d/limits.conf <<END
[containers]
default_ulimits = ["nofile=$(least 'Max open files')", "nproc=$(least 'Max processes')"]
END
exec /usr/bin/buildah "$@"
`;

/** buildah, in place of quay.io/buildah/stable. */
export const buildahMaker: ToolMaker = {
  image: IMAGE,
  madeOf: "buildah and crun of Debian 13",
  packages: { debootstrap: "debootstrap" },
  oldestGo: null,
  make: (docker, cacheDirectory) =>
    withDebian("trixie", PACKAGES, cacheDirectory, async (root) => {
      // 96 MB of programs for buildah's own tests.
      await rm(join(root, "usr/libexec/buildah"), { recursive: true });
      const settings = join(root, "etc/containers");
      await mkdir(join(settings, "containers.conf.d"), { recursive: true });
      // Debian's own looks nowhere for a name without a host; the official image looks at docker.io, as docker does.
      await writeFile(join(settings, "registries.conf"), 'unqualified-search-registries = ["docker.io"]\n');
      await writeFile(join(root, "usr/local/bin/buildah"), WITHIN_LIMITS, { mode: 0o755 });
      const said = await hostCommand("chroot", [root, "/usr/bin/buildah", "--version"]);
      const version = /version (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
      await importDirectory(docker, root, IMAGE, [
        "ENV BUILDAH_ISOLATION=chroot",
        `LABEL ${VERSION_LABEL}=${version}`,
      ]);
    }),
};
