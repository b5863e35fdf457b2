import type { Mirror } from "../domain/mirror.ts";
import { engineAddress } from "../executors/engine-connection.ts";
import { mirrorOf, packageRecipe } from "../images/bases.ts";
import type { BaseObstacle } from "../prepare-trial.ts";

/** Without a public registry only base images that packages make can be had, and those of registries with a mirror. */
export function packagesObstacle(mirrors: readonly Mirror[]): BaseObstacle {
  return (base) =>
    packageRecipe(base) === null && mirrorOf(base, mirrors) === null
      ? `no package makes its base image ${base}, and no public registry is in reach`
      : null;
}

/** True where it is known before an engine is opened: without one, or where asked to, base images are made from packages. */
export function makesBases(environment: NodeJS.ProcessEnv): boolean {
  return engineAddress(environment) === null || environment["TARE_IMAGES"] === "packages";
}

/** What is known before an engine is opened. */
export function knownObstacle(environment: NodeJS.ProcessEnv, mirrors: readonly Mirror[]): BaseObstacle {
  return makesBases(environment) ? packagesObstacle(mirrors) : () => null;
}
