import { spawn } from "node:child_process";
import { Outage } from "../domain/problem.ts";

export type GitStream = {
  stdin: NodeJS.WritableStream;
  stdout: AsyncIterable<Buffer>;
  /** Resolves when git ended well; an Outage with its words where it did not. */
  ended: Promise<void>;
  /** Ends it whatever it does. */
  kill(): void;
};

/** Starts git and hands its output over as it comes, for what is too large to hold. The environment is the whole one. */
export function gitStream(argv: readonly string[], env: Record<string, string>): GitStream {
  const child = spawn("git", argv, { env, stdio: ["pipe", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = "";
  let isKilled = false;
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => (said = (said + text).slice(-4096)));
  child.on("error", reject);
  child.on("close", (code) => {
    if (code === 0 || isKilled) resolve();
    else {
      const remedy = "Check the repository with `git fsck` and the disk's free space, then try again.";
      reject(new Outage(`git ${argv[0] ?? ""} failed: ${said.trim() || "it said nothing"}`, remedy));
    }
  });
  // Who waits for the end is told; who was done before is not hurt.
  promise.catch(() => {});
  child.stdin.on("error", () => {});
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended: promise,
    kill() {
      isKilled = true;
      child.kill("SIGKILL");
    },
  };
}
