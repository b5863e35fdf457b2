import { describe, expect, it } from "vitest";
import { run } from "../../src/lib/spawn.ts";

const sh = (script: string, options: Parameters<typeof run>[2] = {}) =>
  run("/bin/sh", ["-c", script], options);

describe("running a program", () => {
  it("hands back its output, its errors and its exit code", async () => {
    const { exitCode, signal, stdout, stderr } = await sh("printf out; printf err >&2; exit 3");
    expect([exitCode, signal, stdout.toString(), stderr]).toStrictEqual([3, null, "out", "err"]);
  });

  it("uses no shell: words stay as they are", async () => {
    const { stdout } = await run("/usr/bin/printf", ["%s|", "$HOME; true", "a b", "*"]);
    expect(stdout.toString()).toBe("$HOME; true|a b|*|");
  });

  it("hands input over, and minds no program that does not read it", async () => {
    expect((await sh("cat", { input: "text" })).stdout.toString()).toBe("text");
    const bytes = new Uint8Array([0, 255, 10]);
    expect((await sh("cat", { input: bytes })).stdout).toStrictEqual(Buffer.from(bytes));
    expect((await sh("exit 0", { input: Buffer.alloc(1_000_000) })).exitCode).toBe(0);
  });

  it("gives it only the environment that is named", async () => {
    const { stdout } = await run("/usr/bin/env", [], { env: { A: "1" } });
    expect(stdout.toString()).toBe("A=1\n");
  });

  it("runs it where it is told to", async () => {
    expect((await sh("pwd", { cwd: "/usr" })).stdout.toString()).toBe("/usr\n");
  });

  it("tells the signal that ended it", async () => {
    const { exitCode, signal } = await sh("kill -TERM $$");
    expect([exitCode, signal]).toStrictEqual([-1, "SIGTERM"]);
  });

  it("hands errors on as they come, and keeps their last 64 KiB", async () => {
    const heard: string[] = [];
    const { stderr } = await sh("head -c 100000 /dev/zero | tr '\\0' x >&2; printf end >&2", {
      onStderr: (text) => void heard.push(text),
    });
    expect(heard.join("")).toHaveLength(100_003);
    expect(stderr).toHaveLength(65_536);
    expect(stderr.endsWith("xend")).toBe(true);
  });

  it("ends one that says too much", async () => {
    await expect(sh("yes", { maxBytes: 1_000 })).rejects.toThrow(
      new RangeError("/bin/sh wrote more than 1000 bytes"),
    );
  });

  it("ends one that is not wanted any more", async () => {
    const signal = AbortSignal.timeout(20);
    await expect(run("/bin/sleep", ["60"], { signal })).rejects.toThrow("aborted");
  });

  it("rejects where there is no such program", async () => {
    await expect(run("/nowhere/program", [])).rejects.toMatchObject({ code: "ENOENT" });
  });
});
