import type Docker from "dockerode";
import { Outage, Problem } from "../domain/problem.ts";
import type { BuilderId } from "../domain/recipe.ts";
import { BASE_PACKAGES, ensurePackages } from "./host-packages.ts";
import { namedTool, type NamedImages } from "./named.ts";
import { pullOfficial, type Official } from "./official.ts";
import { makeTool, MAKERS } from "./packages.ts";
import type { MissingBuilder, SetupDialogue, ToolImage, ToolMaker, Tools } from "./types.ts";

export type ToolsRequest = {
  /** Builders that must be had. */
  builders: readonly BuilderId[];
  /** Builders that are left out, with the reason, where they cannot be had. */
  others: readonly BuilderId[];
  archivedKaniko: boolean;
  /** Images that the operator names in place of all others. */
  named: NamedImages;
  /** Where the other images may come from; `either`: official ones where the engine can pull them. */
  source: "official" | "packages" | "either";
  cacheDirectory: string;
  dialogue: SetupDialogue;
};

/** Asks a program in an image for its version. */
type Executor = Parameters<typeof namedTool>[1];

/** Pulls or makes the registry and the builders that are asked for, and no others. */
export async function gatherTools(
  docker: Docker,
  executor: Executor,
  request: ToolsRequest,
): Promise<{ tools: Tools; missing: MissingBuilder[] }> {
  const wanted = [...new Set([...request.builders, ...request.others])];
  const official = await fromRegistry(docker, wanted, request);
  const registry = await registryOf(docker, executor, official, request);
  const tools: Tools = { registry, builders: {}, ownBases: official === null };
  const missing: MissingBuilder[] = [];
  for (const builder of wanted) {
    try {
      tools.builders[builder] = await builderOf(docker, executor, builder, official, request);
    } catch (error) {
      if (request.builders.includes(builder)) throw error;
      if (!(error instanceof Problem || error instanceof Outage)) throw error;
      missing.push({ builder, why: error.message, remedy: error.remedy });
    }
  }
  return { tools, missing };
}

/** The official images that nothing is named for; null where the engine can pull none, or is not to. */
async function fromRegistry(
  docker: Docker,
  wanted: readonly BuilderId[],
  request: ToolsRequest,
): Promise<Official | null> {
  const { named, source } = request;
  if (source === "packages") return null;
  const unnamed = wanted.filter((builder) => named[builder] === undefined);
  // Whether the engine can pull public images is told by the registry's, even beside one of the operator's own.
  const registry = source === "either" || named.registry === undefined;
  const official = await pullOfficial(docker, unnamed, { archivedKaniko: request.archivedKaniko, registry });
  if ("registry" in official) return official;
  if (source === "official") {
    throw new Problem("image-unavailable", "The official images cannot be pulled.", "Unset TARE_IMAGES.", [
      official.why,
    ]);
  }
  request.dialogue.say("The engine cannot pull public images: they are made from packages.");
  return null;
}

async function registryOf(
  docker: Docker,
  executor: Executor,
  official: Official | null,
  request: ToolsRequest,
): Promise<ToolImage> {
  const { named } = request;
  // One question for all.
  if (official === null) await ensurePackages(packagesFor(request.builders, named), request.dialogue);
  if (named.registry !== undefined) return namedTool(docker, executor, "registry", named.registry);
  return official?.registry ?? makeTool(docker, "registry", request);
}

/** What is installed for the registry and for all builders that must be had and that are not named. */
export function packagesFor(builders: readonly BuilderId[], named: NamedImages): ToolMaker["packages"] {
  const made = [...builders, "registry" as const].filter((tool) => named[tool] === undefined);
  return Object.assign({}, BASE_PACKAGES, ...made.map((tool) => MAKERS[tool].packages));
}

async function builderOf(
  docker: Docker,
  executor: Executor,
  builder: BuilderId,
  official: Official | null,
  request: ToolsRequest,
): Promise<ToolImage> {
  const name = request.named[builder];
  if (name !== undefined) return namedTool(docker, executor, builder, name);
  const pulled = official?.builders[builder];
  if (pulled !== undefined) return pulled;
  const why = official?.refused[builder];
  if (why !== undefined) explainRefusal(builder, why, request);
  return makeTool(docker, builder, request);
}

/** Says why a builder is made from packages beside official images; Problem image-unavailable where only those may be used. */
function explainRefusal(builder: BuilderId, why: string, request: ToolsRequest): void {
  if (request.source === "official") {
    throw new Problem(
      "image-unavailable",
      `The official image of ${builder} cannot be used: ${why}.`,
      "Unset TARE_IMAGES: it is then made from packages.",
    );
  }
  request.dialogue.say(`${builder} is made from packages: ${why}.`);
}
