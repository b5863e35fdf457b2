import { DockerfileParser } from "dockerfile-ast";
import type { Copy, Instruction, ModifiableInstruction, Run } from "dockerfile-ast";
import { Problem } from "../domain/problem.ts";
import { createArguments, expandArguments } from "./dockerfile-arguments.ts";

/** One stage of a Dockerfile. */
export type Stage = {
  /** Name after `AS`; null where it has none. */
  name: string | null;
  /** What FROM names, as written. */
  from: string;
  /** Image with build arguments resolved; null for `scratch`, for another stage, and where it is not known. */
  baseImage: string | null;
  /** Index of the stage that this one starts from; null where it starts from an image. */
  fromStage: number | null;
  /** Indexes of the stages that COPY, ADD and mounts take files from. */
  copiesFrom: number[];
  /** Images other than stages that files are taken from. */
  copiesImages: string[];
  /** 1-based. */
  line: number;
};

/** One instruction. `stage` is -1 before the first FROM. */
export type DockerfileInstruction = {
  keyword: string;
  /** 1-based. */
  line: number;
  stage: number;
  /** True for RUN, COPY and ADD. Whether WORKDIR makes a layer depends on the builder. */
  makesLayer: boolean;
  /** Whether it takes anything from the build context. */
  takesContext: boolean;
};

/** A Dockerfile as far as it can be told without building it. */
export type DockerfileReading = {
  stages: Stage[];
  instructions: DockerfileInstruction[];
  /** Image that the last stage starts from, through other stages; null for `scratch` and where it is not known. */
  finalBaseImage: string | null;
  /** Whether anything is taken from the build context. */
  usesContext: boolean;
  /** What could not be told: lines are 1-based. */
  problems: { line: number; why: string }[];
};

const KEYWORDS = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);

/** Instructions of a Dockerfile; a Problem where no builder would read it. `text` is null where the file is missing. */
export function parseDockerfile(text: string | null, path: string): Instruction[] {
  if (text === null) {
    throw new Problem(
      "dockerfile-missing",
      `${path} is not in the tree`,
      "Add the Dockerfile, or mend its path.",
    );
  }
  const instructions = DockerfileParser.parse(text).getInstructions();
  const strange = instructions.find((instruction) => !KEYWORDS.has(instruction.getKeyword()));
  if (strange !== undefined) throw unreadable(path, strange, `${strange.getInstruction()} is no instruction`);
  const first = instructions.find((instruction) => instruction.getKeyword() !== "ARG");
  if (first === undefined) throw unreadable(path, null, "there is no FROM");
  if (first.getKeyword() !== "FROM")
    throw unreadable(path, first, `${first.getKeyword()} stands before FROM`);
  const bare = instructions.find((item) => item.getKeyword() === "FROM" && item.getArguments().length === 0);
  if (bare !== undefined) throw unreadable(path, bare, "FROM names no image");
  return instructions;
}

/** Reads a Dockerfile. Build arguments given here replace the defaults of ARG. */
export function readDockerfile(
  text: string | null,
  buildArgs: Readonly<Record<string, string | null>> = {},
  path = "Dockerfile",
): DockerfileReading {
  const parsed = parseDockerfile(text, path);
  const reading: DockerfileReading = {
    stages: [],
    instructions: [],
    finalBaseImage: null,
    usesContext: false,
    problems: [],
  };
  const known = createArguments(buildArgs);
  for (const instruction of parsed) {
    const keyword = instruction.getKeyword();
    if (keyword === "ARG" && reading.stages.length === 0) known.define(wordsOf(instruction));
    if (keyword === "FROM") reading.stages.push(readStage(instruction, reading, known.values));
    const stage = reading.stages.length - 1;
    const makesLayer = keyword === "RUN" || keyword === "COPY" || keyword === "ADD";
    const takesContext = makesLayer && readSources(instruction, reading, known.values);
    reading.instructions.push({ keyword, line: lineOf(instruction), stage, makesLayer, takesContext });
    reading.usesContext ||= takesContext;
  }
  reading.finalBaseImage = baseOf(reading.stages);
  return reading;
}

function baseOf(stages: readonly Stage[]): string | null {
  let stage = stages.at(-1);
  // A stage starts from an earlier one only: this ends.
  while (stage !== undefined && stage.fromStage !== null) stage = stages[stage.fromStage];
  return stage?.baseImage ?? null;
}

/** 1-based line of an instruction. */
export function lineOf(instruction: Instruction): number {
  return instruction.getRange().start.line + 1;
}

