import { randomBytes } from "node:crypto";
import type { JobFile, Limits } from "../../src/domain/job.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { Traffic } from "../../src/domain/registry.ts";
import type { TrialRegistry } from "../../src/registry/trial-registry.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import type { Scenario } from "../../src/domain/report.ts";
import { builders } from "../../src/builders/index.ts";
import { editDockerfile } from "../../src/recipes/dockerfile.ts";
import type { EditChoice } from "../../src/trials/image-source.ts";
import {
  filesFor,
  loadImageSource,
  scenariosOfSource,
  type ImageSource,
} from "../../src/trials/image-source.ts";
import { trialReference } from "../../src/trials/references.ts";
import { runTrial, type TrialRecord } from "../../src/trials/run-trial.ts";
import { registryDirectory, sumDisk, type LiveDiskSums, type LiveTestbed } from "./live-testbed.ts";

const CONTEXT = { projectPath: "group/project", branch: "main" };
const DIRECTORY = "/builds/group/project";

export type LiveTrial = { record: TrialRecord; disk: LiveDiskSums[] };

/** Runs one strategy on a Dockerfile; after each run the registry's files are summed by the test's own reading. */
export async function runLiveTrial(
  live: LiveTestbed,
  recipe: Recipe,
  dockerfile: string,
  options: {
    /** RUNs that are edited, one after the other; the same one may be edited again. `none`: the text stays as it is. */
    edits?: (EditChoice | "none")[];
    /** Something that happens to the registry before the last scenario; `uses` are the tags of the runs before it. */
    beforeLast?: (registry: TrialRegistry, uses: Traffic[]) => Promise<void>;
    limits?: Partial<Limits>;
    moreMemoryBytes?: number;
    scenarios?: Scenario[];
    /** Files of the build context, below the project directory. */
    context?: JobFile[];
  } = {},
): Promise<LiveTrial> {
  const loaded = await loadImageSource(recipe, [], {
    read: (path) => (path === recipe.dockerfile ? dockerfile : null),
    readContext: async () => options.context ?? [],
    versions: [],
  });
  const source = { ...loaded, edits: editsOf(loaded, options.edits ?? ["first"]) };
  const disk: LiveDiskSums[] = [];
  const uses: Traffic[] = [];
  const scenarios = options.scenarios ?? scenariosOfSource(source);
  const running: { registry: TrialRegistry | null; what: string } = { registry: null, what: "" };
  const name = `live-${randomBytes(4).toString("hex")}`;
  const record = await runTrial(
    {
      name,
      builder: builders[recipe.builder],
      prerequisites: [],
      fork: null,
      scenarios,
      describe: (scenario, host, limits) => {
        const mapped = (references: string[]) =>
          references.map((reference) => trialReference(reference, CONTEXT, host, recipe));
        return {
          name: `${name}-${scenario.replace(" ", "-")}-${limits.memoryBytes}`,
          recipe,
          images: mapped(recipe.images),
          cacheFrom: mapped(recipe.cacheFrom),
          cacheTo: mapped(recipe.cacheTo),
          pulls: mapped(recipe.pulls),
          files: filesFor(source, scenario, DIRECTORY),
          projectDirectory: DIRECTORY,
          dockerfile: `${DIRECTORY}/${source.dockerfile}`,
          context: recipe.context === "." ? DIRECTORY : `${DIRECTORY}/${recipe.context}`,
          registryHost: host,
          mirrors: live.mirrors,
          proxy: null,
          image: live.testbed.tools.builders[recipe.builder]?.image ?? "",
          limits,
        };
      },
      limits: { ...DEFAULT_LIMITS, durationMs: 300_000, ...options.limits },
      moreMemoryBytes: options.moreMemoryBytes ?? null,
      baseDiffIds: () => live.base.diffIds,
    },
    {
      async run(job) {
        const { registry, what } = running;
        if (registry !== null && what === scenarios.at(-1)) await options.beforeLast?.(registry, uses);
        return live.run(job);
      },
      onRun: (what) => void (running.what = what),
      missedDownloads: () => false,
      monotonicMs: () => performance.now(),
      startRegistry: async (registryName) => {
        const registry = await live.startRegistry(registryName);
        const root = await registryDirectory(live.testbed, registry.host);
        let runs = -1;
        running.registry = registry;
        return {
          ...registry,
          async traffic() {
            runs += 1;
            // Called before and after each run: after it the files are those that were charged.
            if (runs % 2 === 1) disk.push(sumDisk(root, "group/project/image"));
            const traffic = await registry.traffic();
            if (runs % 2 === 1) uses.push(traffic);
            return traffic;
          },
        };
      },
    },
    new AbortController().signal,
  );
  return { record, disk };
}

function editsOf(loaded: ImageSource, choices: readonly (EditChoice | "none")[]): ImageSource["edits"] {
  const edits: ImageSource["edits"] = [];
  for (const choice of choices) {
    const last = edits.at(-1);
    if (choice === "none") {
      if (last !== undefined) edits.push(last);
      continue;
    }
    const before = last?.text ?? loaded.text;
    const edit = editDockerfile(before, choice, edits.length + 1, {
      path: loaded.dockerfile,
      target: loaded.recipe.target,
    });
    edits.push({ ...loaded, ...edit, synthetic: true });
  }
  return edits;
}
