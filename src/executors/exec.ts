import type Docker from "dockerode";
import { statusOf } from "../lib/error-text.ts";

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
    while (pending.length >= 8) {
      const length = pending.readUInt32BE(4);
      if (pending.length < 8 + length) break;
      const goOn = onOutput(pending[0] === 2 ? "stderr" : "stdout", pending.subarray(8, 8 + length));
      if (goOn === false) return;
      pending = pending.subarray(8 + length);
    }
  }
}
