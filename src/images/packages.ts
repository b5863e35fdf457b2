import type Docker from "dockerode";
import type { BuilderId } from "../domain/recipe.ts";
import { goMissing } from "./go-program.ts";
import { findProgram } from "./host-commands.ts";
import { canInstall, ensurePackages, missingPackages } from "./host-packages.ts";
import { madeVersion } from "./import-image.ts";
import { buildahMaker } from "./make-buildah.ts";
import { buildkitMaker } from "./make-buildkit.ts";
import { dockerMaker } from "./make-docker.ts";
import { kanikoMaker } from "./make-kaniko.ts";
import { registryMaker } from "./make-registry.ts";
import type { SetupDialogue, ToolImage, ToolMaker } from "./types.ts";

/** How the images of builders and registry are made where no public registry is in reach. */
export const MAKERS: Readonly<Record<BuilderId | "registry", ToolMaker>> = {
  docker: dockerMaker,
  buildkit: buildkitMaker,
  kaniko: kanikoMaker,
  buildah: buildahMaker,
  registry: registryMaker,
};

/** Makes one image from packages where the engine does not have it yet; installs what it is made of after asking. */
export async function makeTool(
  docker: Docker,
  tool: BuilderId | "registry",
  options: { cacheDirectory: string; dialogue: SetupDialogue },
): Promise<ToolImage> {
  const maker = MAKERS[tool];
  let version = await madeVersion(docker, maker.image);
  if (version === null) {
    if (maker.oldestGo !== null && (await findProgram("go")) === null) throw goMissing(tool, maker.oldestGo);
    await ensurePackages(maker.packages, options.dialogue);
    options.dialogue.say(`Making ${maker.image}: ${maker.madeOf}`);
    await maker.make(docker, options.cacheDirectory);
    version = await madeVersion(docker, maker.image);
  }
  return { image: maker.image, version: version ?? "", digest: null, origin: "made from packages" };
}

/** Why an image cannot be made from packages on this machine; null where it can. Installs and makes nothing. */
export async function makeObstacle(
  tool: BuilderId | "registry",
): Promise<{ why: string; remedy: string } | null> {
  const maker = MAKERS[tool];
  if (maker.oldestGo !== null && (await findProgram("go")) === null) {
    const { message, remedy } = goMissing(tool, maker.oldestGo);
    return { why: message, remedy };
  }
  const missing = await missingPackages(maker.packages);
  if (missing.length === 0 || (await canInstall())) return null;
  return {
    why: `These Debian packages are missing: ${missing.join(", ")}.`,
    remedy: "Install them, or run as root on Debian.",
  };
}
