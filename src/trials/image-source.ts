import type { JobFile } from "../domain/job.ts";
import { editNumber } from "../domain/comparison.ts";
import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { ImageReport, Scenario } from "../domain/report.ts";
import { editDockerfile, readDockerfile } from "../recipes/dockerfile.ts";

/** Which RUN a synthetic edit changes: by position, 1-based. */
export type EditChoice = number | "first" | "last";

/** One side of a trial, loaded: everything that a run needs of the tree. */
export type ImageSource = {
  recipe: Recipe;
  dockerfile: string;
  text: string;
  /** The Dockerfile after each edit, in order: each starts from the one before. */
  edits: { text: string; line: number; description: string }[];
  /** Base images that the Dockerfile starts from, without `scratch`; the last one is the final stage's. */
  bases: string[];
  finalBase: string | null;
  /** Those of `bases` that another recipe of the same templates builds. */
  ownBases: string[];
  /** Images of the same templates that this one starts from, in the order of building. */
  startsFrom: ImageSource[];
  /** Files of the build context below the project directory; empty where the Dockerfile copies nothing. */
  context: JobFile[];
};

/**
 * Reads the Dockerfile of a recipe. `read` gives a file's text or null, `readContext` the files below a path of the tree.
 * Problems: `dockerfile-missing`, `context-missing`, `edit-impossible`.
 */
export async function loadImageSource(
  recipe: Recipe,
  edits: readonly EditChoice[],
  read: (path: string) => string | null,
  readContext: (path: string) => Promise<JobFile[]>,
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
  const dockerfile = readDockerfile(text, definedArguments(recipe));
  const bases = dockerfile.stages.flatMap((stage) => [
    ...(stage.baseImage === null ? [] : [stage.baseImage]),
    ...stage.copiesImages,
  ]);
  if (dockerfile.usesContext && recipe.context === null) {
    throw new Problem(
      "context-missing",
      `${path} copies files from its build context, but ${recipe.file}:${recipe.line} (job ${recipe.job}) names none.`,
      "Add the context to the build command.",
    );
  }
  return {
    recipe,
    dockerfile: path,
    text,
    edits: editsOf(text, edits, { path, target: recipe.target }),
    bases: [...new Set(bases)],
    finalBase: dockerfile.finalBaseImage,
    ownBases: [],
    startsFrom: [],
    context: dockerfile.usesContext && recipe.context !== null ? await readContext(recipe.context) : [],
  };
}

/** Edits one after the other; where the first and the last RUN are one, it is edited once. */
function editsOf(
  text: string,
  choices: readonly EditChoice[],
  options: { path: string; target: string | null },
): ImageSource["edits"] {
  const edits: ImageSource["edits"] = [];
  const refusals: unknown[] = [];
  for (const choice of choices) {
    try {
      const before = edits.at(-1)?.text ?? text;
      const edit = editDockerfile(before, choice, edits.length + 1, options);
      if (edits.every(({ line }) => line !== edit.line)) edits.push(edit);
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

function definedArguments(recipe: Recipe): Record<string, string> {
  const entries = Object.entries(recipe.buildArgs);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Files of one run, below the project directory: the context and the Dockerfile of this scenario. */
export function filesFor(source: ImageSource, scenario: Scenario, projectDirectory: string): JobFile[] {
  const text = source.edits[editNumber(scenario) - 1]?.text ?? source.text;
  const path = `${projectDirectory}/${source.dockerfile}`;
  const content = Buffer.from(text);
  return [
    ...contextRoot(source, projectDirectory),
    ...source.context.filter((file) => file.path !== path),
    { kind: "file", path, content, executable: false },
  ];
}

/** A context that nothing is copied from must still be a directory. */
function contextRoot(source: ImageSource, projectDirectory: string): JobFile[] {
  const context = source.recipe.context;
  if (context === null || context === "." || source.context.length > 0) return [];
  const path = `${projectDirectory}/${context}/.tare`;
  return [{ kind: "file", path, content: new Uint8Array(), executable: false }];
}

export function editReports(source: ImageSource): ImageReport["edits"] {
  return source.edits.map(({ description, line }) => ({ description, synthetic: true, line }));
}
