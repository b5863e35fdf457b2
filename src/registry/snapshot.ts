import type { Manifest, Snapshot } from "../domain/registry.ts";
import type { RegistryClient } from "./client.ts";

type Repository = Snapshot["repositories"][number];

/** Requests under way at once: enough to hide a round trip, few enough to be polite. */
const CONCURRENCY = 16;

/** Runs `task` over `items`, at most `CONCURRENCY` at a time; results in order. */
async function mapLimited<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await task(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}

/** Everything that tags of the given repositories reach, at this moment. `stored` is handed through. */
export async function takeSnapshot(
  client: RegistryClient,
  names: readonly string[],
  stored: Snapshot["stored"],
): Promise<Snapshot> {
  const tagLists = await mapLimited(names, (name) => client.tags(name));
  const references = names.flatMap((name, index) => (tagLists[index] ?? []).map((tag) => ({ name, tag })));
  const heads = await mapLimited(references, ({ name, tag }) => client.manifest(name, tag));
  const repositories = new Map<string, Repository>(
    names.map((name) => [name, { name, tags: {}, manifests: {} }]),
  );
  references.forEach(({ name, tag }, index) => {
    const repository = repositories.get(name);
    const manifest = heads[index];
    if (repository === undefined || manifest === undefined) return;
    repository.tags[tag] = manifest.digest;
    repository.manifests[manifest.digest] = manifest;
  });
  await readChildren(client, [...repositories.values()]);
  return { repositories: [...repositories.values()].filter((repository) => hasTags(repository)), stored };
}

function hasTags(repository: Repository): boolean {
  return Object.keys(repository.tags).length > 0;
}

/** Follows indexes level by level until nothing is missing; a digest is read once, so a loop ends by itself. */
async function readChildren(client: RegistryClient, repositories: Repository[]): Promise<void> {
  for (;;) {
    const missing = repositories.flatMap((repository) =>
      [...new Set(Object.values(repository.manifests).flatMap((manifest) => manifest.children))]
        .filter((digest) => repository.manifests[digest] === undefined)
        .map((digest) => ({ repository, digest })),
    );
    if (missing.length === 0) return;
    const manifests = await mapLimited(missing, ({ repository, digest }) =>
      client.manifest(repository.name, digest),
    );
    missing.forEach(({ repository, digest }, index) => {
      repository.manifests[digest] = manifests[index] as Manifest;
    });
  }
}
