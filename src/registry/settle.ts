import type { Descriptor, Manifest, RegistryFault } from "../domain/registry.ts";
import type { ReadManifest } from "./read-manifest.ts";
import type { WalkedRepository } from "./walk.ts";

/** Sizes of a repository's blobs as they are; null for those that are not there. */
export type BlobSizes = ReadonlyMap<string, number | null>;

/** Digests of blobs that a repository's manifests name and that it should hold: all but foreign layers. */
export function namedBlobs(repository: WalkedRepository): Set<string> {
  const digests = new Set<string>();
  for (const { manifest, unsettled } of repository.manifests.values()) {
    const parts = [
      ...manifest.layers,
      ...unsettled.filter(({ digest }) => !repository.manifests.has(digest)),
    ];
    if (manifest.config !== null) parts.push(manifest.config);
    for (const part of parts) if (!part.foreign) digests.add(part.digest);
  }
  return digests;
}

/**
 * Manifests with everything settled that their bytes leave open: entries of unknown type are children or layers by what
 * they are, sizes are the blobs' own, and blobs that are not there are 0 bytes. All that differs from what was claimed is
 * a fault.
 */
export function settle(
  repository: WalkedRepository,
  sizes: BlobSizes,
): { manifests: Manifest[]; faults: RegistryFault[] } {
  const faults = [...repository.faults];
  const manifests = [...repository.manifests.values()].map((read) => {
    const { digest } = read.manifest;
    const named = new Set<string>();
    // A digest may stand many times in one manifest: it is told once.
    const fault: Fault = (kind, at, said) => {
      if (named.size === named.add(`${kind} ${at}`).size) return;
      faults.push({ kind, repository: repository.name, namedBy: digest, digest: at, said });
    };
    return settleOne(read, repository, sizes, fault);
  });
  return { manifests, faults };
}

type Fault = (kind: RegistryFault["kind"], digest: string, said: string) => void;

function settleOne(
  read: ReadManifest,
  repository: WalkedRepository,
  sizes: BlobSizes,
  fault: Fault,
): Manifest {
  const { manifest, unsettled } = read;
  const at = `${repository.name}@${manifest.digest}`;
  if (read.unknownType) {
    fault(
      "type-unknown",
      manifest.digest,
      `${at} has ${typeText(manifest)}: it is read by the usual fields.`,
    );
  }
  compareChildren(read, repository, at, fault);
  const isManifest = ({ digest }: Descriptor) => repository.manifests.has(digest);
  for (const entry of unsettled) {
    const kind = isManifest(entry) ? "a manifest" : "a blob";
    fault(
      "type-unknown",
      entry.digest,
      `${at} names ${entry.digest} with ${typeText(entry)}: it is counted as ${kind}, which it is.`,
    );
  }
  const real = (part: Descriptor) => settleBlob(part, sizes, read.unsized, at, fault);
  return {
    ...manifest,
    config: manifest.config === null ? null : real(manifest.config),
    layers: [...manifest.layers, ...unsettled.filter((entry) => !isManifest(entry))].map(real),
    children: [...manifest.children, ...unsettled.filter(isManifest).map(({ digest }) => digest)],
  };
}

function typeText({ mediaType }: { mediaType: string }): string {
  return mediaType === "" ? "no type" : `the unknown type ${mediaType}`;
}

function compareChildren(read: ReadManifest, repository: WalkedRepository, at: string, fault: Fault): void {
  for (const { digest, bytes } of read.described) {
    const child = repository.manifests.get(digest)?.manifest;
    if (child === undefined) {
      const said = `${at} names the manifest ${digest} of ${bytes} bytes, which is not there: it counts 0 bytes.`;
      fault("manifest-missing", digest, said);
    } else if (child.bytes !== bytes) {
      fault("size-differs", digest, `${at} says that ${digest} has ${bytes} bytes; it has ${child.bytes}.`);
    }
  }
}

function settleBlob(
  part: Descriptor,
  sizes: BlobSizes,
  unsized: boolean,
  at: string,
  fault: Fault,
): Descriptor {
  if (part.foreign) return part;
  const bytes = sizes.get(part.digest) ?? null;
  if (bytes === null) {
    const claimed = unsized ? "" : ` of ${part.bytes} bytes`;
    fault(
      "blob-missing",
      part.digest,
      `${at} names the blob ${part.digest}${claimed}, which is not there: it counts 0 bytes.`,
    );
    return { ...part, bytes: 0 };
  }
  if (bytes !== part.bytes && !unsized) {
    fault(
      "size-differs",
      part.digest,
      `${at} says that ${part.digest} has ${part.bytes} bytes; it has ${bytes}.`,
    );
  }
  return { ...part, bytes };
}
