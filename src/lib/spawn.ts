import { spawn } from "node:child_process";

export type SpawnResult = { exitCode: number; signal: NodeJS.Signals | null; stdout: Buffer; stderr: string };

export type SpawnOptions = {
  cwd?: string;
  /** Who runs it; this process's own user unless it is named here. */
  user?: { uid: number; gid: number };
  /** The whole environment: nothing is inherited unless it is named here. */
  env?: Record<string, string>;
  input?: Uint8Array | string;
  signal?: AbortSignal;
  /** Standard output beyond this many bytes ends the process. */
  maxBytes?: number;
  onStderr?: (text: string) => void;
};

/** Runs a program without a shell and returns what it said; rejects only if it could not be started or said too much. */
export function run(
  program: string,
  argv: readonly string[],
  options: SpawnOptions = {},
): Promise<SpawnResult> {
  const { promise, resolve, reject } = Promise.withResolvers<SpawnResult>();
  const child = spawn(program, argv, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["pipe", "pipe", "pipe"],
    ...options.user,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > (options.maxBytes ?? 1 << 30)) {
      child.kill("SIGKILL");
      reject(new RangeError(`${program} wrote more than ${options.maxBytes} bytes`));
    } else stdout.push(chunk);
  });
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    stderr = (stderr + text).slice(-65_536);
    options.onStderr?.(text);
  });
  child.on("error", reject);
  child.on("close", (code, signal) => {
    resolve({ exitCode: code ?? -1, signal, stdout: Buffer.concat(stdout), stderr });
  });
  // A program that exits before it has read everything is not an error of ours.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  return promise;
}
