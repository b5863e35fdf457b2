import type Docker from "dockerode";
import { errorText } from "../lib/error-text.ts";
import { finished } from "./import-image.ts";
import { PINS, pulledBy, type PinName } from "./pins.ts";
import type { ToolImage, Tools } from "./types.ts";

/** Pulls what is not there yet. */
async function ensurePulled(docker: Docker, name: string): Promise<void> {
  const present = await docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!present) await finished(docker, await docker.pull(name));
}

/** The official images, by digest; or why they cannot be had here. */
export async function pullOfficial(
  docker: Docker,
  archivedKaniko: boolean,
): Promise<Tools | { why: string }> {
  const tool = async (pin: PinName): Promise<ToolImage> => {
    const image = pulledBy(pin);
    await ensurePulled(docker, image);
    return { image, version: PINS[pin].version, digest: PINS[pin].digest, origin: "official image" };
  };
  try {
    return {
      registry: await tool("registry"),
      docker: await tool("docker"),
      kaniko: await tool(archivedKaniko ? "kaniko-archived" : "kaniko"),
      ownBases: false,
    };
  } catch (error) {
    return { why: errorText(error) };
  }
}
