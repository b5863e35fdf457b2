import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job, JobCommand } from "../../src/domain/job.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { listParents } from "../../src/executors/cgroup.ts";
import type { Engine } from "../../src/executors/engine-connection.ts";
import type { EngineExecutor } from "../../src/executors/engine.ts";

/** What a job's program does; a fake that runs no programs plays them by their words. */
export const SCRIPTS = {
  succeed: "echo out; echo beside >&2",
  fail: "echo it is broken >&2; exit 17",
  hang: "echo begun; sleep 600",
  flood: "yes 0123456789 | head -c 200000",
  "take memory": "head -c 200m /dev/zero | tail -c 199m > /dev/null",
  "read files": "cat /etc/contract/file /etc/contract/link; test -x /etc/contract/program && echo executable",
  "use a volume": "ls /contract-volume; touch /contract-volume/x && echo written",
  mount: "mkdir -p /contract-mount && mount -t tmpfs none /contract-mount && echo mounted",
} as const;
export type Script = keyof typeof SCRIPTS;

export type ExecutorWorld = {
  executor: EngineExecutor;
  engine: Engine;
  /** Container image with a shell. */
  image: string;
  /** How long a job is waited for that never ends by itself. */
  patienceMs: number;
  close(): Promise<void>;
};

/** What every executor promises, whatever runs behind it. */
export function executorContract(name: string, open: () => Promise<ExecutorWorld>): void {
  describe(`${name} keeps the contract of executors`, () => {
    let world: ExecutorWorld;
    let number = 0;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(async () => {
      await world.close();
    });

    const jobOf = (more: Partial<Job>): Job => ({
      name: `contract-${process.pid}-${(number += 1)}`,
      image: world.image,
      main: ["sleep", "infinity"],
      ready: null,
      commands: [],
      environment: {},
      workingDirectory: "/",
      files: [],
      volumes: [],
      privileges: "none",
      limits: { ...DEFAULT_LIMITS, cpus: 1, memoryBytes: 256 * 1024 ** 2, durationMs: 60_000 },
      ...more,
    });
    const asMain = (script: Script): Partial<Job> => ({ main: ["sh", "-c", SCRIPTS[script]] });
    const asCommands = (...scripts: Script[]): Partial<Job> => ({
      commands: scripts.map((one) => step(one)),
    });
    const run = (more: Partial<Job>, signal = new AbortController().signal) =>
      world.executor.run(jobOf(more), signal);
    const said = (lines: { stream: string; line: string }[]) =>
      lines.map(({ stream, line }) => `${stream}: ${line}`).toSorted();
    const limited = (more: Partial<Job["limits"]>) => ({ limits: { ...jobOf({}).limits, ...more } });

    describe.each([
      { form: "its main process", of: asMain },
      { form: "a command in it", of: asCommands },
    ])("a job that is $form", ({ of }) => {
      it("succeeds with its log by stream, its times in order and a peak of memory where it is seen", async () => {
        const result = await run(of("succeed"));
        expect(result.outcome).toBe("succeeded");
        expect(said(result.log)).toStrictEqual(["stderr: beside", "stdout: out"]);
        expect(result.commands.map(({ exitCode }) => exitCode)).toStrictEqual([0]);
        for (const { startMs, endMs } of result.commands) expect(endMs).toBeGreaterThanOrEqual(startMs);
        expect(result.memoryKills).toBe(0);
        expect(result.memoryPeakBytes).not.toBe(0);
      });

      it("fails with the program's own code and last words", async () => {
        const result = await run(of("fail"));
        expect(result.outcome).toBe("failed");
        expect(result.commands.map(({ exitCode }) => exitCode)).toStrictEqual([17]);
        expect(said(result.log)).toStrictEqual(["stderr: it is broken"]);
      });

      it("ends at its time limit where it hangs", async () => {
        const begun = performance.now();
        const result = await run({ ...of("hang"), ...limited({ durationMs: world.patienceMs }) });
        expect(result.outcome).toBe("timed-out");
        expect(performance.now() - begun).toBeLessThan(30_000);
        expect(said(result.log)).toStrictEqual(["stdout: begun"]);
      });

      it("is canceled when somebody stops it", async () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), world.patienceMs);
        const result = await run(of("hang"), controller.signal);
        expect(result.outcome).toBe("canceled");
      });

      it("is killed at its memory limit, and says so", async () => {
        const result = await run({ ...of("take memory"), ...limited({ memoryBytes: 64 * 1024 ** 2 }) });
        expect(result.outcome).toBe("out-of-memory");
        expect(Number(result.memoryKills)).toBeGreaterThanOrEqual(1);
      });

      it("has a flood of log cut, and still ends as it ends", async () => {
        const result = await run({ ...of("flood"), ...limited({ logBytes: 100_000 }) });
        expect(result.outcome).toBe("succeeded");
        const bytes = result.log.reduce((sum, { line }) => sum + line.length + 1, 0);
        expect(bytes).toBeLessThan(110_000);
        expect(result.log.length).toBeGreaterThan(1_000);
        const said = result.log.filter(({ line }) => /^\[log cut at \d+ bytes/.test(line));
        expect(said.length).toBe(1);
      });

      it("finds its files as they are, links and programs too", async () => {
        const content = Buffer.from("one line\n");
        const file = (path: string, executable: boolean) =>
          ({ kind: "file", path, content, executable }) as const;
        const files: Job["files"] = [
          file("/etc/contract/file", false),
          { kind: "symlink", path: "/etc/contract/link", target: "file" },
          file("/etc/contract/program", true),
        ];
        const result = await run({ ...of("read files"), files });
        expect(said(result.log)).toStrictEqual([
          "stdout: executable",
          "stdout: one line",
          "stdout: one line",
        ]);
      });

      it("finds its volumes empty, run after run", async () => {
        for (const _ of [1, 2]) {
          const result = await run({ ...of("use a volume"), volumes: ["/contract-volume"] });
          expect(said(result.log)).toStrictEqual(["stdout: written"]);
        }
      });

      it("mounts file systems where it is allowed to, and not without", async () => {
        const without = await run(of("mount"));
        expect(without.outcome).toBe("failed");
        const allowed = await run({ ...of("mount"), privileges: "mounts" });
        expect(said(allowed.log)).toStrictEqual(["stdout: mounted"]);
        expect(allowed.outcome).toBe("succeeded");
      });
    });

    it("runs commands in order, up to the first that fails", async () => {
      const result = await run(asCommands("succeed", "fail", "succeed"));
      expect(result.outcome).toBe("failed");
      expect(result.commands.map(({ exitCode }) => exitCode)).toStrictEqual([0, 17]);
    });

    it("goes on behind a command that may fail", async () => {
      const result = await run({ commands: [step("fail", true), step("succeed"), step("fail", true)] });
      expect(result.outcome).toBe("succeeded");
      expect(result.commands.map(({ phase, exitCode }) => [phase, exitCode])).toStrictEqual([
        ["pull", 17],
        ["build", 0],
        ["pull", 17],
      ]);
      const [first, second] = result.commands;
      expect(second?.startMs).toBeGreaterThanOrEqual(Number(first?.endMs));
    });

    it("starts nothing where it was stopped before", async () => {
      await expect(run(asMain("succeed"), AbortSignal.abort(new Error("interrupted")))).rejects.toThrow(
        "interrupted",
      );
    });

    it("leaves nothing of its jobs behind", async () => {
      const left = await world.engine.docker.listContainers({ all: true });
      const own = left
        .flatMap(({ Names }) => Names)
        .filter((one) => one.includes(`contract-${process.pid}-`));
      expect(own).toStrictEqual([]);
      expect(listParents().filter((one) => one.includes(`contract-${process.pid}-`))).toStrictEqual([]);
      expect(number).toBeGreaterThan(20);
    });
  });
}

function step(script: Script, mayFail = false): JobCommand {
  const argv = ["sh", "-c", SCRIPTS[script]];
  return { phase: mayFail ? "pull" : "build", argv, workingDirectory: "/", mayFail };
}
