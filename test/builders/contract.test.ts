import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { Snapshot } from "../../src/domain/registry.ts";
import { loadImageSource, filesFor, scenariosOfSource } from "../../src/trials/image-source.ts";
import { trialReference } from "../../src/trials/references.ts";
import { runTrial } from "../../src/trials/run-trial.ts";
import { builderContract, type BuilderWorld, type DiskSums } from "../contracts/builder-contract.ts";
import { playBuilder } from "../fakes/builder-programs.ts";
import { quietDoors, trialWorld } from "../fakes/trial-world.ts";

const CONTEXT = { projectPath: "group/project", branch: "main" };
const DIRECTORY = "/builds/group/project";

/** The same sums as those of a real registry's files, from what the fake holds. */
function sumsOf({ repositories, stored }: Snapshot): DiskSums {
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, bytes) => total + bytes, 0);
  const perRepository = repositories.map(({ name, manifests }) => {
    const blobs = Object.values(manifests).flatMap((manifest) => [
      manifest,
      ...(manifest.config === null ? [] : [manifest.config]),
      ...manifest.layers,
    ]);
    return [name, sum(new Map(blobs.map(({ digest, bytes }) => [digest, bytes])).values())] as const;
  });
  const layers = repositories.flatMap(({ manifests }) =>
    Object.values(manifests).flatMap((manifest) => manifest.layers),
  );
  return {
    storedBytes: sum(Object.values(stored ?? {})),
    namespaceBytes: sum(new Map(layers.map(({ digest, bytes }) => [digest, bytes])).values()),
    perRepository: Object.fromEntries(perRepository),
  };
}

const trial: BuilderWorld["trial"] = async (recipe, dockerfile, edits) => {
  const world = trialWorld(playBuilder);
  const disk: DiskSums[] = [];
  const source = await loadImageSource(recipe, edits, {
    read: () => dockerfile,
    readContext: async () => [],
    versions: [],
  });
  const record = await runTrial(
    {
      name: "contract",
      builder: builders[recipe.builder],
      prerequisites: [],
      fork: null,
      scenarios: scenariosOfSource(source),
      describe: (scenario, host, limits) => {
        const mapped = (references: string[]) =>
          references.map((reference) => trialReference(reference, CONTEXT, host, recipe));
        return {
          name: `contract-${scenario}`,
          recipe,
          images: mapped(recipe.images),
          cacheFrom: mapped(recipe.cacheFrom),
          cacheTo: mapped(recipe.cacheTo),
          pulls: mapped(recipe.pulls),
          files: filesFor(source, scenario, DIRECTORY),
          projectDirectory: DIRECTORY,
          dockerfile: `${DIRECTORY}/Dockerfile`,
          context: DIRECTORY,
          registryHost: host,
          mirrors: [],
          proxy: null,
          image: "builder",
          limits,
        };
      },
      limits: DEFAULT_LIMITS,
      moreMemoryBytes: null,
      baseDiffIds: () => ["diff-base"],
    },
    {
      ...quietDoors(),
      run: world.run,
      onRun: () => {},
      startRegistry: async (name) => {
        const registry = await world.startRegistry(name);
        return {
          ...registry,
          async snapshot() {
            const snapshot = await registry.snapshot();
            disk.push(sumsOf(snapshot));
            return snapshot;
          },
        };
      },
    },
    new AbortController().signal,
  );
  // The first one is taken before anything is built.
  return { record, disk: disk.slice(1) };
};

builderContract(
  "builders that are played by their words",
  async () => ({ trial, close: async () => {} }),
  () => [1, 2, 3],
);
