import type Docker from "dockerode";
import { Outage, Problem } from "../domain/problem.ts";
import type { BuilderId } from "../domain/recipe.ts";
import { BASE_PACKAGES, ensurePackages } from "./host-packages.ts";
import { pullOfficial, type Official } from "./official.ts";
import { makeTool, MAKERS } from "./packages.ts";
import type { MissingBuilder, SetupDialogue, Tools } from "./types.ts";

export type ToolsRequest = {
  /** Builders that must be had. */
  builders: readonly BuilderId[];
  /** Builders that are left out, with the reason, where they cannot be had. */
  others: readonly BuilderId[];
  archivedKaniko: boolean;
  /** Where images may come from; `either`: official ones where the engine can pull them. */
  source: "official" | "packages" | "either";
  cacheDirectory: string;
  dialogue: SetupDialogue;
};

/** Pulls or makes the registry and the builders that are asked for, and no others. */
export async function gatherTools(
  docker: Docker,
  request: ToolsRequest,
): Promise<{ tools: Tools; missing: MissingBuilder[] }> {
  const wanted = [...new Set([...request.builders, ...request.others])];
  const official = await fromRegistry(docker, wanted, request);
  const tools = official === null ? await fromPackages(docker, request) : { ...official, ownBases: false };
  const missing: MissingBuilder[] = [];
  for (const builder of wanted.filter((name) => tools.builders[name] === undefined)) {
    try {
      const why = official?.refused[builder];
      if (why !== undefined) explainRefusal(builder, why, request);
      tools.builders[builder] = await makeTool(docker, builder, request);
    } catch (error) {
      if (request.builders.includes(builder)) throw error;
      if (!(error instanceof Problem || error instanceof Outage)) throw error;
      missing.push({ builder, why: error.message, remedy: error.remedy });
    }
  }
  const { registry, builders, ownBases } = tools;
  return { tools: { registry, builders, ownBases }, missing };
}

async function fromRegistry(
  docker: Docker,
  wanted: readonly BuilderId[],
  request: ToolsRequest,
): Promise<Official | null> {
  if (request.source === "packages") return null;
  const official = await pullOfficial(docker, wanted, request.archivedKaniko);
  if ("registry" in official) return official;
  if (request.source === "official") {
    throw new Problem("image-unavailable", "The official images cannot be pulled.", "Unset TARE_IMAGES.", [
      official.why,
    ]);
  }
  request.dialogue.say("The engine cannot pull public images: they are made from packages.");
  return null;
}

/** The registry, with what is installed for it and for all builders that must be had: one question for all. */
async function fromPackages(docker: Docker, request: ToolsRequest): Promise<Tools> {
  const needed = [...request.builders, "registry" as const].map((tool) => MAKERS[tool].packages);
  await ensurePackages(Object.assign({}, BASE_PACKAGES, ...needed), request.dialogue);
  return { registry: await makeTool(docker, "registry", request), builders: {}, ownBases: true };
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
