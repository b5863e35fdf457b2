import type { BuilderId } from "../domain/recipe.ts";
import { docker } from "./docker.ts";
import { kaniko } from "./kaniko.ts";
import type { Builder } from "./types.ts";

/** Every builder that Tare can run. */
export const builders = { docker, kaniko } satisfies Record<BuilderId, Builder>;
