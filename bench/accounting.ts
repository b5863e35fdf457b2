import { createHash } from "node:crypto";
import { createRegistryClient } from "../src/registry/client.ts";
import { chargeAll } from "../src/registry/ledgers.ts";
import { takeSnapshot } from "../src/registry/snapshot.ts";
import { openLiveTestbed } from "../test/live/live-testbed.ts";
import { inWords, ratioInWords, timed } from "./figures.ts";

const REPOSITORIES = 10;
const TAGS = 100;
const RUNS = 7;
const CONCURRENCY = 16;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Accounting of 10 repositories with 100 tags each, against concurrent raw fetches of the same manifests (target 1.15). */
export async function benchAccounting(): Promise<void> {
  const live = await openLiveTestbed();
  const registry = await live.startRegistry("bench");
  const origin = `http://${registry.host}`;
  try {
    const names = Array.from({ length: REPOSITORIES }, (_, index) => `bench/image-${index}`);
    for (const name of names) await fillRepository(origin, name);
    const ours: number[] = [];
    const raw: number[] = [];
    const client = createRegistryClient(origin);
    // Sizes of blobs come from the registry's disk, as in a trial.
    const { stored } = await registry.snapshot();
    let bytes = 0;
    for (let run = 0; run < RUNS + 1; run++) {
      const account = await timed(async () => {
        bytes = chargeAll(await takeSnapshot(client, names, stored)).perRepository;
      });
      const fetches = await timed(() => fetchAll(origin, names));
      // The first pair warms both sides up.
      if (run > 0) {
        ours.push(account);
        raw.push(fetches);
      }
    }
    console.log(inWords(`accounting ${REPOSITORIES} x ${TAGS} tags (${bytes} B)`, ours));
    console.log(inWords("concurrent raw fetches of the same manifests", raw));
    console.log(ratioInWords("accounting against raw fetches", ours, raw));
  } finally {
    await registry.remove();
    await live.close();
  }
}

async function push(origin: string, name: string, content: string): Promise<string> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const started = await fetch(`${origin}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const location = new URL(started.headers.get("location") ?? "", origin);
  location.searchParams.set("digest", digest);
  await fetch(location, { method: "PUT", body: content });
  return digest;
}

async function fillRepository(origin: string, name: string): Promise<void> {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
  });
  const configDigest = await push(origin, name, config);
  const layers = await Promise.all(
    Array.from({ length: TAGS }, (_, index) => push(origin, name, `layer ${name} ${index}`)),
  );
  for (const [index, layer] of layers.entries()) {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: configDigest,
        size: config.length,
      },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar",
          digest: layer,
          size: `layer ${name} ${index}`.length,
        },
      ],
    });
    const response = await fetch(`${origin}/v2/${name}/manifests/tag-${index}`, {
      method: "PUT",
      headers: { "content-type": MANIFEST },
      body: manifest,
    });
    if (!response.ok) throw new Error(`push of ${name}:tag-${index} failed with ${response.status}`);
  }
}

/** The least that a reader of every manifest has to do: the same tags, as many requests at once, bodies read. */
async function fetchAll(origin: string, names: readonly string[]): Promise<void> {
  const paths = names.flatMap((name) =>
    Array.from({ length: TAGS }, (_, index) => `${origin}/v2/${name}/manifests/tag-${index}`),
  );
  let next = 0;
  const worker = async () => {
    while (next < paths.length) {
      const path = paths[next++] ?? "";
      const response = await fetch(path, { headers: { accept: MANIFEST } });
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
