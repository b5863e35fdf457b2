import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What was counted so far; kept in `.tare/bench`, so that a run that was ended goes on. */
export type Counts = Record<string, number>;

const DIRECTORY = join(import.meta.dirname, "../.tare/bench");

/**
 * Repeats a part until `goal` of the count `of` is reached, and adds up what each part counts; kept after each. Every part
 * stands for itself. `--again` in the arguments starts from nothing.
 */
export async function untilReached(
  name: string,
  { of, goal }: { of: string; goal: number },
  part: (left: number) => Promise<Counts>,
): Promise<Counts> {
  const file = join(DIRECTORY, `${name}.json`);
  const counts: Counts = process.argv.includes("--again") ? {} : kept(file);
  while ((counts[of] ?? 0) < goal) {
    const more = await part(goal - (counts[of] ?? 0));
    for (const [key, count] of Object.entries(more)) counts[key] = (counts[key] ?? 0) + count;
    keep(file, counts);
    console.log(`${name}: ${inWords(counts)}`);
  }
  console.log(`${name}, reached: ${inWords(counts)}`);
  return counts;
}

function inWords(counts: Counts): string {
  return Object.entries(counts)
    .map(([key, count]) => `${count} ${key}`)
    .join(", ");
}

function kept(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Counts;
  } catch {
    return {};
  }
}

function keep(file: string, counts: Counts): void {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(counts)}\n`);
  renameSync(`${file}.new`, file);
}
