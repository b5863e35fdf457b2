import type { Snapshot } from "../domain/registry.ts";
import type { RegistryClient } from "./client.ts";
import { reachedByTags } from "./ledgers.ts";
import { mapLimited } from "./map-limited.ts";
import { namedBlobs, settle } from "./settle.ts";
import { walk } from "./walk.ts";

/**
 * Everything that the given repositories hold at this moment, as far as a reader can know: what tags reach, and what
 * refers to it. `stored` is handed through; sizes of blobs come from it, or else from the registry, one question each.
 * Throws Outage where the registry does not answer or shows bytes that a digest does not name.
 */
export async function takeSnapshot(
  client: RegistryClient,
  names: readonly string[],
  stored: Snapshot["stored"],
): Promise<Snapshot> {
  const snapshot: Snapshot = { repositories: [], stored, faults: [] };
  for (const repository of await walk(client, names)) {
    const blobs = [...namedBlobs(repository)];
    const sizes = await mapLimited(
      blobs,
      async (digest) => stored?.[digest] ?? (await client.blobBytes(repository.name, digest)),
    );
    const known = new Map(blobs.map((digest, index) => [digest, sizes[index] ?? null]));
    const { manifests, faults } = settle(repository, known);
    snapshot.faults.push(...faults);
    if (repository.tags.size === 0) continue;
    const held = {
      name: repository.name,
      // A tag may be called __proto__: assigning it would lose it.
      tags: Object.fromEntries(repository.tags),
      manifests: Object.fromEntries(manifests.map((manifest) => [manifest.digest, manifest])),
    };
    const reached = reachedByTags(held);
    const untagged = Object.keys(held.manifests).filter((digest) => !reached.has(digest));
    snapshot.repositories.push({ ...held, untagged });
  }
  return snapshot;
}
