import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALL_STRATEGIES } from "../src/trials/strategies.ts";
import { openLiveTestbed } from "../test/live/live-testbed.ts";
import { prepareExample } from "./example-strategies.ts";
import { ratioInWords, spread, timed } from "./figures.ts";
import { runByShell } from "./matrix-by-shell.ts";
import { openMatrix, type Matrix, type Phases } from "./matrix-by-tare.ts";

/** The two of the example's change: enough to see what a run costs with a daemon and without one. */
const QUICK = ["docker/inline", "kaniko/layers"];

export type MatrixOptions = { pairs: number; strategies: readonly string[] };

/** `--quick`: two strategies; `--strategies a,b`: those; else all nine. `--pairs N`: how often each is compared. */
export function matrixOptions(option: (name: string) => string | null, quick: boolean): MatrixOptions {
  const named = option("--strategies")?.split(",") ?? (quick ? QUICK : ALL_STRATEGIES);
  return { pairs: Number(option("--pairs") ?? 1), strategies: named };
}

type Series = { strategy: string; tare: number[]; shell: number[] };

/**
 * The example's toolchain image with each strategy, cold, warm and two edits: by Tare, with all that it measures, and by
 * a plain shell loop that only makes the same runs. Both use one engine and one registry of base images, started
 * before. They take turns: Tare, loop, Tare, loop.
 */
export async function benchMatrix(options: MatrixOptions): Promise<void> {
  const live = await openLiveTestbed();
  const directory = mkdtempSync(join(tmpdir(), "tare-matrix-"));
  try {
    let matrix: Matrix | null = null;
    const readMs = await timed(async () => (matrix = await openMatrix(live, await prepareExample())));
    await using opened = matrix as unknown as Matrix;
    console.log(
      `reading the change and choosing what to run: ${readMs.toFixed(0)} ms, once, in no figure below`,
    );
    const port = await freePort();
    const all = options.strategies.map((strategy): Series => ({ strategy, tare: [], shell: [] }));
    const phases = { tare: [] as Phases[], shell: [] as Phases[] };
    for (let pair = 0; pair < options.pairs; pair++) {
      for (const { strategy, tare, shell } of all) {
        const ours = await opened.runByTare(strategy);
        const loop = await runByShell(directory, ours.done, port, live.testbed.engine);
        tare.push(ours.wallMs);
        shell.push(loop.wallMs);
        phases.tare.push(ours.phases);
        phases.shell.push(loop.phases);
        console.log(storedInWords(strategy, ours.storedBytes, loop.storedBytes));
      }
      console.log(seriesInWords(sumOf(all)));
    }
    for (const series of all) console.log(seriesInWords(series));
    printPhases(phases);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await live.close();
  }
}

function storedInWords(strategy: string, ours: readonly number[], loop: readonly number[]): string {
  const mb = (bytes: readonly number[]) => bytes.map((each) => (each / 1e6).toFixed(2)).join(", ");
  return `  ${strategy}: MB stored after each run, blob files by Tare ${mb(ours)}; du by the loop ${mb(loop)}`;
}

function seriesInWords({ strategy, tare, shell }: Series): string {
  const seconds = (values: readonly number[]) => (spread(values).median / 1000).toFixed(1);
  return `${ratioInWords(strategy, tare, shell)}, median ${seconds(tare)} s by Tare, ${seconds(shell)} s by the loop`;
}

/** The matrix as a whole, pair by pair. */
function sumOf(all: readonly Series[]): Series {
  const added = (side: "tare" | "shell") =>
    (all[0]?.[side] ?? []).map((_, pair) => all.reduce((sum, series) => sum + (series[side][pair] ?? 0), 0));
  return { strategy: `matrix of ${all.length}`, tare: added("tare"), shell: added("shell") };
}

/** Where the time goes: milliseconds of a strategy's four runs together, as a mean over strategies and pairs. */
function printPhases(phases: { tare: Phases[]; shell: Phases[] }): void {
  const names = [...new Set([...phases.tare, ...phases.shell].flatMap((each) => Object.keys(each)))];
  const mean = (side: Phases[], name: string) =>
    side.reduce((sum, each) => sum + (each[name] ?? 0), 0) / side.length;
  console.log("mean ms per strategy (four runs and their registry): Tare, loop, difference");
  for (const name of names) {
    const [ours, loop] = [mean(phases.tare, name), mean(phases.shell, name)];
    const cells = [ours, loop, ours - loop].map((value) => value.toFixed(0).padStart(8));
    console.log(`  ${name.padEnd(24)}${cells.join("")}`);
  }
}

/** A TCP port of loopback for the registries of the loop, one after the other. */
async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}
