import { Problem } from "../domain/problem.ts";
import { readDockerfile } from "./dockerfile-reading.ts";
import type { DockerfileReading } from "./dockerfile-reading.ts";

/** Indexes of the stages that a build of `target` (null: the last stage) needs, in order. */
export function neededStages(
  reading: DockerfileReading,
  target: string | null,
  path = "Dockerfile",
): number[] {
  const goal = targetIndex(reading, target);
  if (goal === -1) {
    throw new Problem(
      "template-unreadable",
      `${path} has no stage ${JSON.stringify(target)}`,
      "Name a stage of the Dockerfile with --target.",
    );
  }
  const needed = new Set<number>();
  const open = [goal];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const stage = reading.stages[index];
    if (stage === undefined || needed.has(index)) continue;
    needed.add(index);
    open.push(...stage.copiesFrom);
    if (stage.fromStage !== null) open.push(stage.fromStage);
  }
  return [...needed].toSorted((a, b) => a - b);
}

function targetIndex(reading: DockerfileReading, target: string | null): number {
  if (target === null) return reading.stages.length - 1;
  if (/^\d+$/.test(target)) return Number(target) < reading.stages.length ? Number(target) : -1;
  return reading.stages.findLastIndex((stage) => stage.name?.toLowerCase() === target.toLowerCase());
}

/** Images that must be at hand to build `target`: each once, with the line that names it. `name` is null where it is not known. */
export function listFromChain(
  text: string | null,
  buildArgs: Readonly<Record<string, string | null>> = {},
  target: string | null = null,
  path = "Dockerfile",
): { name: string | null; from: string; line: number }[] {
  const reading = readDockerfile(text, buildArgs, path);
  const bases = neededStages(reading, target, path).flatMap((index) => {
    const stage = reading.stages[index];
    if (stage === undefined) return [];
    const copied = stage.copiesImages.map((name) => ({
      name: name as string | null,
      from: name,
      line: stage.line,
    }));
    const isBase = stage.fromStage === null && stage.from.toLowerCase() !== "scratch";
    const base = { name: stage.baseImage, from: stage.from, line: stage.line };
    return isBase ? [base].concat(copied) : copied;
  });
  return bases.filter((base, at) => bases.findIndex((other) => other.from === base.from) === at);
}
