import type Docker from "dockerode";
import { statusOf } from "../lib/error-text.ts";
import { FRAME_HEADER, framesOf } from "./log-lines.ts";

/** Exit code of a program inside; 137 where the container ended under it. */
export async function exec(
  container: Docker.Container,
  argv: readonly string[],
  workingDirectory: string,
  onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void,
): Promise<number> {
  try {
    const handle = await container.exec({
      Cmd: [...argv],
      WorkingDir: workingDirectory,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await handle.start({ hijack: true, stdin: false });
    await demultiplex(stream, onOutput);
    return (await handle.inspect()).ExitCode ?? 137;
  } catch (error) {
    const status = statusOf(error);
    // 404 and 409: the container is gone or not running any more.
    if (status === 404 || status === 409) return 137;
    throw error;
  }
}

/** Takes the engine's multiplexed stream apart, to its end or until `onOutput` says false. */
export async function demultiplex(
  stream: NodeJS.ReadableStream,
  onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => boolean | void,
): Promise<void> {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    let used = 0;
    for (const { stream: name, payload } of framesOf(pending)) {
      if (onOutput(name, payload) === false) return;
      used += FRAME_HEADER + payload.length;
    }
    pending = pending.subarray(used);
  }
}
