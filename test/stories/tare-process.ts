import { spawn } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export const PROJECT_ROOT = join(import.meta.dirname, "../..");
const MAIN = join(PROJECT_ROOT, "src/main.ts");

/** What one command left behind and said. `left` names everything below its temporary and cache directories. */
export type Played = { code: number | null; stdout: string; stderr: string; left: string[] };

export type PlayOptions = {
  input?: string | Uint8Array;
  environment?: Record<string, string>;
  /** Runs as this user and group instead of the test's own. */
  uid?: number;
};

/** An engine address at which nothing can answer. */
export const NO_ENGINE = "unix:///nonexistent/engine.sock";

// What Node made of the sources before: starting the program is most of what a story costs.
const compiled = join(PROJECT_ROOT, "node_modules/.cache/compiled");

/** Runs the real program as a process of its own, with empty temporary and cache directories, no engine and no settings. */
export async function playTare(argv: readonly string[], options: PlayOptions = {}): Promise<Played> {
  const world = await mkdtemp(join(tmpdir(), "tare-story-"));
  const temporary = join(world, "tmp");
  await mkdir(temporary);
  try {
    if (options.uid !== undefined) {
      for (const path of [world, temporary]) await chown(path, options.uid, options.uid);
    }
    const child = spawn(process.execPath, [MAIN, ...argv], {
      cwd: world,
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        HOME: join(world, "home"),
        TMPDIR: temporary,
        TARE_CACHE: join(world, "cache"),
        DOCKER_HOST: NO_ENGINE,
        // An empty operator's file: this machine's own has no say in a story.
        TARE_CONFIG: "/dev/null",
        NODE_COMPILE_CACHE: compiled,
        ...options.environment,
      },
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    // A command that refuses its arguments ends before it has read its input.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const left = (await readdir(world, { recursive: true })).filter((name) => name !== "tmp");
    return { code, stdout, stderr, left };
  } finally {
    await rm(world, { recursive: true, force: true });
  }
}