function unreadable(path: string, at: Instruction | null, why: string): Problem {
  const place = at === null ? path : `${path}:${lineOf(at)}`;
  return new Problem("template-unreadable", `${place} is not a Dockerfile: ${why}`, "Mend the Dockerfile.");
}

function wordsOf(instruction: Instruction): string[] {
  return instruction.getArguments().map((argument) => argument.getValue());
}

function readStage(
  instruction: Instruction,
  reading: DockerfileReading,
  values: ReadonlyMap<string, string>,
): Stage {
  const line = lineOf(instruction);
  const [from = "", as, name = null] = wordsOf(instruction);
  const { text, missing } = expandArguments(from, values);
  const fromStage = stageNamed(reading.stages, text);
  for (const variable of missing) reading.problems.push({ line, why: `$${variable} has no value` });
  const isImage =
    fromStage === null && text.toLowerCase() !== "scratch" && missing.length === 0 && text !== "";
  return {
    name: as?.toUpperCase() === "AS" ? name : null,
    from,
    baseImage: isImage ? text : null,
    fromStage,
    copiesFrom: [],
    copiesImages: [],
    line,
  };
}

function stageNamed(stages: readonly Stage[], name: string): number | null {
  const wanted = name.toLowerCase();
  const at = stages.findLastIndex((stage) => stage.name?.toLowerCase() === wanted);
  return at === -1 ? null : at;
}

/** Where the files of COPY, ADD and RUN --mount come from; true where some are of the build context. */
function readSources(
  instruction: Instruction,
  reading: DockerfileReading,
  values: ReadonlyMap<string, string>,
): boolean {
  const flags = (instruction as ModifiableInstruction).getFlags();
  if (instruction.getKeyword() === "RUN") {
    const mounts = flags.filter((flag) => flag.getName() === "mount");
    return mounts.map((flag) => readMount(flag.getValue() ?? "", reading, values)).includes(true);
  }
  const from = flags.find((flag) => flag.getName() === "from")?.getValue() ?? null;
  if (from !== null) takeFrom(from, reading, values);
  const sources = from === null ? sourcesOf(instruction) : [];
  return sources.some((source) => !source.startsWith("<<") && !isRemote(instruction, source));
}

function readMount(mount: string, reading: DockerfileReading, values: ReadonlyMap<string, string>): boolean {
  const options = new Map(
    mount.split(",").map((option): [string, string] => {
      const [name = "", ...value] = option.split("=");
      return [name, value.join("=")];
    }),
  );
  const from = options.get("from");
  if (from !== undefined) takeFrom(from, reading, values);
  return from === undefined && (options.get("type") ?? "bind") === "bind";
}

function takeFrom(from: string, reading: DockerfileReading, values: ReadonlyMap<string, string>): void {
  const current = reading.stages.at(-1);
  if (current === undefined) return;
  const { text } = expandArguments(from, values);
  const index = /^\d+$/.test(text) ? Number(text) : stageNamed(reading.stages, text);
  if (index !== null && index < reading.stages.length) current.copiesFrom.push(index);
  else if (index === null && text.toLowerCase() !== "scratch") current.copiesImages.push(text);
}

function isRemote(instruction: Instruction, source: string): boolean {
  return instruction.getKeyword() === "ADD" && /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@)/.test(source);
}

/** Sources of COPY or ADD: every word but the last, without the bodies of here-documents. */
function sourcesOf(instruction: Instruction): string[] {
  const copy = instruction as Copy | Run;
  const raw = instruction.getArgumentsContent() ?? "";
  if (raw.startsWith("[")) {
    const list = jsonStrings(raw);
    if (list !== null) return list.slice(0, -1);
  }
  const [heredoc] = heredocsOf(copy);
  const words = instruction.getArguments().filter((argument) => {
    return heredoc === undefined || argument.getRange().start.line <= heredoc.getStartRange().end.line;
  });
  return words.slice(0, -1).map((argument) => argument.getValue());
}

/** Here-documents of an instruction that may have them. */
export function heredocsOf(instruction: Instruction): ReturnType<Run["getHeredocs"]> {
  return "getHeredocs" in instruction ? (instruction as Run).getHeredocs() : [];
}

/** A JSON list of texts, as the exec form has it; null for anything else. */
export function jsonStrings(text: string): string[] | null {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : null;
  } catch {
    // A shell form may start with a bracket, too.
    return null;
  }
}
