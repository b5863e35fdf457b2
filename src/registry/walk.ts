import { Outage } from "../domain/problem.ts";
import type { RegistryFault } from "../domain/registry.ts";
import type { RegistryClient } from "./client.ts";
import { mapLimited } from "./map-limited.ts";
import type { ReadManifest } from "./read-manifest.ts";
import { LOOK } from "./registry-http.ts";

/** All manifests of a snapshot are held in memory at once: beyond this it is no registry of builds. */
const MAX_MANIFESTS = 100_000;
const MAX_MANIFEST_BYTES = 128 * 1024 * 1024;

/** What was read of one repository, by digest, and the tags that were there. */
export type WalkedRepository = {
  name: string;
  tags: Map<string, string>;
  manifests: Map<string, ReadManifest>;
  /** What a list named and the registry did not show. */
  faults: RegistryFault[];
};

/** A manifest to be read: by tag or by digest. */
type Lead = {
  repository: WalkedRepository;
  reference: string;
  by: "tag" | "manifest" | "entry" | "referrers";
};

/**
 * Reads every manifest that tags, indexes, subjects and lists of referrers lead to, wave by wave. A digest is read once
 * in a repository, so every loop ends. A child that is not there is left out: `settle` names it.
 */
export async function walk(client: RegistryClient, names: readonly string[]): Promise<WalkedRepository[]> {
  const tagLists = await mapLimited(names, (name) => client.tags(name));
  const repositories = names.map((name): WalkedRepository => ({
    name,
    tags: new Map(),
    manifests: new Map(),
    faults: [],
  }));
  const spent = { manifests: 0, bytes: 0 };
  const asked = new Set<string>();
  const referrers = { supported: true };
  let leads = repositories.flatMap((repository, index) =>
    (tagLists[index] ?? []).map((reference): Lead => ({ repository, reference, by: "tag" })),
  );
  while (leads.length > 0) {
    const fresh = await readWave(client, leads, spent);
    const next = [...fresh.flatMap(leadsOf), ...(await referrersOf(client, fresh, referrers))];
    leads = next.filter(({ repository, reference }) => {
      const key = `${repository.name} ${reference}`;
      if (asked.has(key) || repository.manifests.has(reference)) return false;
      asked.add(key);
      return true;
    });
  }
  return repositories;
}

type Fresh = { repository: WalkedRepository; read: ReadManifest };

async function readWave(
  client: RegistryClient,
  leads: readonly Lead[],
  spent: { manifests: number; bytes: number },
): Promise<Fresh[]> {
  const reads = await mapLimited(leads, async ({ repository, reference, by }) => {
    // Distribution 2.8 answers 500 to who asks for a layer as a manifest: what may be a blob is asked for as one first.
    if (by === "entry" && (await client.blobBytes(repository.name, reference)) !== null) return null;
    const read = await client.manifest(repository.name, reference);
    spent.manifests += read === null ? 0 : 1;
    spent.bytes += read?.manifest.bytes ?? 0;
    if (spent.manifests > MAX_MANIFESTS || spent.bytes > MAX_MANIFEST_BYTES) {
      const limits = `${MAX_MANIFESTS} manifests or ${MAX_MANIFEST_BYTES} bytes of them`;
      throw new Outage(`The registry holds more than ${limits}.`, LOOK);
    }
    return read;
  });
  // In the order of the leads, whichever answer came first: equal registries give equal snapshots.
  const fresh: Fresh[] = [];
  leads.forEach(({ repository, reference, by }, index) => {
    const read = reads[index] ?? null;
    if (read === null) {
      if (by === "tag" || by === "referrers") {
        repository.faults.push(missing(repository.name, reference, by));
      }
      return;
    }
    const { digest } = read.manifest;
    if (by === "tag") repository.tags.set(reference, digest);
    if (repository.manifests.has(digest)) return;
    repository.manifests.set(digest, read);
    fresh.push({ repository, read });
  });
  return fresh;
}

function missing(repository: string, reference: string, by: "tag" | "referrers"): RegistryFault {
  const list = by === "tag" ? "its tags" : "its referrers";
  return {
    kind: "manifest-missing",
    repository,
    namedBy: by === "tag" ? reference : "referrers",
    digest: by === "tag" ? "" : reference,
    said: `${repository} lists ${reference} among ${list} and has no such manifest.`,
  };
}

/** Children, the manifest that this one is about, and entries of an index that may be children. */
function leadsOf({ repository, read }: Fresh): Lead[] {
  const manifests =
    read.subject === null ? read.manifest.children : [...read.manifest.children, read.subject];
  return [
    ...manifests.map((reference): Lead => ({ repository, reference, by: "manifest" })),
    ...read.unsettled.map(({ digest }): Lead => ({ repository, reference: digest, by: "entry" })),
  ];
}

/** The first registry's "no such list" ends the questions: its referrers stand under tags `sha256-<hex>`, which are read as tags. */
async function referrersOf(
  client: RegistryClient,
  fresh: readonly Fresh[],
  referrers: { supported: boolean },
): Promise<Lead[]> {
  const lists = await mapLimited(fresh, async ({ repository, read }): Promise<Lead[]> => {
    if (!referrers.supported) return [];
    const digests = await client.referrers(repository.name, read.manifest.digest);
    if (digests === "unsupported") referrers.supported = false;
    else return digests.map((reference) => ({ repository, reference, by: "referrers" }));
    return [];
  });
  return lists.flat();
}
