import type Docker from "dockerode";
import type { BuilderId } from "../domain/recipe.ts";
import { errorText } from "../lib/error-text.ts";
import { finished } from "./import-image.ts";
import { PINS, pulledBy, type PinName } from "./pins.ts";
import type { ToolImage, Tools } from "./types.ts";

/** Pulls what is not there yet. */
export async function ensurePulled(docker: Docker, name: string): Promise<void> {
  const present = await docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!present) await finished(docker, await docker.pull(name));
}

/** The pin of a builder; null where its official image cannot be pinned. */
export function pinOf(builder: BuilderId, archivedKaniko: boolean): PinName | null {
  if (builder === "buildah") return null;
  return builder === "kaniko" && archivedKaniko ? "kaniko-archived" : builder;
}

/** What could be pulled, and why the others could not. `registry` is null where it was not asked for. */
export type Official = {
  registry: ToolImage | null;
  builders: Tools["builders"];
  refused: Partial<Record<BuilderId, string>>;
};

/**
 * The official images of the registry and of these builders, by digest; or why the
 * engine can pull none here. A builder that alone cannot be pulled is refused.
 */
export async function pullOfficial(
  docker: Docker,
  builders: readonly BuilderId[],
  options: { archivedKaniko: boolean; registry: boolean },
): Promise<Official | { why: string }> {
  const pull = async (pin: PinName): Promise<ToolImage> => {
    const image = pulledBy(pin);
    await ensurePulled(docker, image);
    return { image, version: PINS[pin].version, digest: PINS[pin].digest, origin: "official image" };
  };
  const official: Official = { registry: null, builders: {}, refused: {} };
  try {
    if (options.registry) official.registry = await pull("registry");
  } catch (error) {
    return { why: errorText(error) };
  }
  for (const builder of builders) {
    const pin = pinOf(builder, options.archivedKaniko);
    try {
      if (pin === null) official.refused[builder] = `no digest of ${builder}'s official image is known`;
      else official.builders[builder] = await pull(pin);
    } catch (error) {
      official.refused[builder] = errorText(error);
    }
  }
  return official;
}
