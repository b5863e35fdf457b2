import { engineAddress } from "../executors/engine-connection.ts";
import { packageRecipe } from "../images/bases.ts";
import type { BaseObstacle } from "../prepare-trial.ts";

/** Without a public registry only base images that packages make can be had. */
export const packagesObstacle: BaseObstacle = (base) =>
  packageRecipe(base) === null
    ? `no package makes its base image ${base}, and no public registry is in reach`
    : null;

/** What is known before an engine is opened: without one, or where asked to, base images are made from packages. */
export function knownObstacle(environment: NodeJS.ProcessEnv): BaseObstacle {
  const packages = engineAddress(environment) === null || environment["TARE_IMAGES"] === "packages";
  return packages ? packagesObstacle : () => null;
}
