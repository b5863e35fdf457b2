import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hostCommand } from "./host-commands.ts";
import { requiredProgram } from "./host-packages.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import { addBusybox, addProgram, withDirectory } from "./root-directory.ts";
import type { ToolMaker } from "./types.ts";

const IMAGE = "localhost/tare/registry:1";

/** CNCF Distribution as Debian packs it, in place of the image `registry`. */
export const registryMaker: ToolMaker = {
  image: IMAGE,
  madeOf: "Debian's docker-registry",
  packages: { "docker-registry": "docker-registry", busybox: "busybox-static" },
  oldestGo: null,
  async make(docker) {
    const program = await requiredProgram("docker-registry");
    const version = /(\d+\.\d+\.\d+)/.exec(await hostCommand(program, ["--version"]))?.[1] ?? "unknown";
    await withDirectory(async (root) => {
      await addBusybox(root);
      await addProgram(root, program, "registry");
      await mkdir(join(root, "tmp"), { recursive: true });
      await importDirectory(docker, root, IMAGE, [`LABEL ${VERSION_LABEL}=${version}`]);
    });
  },
};
