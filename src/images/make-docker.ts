import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withDebian } from "./debian-root.ts";
import { hostCommand } from "./host-commands.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import type { ToolMaker } from "./types.ts";

const IMAGE = "localhost/tare/docker:trixie-2";
const PACKAGES = ["docker.io", "docker-cli", "docker-buildx", "iptables", "ca-certificates"];

/** Docker's engine and client, in place of docker:dind. */
export const dockerMaker: ToolMaker = {
  image: IMAGE,
  madeOf: "dockerd and docker of Debian 13",
  packages: { debootstrap: "debootstrap" },
  oldestGo: null,
  make: (docker, cacheDirectory) =>
    withDebian("trixie", PACKAGES, cacheDirectory, async (root) => {
      await mkdir(join(root, "etc/docker"), { recursive: true });
      // A fresh install of Engine 29 keeps images in containerd: the older one is told to do the same.
      const settings = { features: { "containerd-snapshotter": true } };
      await writeFile(join(root, "etc/docker/daemon.json"), JSON.stringify(settings));
      const said = await hostCommand("chroot", [root, "dockerd", "--version"]);
      const version = /version (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
      await importDirectory(docker, root, IMAGE, [`LABEL ${VERSION_LABEL}=${version}`]);
    }),
};
