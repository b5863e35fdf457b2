import { editNumber } from "../domain/comparison.ts";
import { textFile, type JobFile } from "../domain/job.ts";
import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { ImageReport, Scenario } from "../domain/report.ts";
import { editDockerfile, readDockerfile, type DockerfileReading } from "../recipes/dockerfile.ts";

/** Which RUN a synthetic edit changes: by position, 1-based. */
export type EditChoice = number | "first" | "last";

/** A Dockerfile as one commit left it. `name` is how a report calls that commit; `context` its tree's build context. */
export type DockerfileVersion = {
  text: string;
  name: string;
  context: () => Promise<JobFile[]>;
};

/** What one build is made of. Base images are without `scratch`; the final stage's is null where it is one. */
export type Build = {
  text: string;
  bases: string[];
  finalBase: string | null;
  /** Files of the build context below the project directory; empty where the Dockerfile copies nothing. */
  context: JobFile[];
};

export type Edit = Build & { line: number; description: string; synthetic: boolean };

/** One side of a trial, loaded: everything that a run needs of the tree. `text` is what the first build is made of. */
export type ImageSource = Build & {
  recipe: Recipe;
  dockerfile: string;
  /** The Dockerfile after each edit, in order: each starts from the one before. */
  edits: Edit[];
  /** Those of `bases` that another recipe of the same templates builds. */
  ownBases: string[];
  /** Images of the same templates that this one starts from, in the order of building. */
  startsFrom: ImageSource[];
};

export type SourceReaders = {
  /** Text of a file; null where there is none. */
  read: (path: string) => string | null;
  /** The files below a path of the tree. */
  readContext: (path: string) => Promise<JobFile[]>;
  /** Earlier versions of the Dockerfile, oldest first, without the tree's own; empty where edits are synthetic. */
  versions: readonly DockerfileVersion[];
  /** How a report calls the edit that led from the last of them to the tree's own. */
  ownName?: string;
};

/**
 * Reads the Dockerfile of a recipe. With earlier versions the first build is of the oldest, and the edits are those that
 * led to the tree's own; without, edits are synthetic. Problems: `dockerfile-missing`, `context-missing`,
 * `edit-impossible`.
 */
export async function loadImageSource(
  recipe: Recipe,
  edits: readonly EditChoice[],
  { read, readContext, versions, ownName = "" }: SourceReaders,
): Promise<ImageSource> {
  const path = recipe.dockerfile ?? "";
  const text = read(path);
  if (text === null) {
    throw new Problem(
      "dockerfile-missing",
      `${recipe.file}:${recipe.line} (job ${recipe.job}) builds ${path}, which is not in the tree.`,
      "Look at the path in the template, or leave this image out with --images.",
    );
  }
  const present = async () => (recipe.context === null ? [] : readContext(recipe.context));
  const own: DockerfileVersion = { text, name: ownName, context: present };
  const [oldest, ...later] = [...versions, own] as const;
  const first = await buildOf(recipe, oldest ?? own);
  const real = versions.length > 0 ? await realEdits(recipe, first.text, later) : null;
  return {
    recipe,
    dockerfile: path,
    ...first,
    edits: real ?? syntheticEdits(first, edits, { path, target: recipe.target }),
    ownBases: [],
    startsFrom: [],
  };
}

/** A Dockerfile with the build arguments of a recipe, and the images that a build of it pulls. */
export function readAsBuilt(recipe: Recipe, text: string): DockerfileReading & { bases: string[] } {
  const dockerfile = readDockerfile(text, definedArguments(recipe));
  const bases = dockerfile.stages.flatMap(({ baseImage, copiesImages }) => [
    ...(baseImage === null ? [] : [baseImage]),
    ...copiesImages,
  ]);
  return { ...dockerfile, bases: [...new Set(bases)] };
}

async function buildOf(recipe: Recipe, { text, context }: DockerfileVersion): Promise<Build> {
  const dockerfile = readAsBuilt(recipe, text);
  if (dockerfile.usesContext && recipe.context === null) {
    throw new Problem(
      "context-missing",
      `${recipe.dockerfile ?? ""} copies files from its build context, but ${recipe.file}:${recipe.line} (job ${recipe.job}) names none.`,
      "Add the context to the build command.",
    );
  }
  return {
    text,
    bases: dockerfile.bases,
    finalBase: dockerfile.finalBaseImage,
    context: dockerfile.usesContext ? await context() : [],
  };
}

/** The edits that led from one version to the next. */
async function realEdits(
  recipe: Recipe,
  oldest: string,
  later: readonly DockerfileVersion[],
): Promise<Edit[]> {
  const edits: Edit[] = [];
  let before = oldest;
  for (const version of later) {
    if (version.text === before) continue;
    const line = firstChangedLine(before, version.text);
    edits.push({ ...(await buildOf(recipe, version)), line, description: version.name, synthetic: false });
    before = version.text;
  }
  return edits;
}

/** 1-based line of the newer text where the two part. */
function firstChangedLine(before: string, after: string): number {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const same = b.findIndex((line, index) => line !== a[index]);
  return same === -1 ? b.length : same + 1;
}

/** Edits one after the other; where the first and the last RUN are one, it is edited once. */
function syntheticEdits(
  build: Build,
  choices: readonly EditChoice[],
  options: { path: string; target: string | null },
): Edit[] {
  const edits: Edit[] = [];
  const refusals: unknown[] = [];
  for (const choice of choices) {
    try {
      const before = edits.at(-1)?.text ?? build.text;
      const edit = editDockerfile(before, choice, edits.length + 1, options);
      if (edits.every(({ line }) => line !== edit.line)) edits.push({ ...build, ...edit, synthetic: true });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refusals.push(error);
    }
  }
  // A RUN in exec form cannot be edited; another one of those asked for can tell the growth all the same.
  if (edits.length === 0 && refusals.length > 0) throw refusals[0];
  return edits;
}

/** Scenarios of a trial of this image, in order: each starts from what the one before left in the registry. */
export function scenariosOfSource(source: ImageSource): Scenario[] {
  return ["cold", "warm", ...source.edits.map((_, index): Scenario => `edit ${index + 1}`)];
}

/** What a scenario builds. */
export function buildFor(source: ImageSource, scenario: Scenario): Build {
  return source.edits[editNumber(scenario) - 1] ?? source;
}

/** Every base image that some scenario starts from. */
export function allBases(source: ImageSource): string[] {
  return [...new Set([source, ...source.edits].flatMap((build) => build.bases))];
}

function definedArguments(recipe: Recipe): Record<string, string> {
  const entries = Object.entries(recipe.buildArgs);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Files of one run, below the project directory: the context and the Dockerfile of this scenario. */
export function filesFor(source: ImageSource, scenario: Scenario, projectDirectory: string): JobFile[] {
  const { text, context } = buildFor(source, scenario);
  const path = `${projectDirectory}/${source.dockerfile}`;
  return [
    ...contextRoot(source, context, projectDirectory),
    ...context.filter((file) => file.path !== path),
    textFile(path, text),
  ];
}

/** A context that nothing is copied from must still be a directory. */
function contextRoot(
  { recipe }: ImageSource,
  files: readonly JobFile[],
  projectDirectory: string,
): JobFile[] {
  const { context } = recipe;
  if (context === null || context === "." || files.length > 0) return [];
  return [textFile(`${projectDirectory}/${context}/.tare`, "")];
}

export function editReports(source: ImageSource): ImageReport["edits"] {
  return source.edits.map(({ description, synthetic, line }) => ({ description, synthetic, line }));
}
