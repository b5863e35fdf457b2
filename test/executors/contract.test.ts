import { connectEngine } from "../../src/executors/engine-connection.ts";
import { createEngineExecutor } from "../../src/executors/engine.ts";
import { executorContract, SCRIPTS } from "../contracts/executor-contract.ts";
import { startFakeEngine, type ExecResult, type FakeContainer } from "../fakes/engine.ts";

/** Plays the programs of the contract by their words. */
function play(container: FakeContainer, argv: readonly string[]): ExecResult {
  const [script] = Object.entries(SCRIPTS).find(([, text]) => text === argv.at(-1)) ?? [];
  switch (script ?? "") {
    case "succeed":
      return { exitCode: 0, stdout: "out\n", stderr: "beside\n" };
    case "fail":
      return { exitCode: 17, stderr: "it is broken\n" };
    case "flood":
      return { exitCode: 0, stdout: "0123456789\n".repeat(18_181) };
    case "read files":
      return { exitCode: 0, stdout: filesOf(container) };
    case "use a volume":
      return container.asked["Volumes"] === undefined
        ? { exitCode: 1 }
        : { exitCode: 0, stdout: "written\n" };
    case "mount": {
      const allowed = JSON.stringify(container.asked.HostConfig?.["CapAdd"] ?? []) === '["SYS_ADMIN"]';
      return allowed ? { exitCode: 0, stdout: "mounted\n" } : { exitCode: 1 };
    }
    case "take memory":
      return { exitCode: 137 };
    default:
      return { exitCode: null, stdout: "begun\n" };
  }
}

/** What the program would print: a link shows its target's content. */
function filesOf({ archives }: FakeContainer): string {
  const archive = archives[0] ?? Buffer.alloc(0);
  const lines: string[] = [];
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const field = (from: number, length: number) =>
      archive.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const bytes = Number.parseInt(field(124, 12), 8) || 0;
    const content = archive.toString("utf8", at + 512, at + 512 + bytes);
    const executable = (Number.parseInt(field(100, 8), 8) & 0o111) !== 0;
    if (field(156, 1) === "2") lines.push("one line\n");
    if (field(156, 1) === "0") lines.push(executable ? "executable\n" : content);
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  return lines.join("");
}

executorContract("the engine's executor on a fake engine", async () => {
  const fake = await startFakeEngine({
    onStart(container, end) {
      const argv = [...((container.asked["Cmd"] as string[] | undefined) ?? [])];
      if (argv.includes("infinity")) return;
      const result = play(container, argv);
      const say = (stream: 1 | 2, text = "") => {
        for (const line of text.split("\n").slice(0, -1))
          container.log.push([stream, "2026-11-24T00:00:11Z ", line]);
      };
      say(1, result?.stdout);
      say(2, result?.stderr);
      if (argv.at(-1) === SCRIPTS["take memory"]) fake.oom(container);
      if (typeof result?.exitCode === "number") setTimeout(end, 20, result.exitCode);
    },
    onExec(container, argv) {
      if (argv.at(-1) === SCRIPTS["take memory"]) fake.oom(container);
      return play(container, argv);
    },
  });
  const engine = await connectEngine(fake.address);
  return {
    engine,
    executor: createEngineExecutor(engine, "privileged"),
    image: "shell",
    patienceMs: 300,
    close: () => fake.close(),
  };
});
