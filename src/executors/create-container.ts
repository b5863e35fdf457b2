import type Docker from "dockerode";
import { Problem } from "../domain/problem.ts";
import { errorText, statusOf } from "../lib/error-text.ts";

/** Creates a container; Problem image-unavailable where the engine does not have its image. */
export async function createFromImage(
  docker: Docker,
  options: Docker.ContainerCreateOptions & { Image: string },
): Promise<Docker.Container> {
  try {
    return await docker.createContainer(options);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    throw new Problem(
      "image-unavailable",
      `The engine has no image ${options.Image}.`,
      "Run `tare setup`: it pulls or makes the images of builders and registry.",
      [errorText(error)],
    );
  }
}
