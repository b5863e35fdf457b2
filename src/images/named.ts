import type Docker from "dockerode";
import { Problem } from "../domain/problem.ts";
import type { BuilderId } from "../domain/recipe.ts";
import type { EngineExecutor } from "../executors/engine.ts";
import { errorText } from "../lib/error-text.ts";
import { askVersion } from "./ask-version.ts";
import { ensurePulled } from "./official.ts";
import type { ToolImage } from "./types.ts";
import { splitReference } from "../domain/image-reference.ts";

/** Images of one's own in place of the pins, each `name@sha256:…`; a tag beside the digest is cut off. */
export type NamedImages = { [tool in BuilderId | "registry"]?: string | undefined };

/**
 * An image that the operator names, pulled by the engine where it is not there yet, with the version that the program in
 * it prints. Problem image-unavailable where it cannot be pulled, or prints none.
 */
export async function namedTool(
  docker: Docker,
  executor: Pick<EngineExecutor, "run">,
  tool: BuilderId | "registry",
  name: string,
): Promise<ToolImage> {
  const image = withoutTag(name);
  const unavailable = (why: string, details: string[]) =>
    new Problem(
      "image-unavailable",
      `The image ${name}, which the operator names for ${tool}, ${why}.`,
      `Correct or take out builders.${tool} in the operator's file.`,
      details,
    );
  await ensurePulled(docker, image).catch((error: unknown) => {
    throw unavailable("cannot be pulled", [errorText(error)]);
  });
  const { version, lines } = await askVersion(executor, tool, image);
  if (version === null) throw unavailable("prints no version", lines.slice(-5));
  const digest = image.slice(image.indexOf("@") + 1);
  return { image, version, digest, origin: "named by the operator" };
}

/** Some engines refuse a tag beside a digest. */
function withoutTag(name: string): string {
  const { repository, digest } = splitReference(name);
  return `${repository}@${digest ?? ""}`;
}
