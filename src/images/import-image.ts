import { spawn } from "node:child_process";
import type Docker from "dockerode";
import { Outage } from "../domain/problem.ts";
import { errorText, statusOf } from "../lib/error-text.ts";

/** Label that tells which version of a recipe made an image. */
export const VERSION_LABEL = "dev.tare.version";

/** Makes an image of one layer from a directory. `changes` are Dockerfile instructions (ENV, ENTRYPOINT, LABEL …). */
export async function importDirectory(
  docker: Docker,
  directory: string,
  name: string,
  changes: readonly string[],
): Promise<void> {
  // The tag stands in the name: Podman does not read it from a field of its own.
  const tar = spawn("tar", ["-C", directory, "--numeric-owner", "-c", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const progress = await docker.importImage(tar.stdout, { repo: name, changes: [...changes] });
    await finished(docker, progress);
  } catch (error) {
    throw new Outage(
      `The engine could not import ${name}: ${errorText(error)}`,
      "Look at the engine's disk space.",
      {
        cause: error,
      },
    );
  } finally {
    tar.kill();
  }
}

/** Waits for the end of a stream of progress messages; an error among them is thrown. */
export function finished(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(stream, (error: Error | null, output: { error?: string }[]) => {
    const failure = output?.find((message) => message.error !== undefined)?.error;
    if (error !== null) reject(error);
    else if (failure !== undefined) reject(new Error(failure));
    else resolve();
  });
  return promise;
}

/** The version label of an image that Tare made; null where the engine has no such image. */
export async function madeVersion(docker: Docker, name: string): Promise<string | null> {
  try {
    const info = await docker.getImage(name).inspect();
    return info.Config.Labels?.[VERSION_LABEL] ?? "";
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
