import { createHash } from "node:crypto";

/** A descriptor as manifests have it. */
export type Pushed = { mediaType: string; digest: string; size: number };

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Pushes by the distribution API itself, in the shapes that builders use. Throws where an answer is not the expected one. */
export type Pusher = {
  /** One PUT with all bytes (BuildKit, docker's containerd store). */
  blob(repository: string, mediaType: string, content: string | Uint8Array): Promise<Pushed>;
  /** PATCH after PATCH, then an empty PUT (docker's older store, kaniko, buildah). */
  chunkedBlob(repository: string, mediaType: string, chunks: readonly Uint8Array[]): Promise<Pushed>;
  /** Mounts a blob of another repository: nothing crosses the link. */
  mount(repository: string, from: string, blob: Pushed): Promise<Pushed>;
  /** PUT of a manifest under a tag, or under its digest where the tag is null. */
  manifest(repository: string, tag: string | null, mediaType: string, fields: object): Promise<Pushed>;
  /** Status that a manifest is answered with, for those that are refused. */
  manifestStatus(repository: string, tag: string, mediaType: string, body: string): Promise<number>;
};

export function createPusher(host: string): Pusher {
  const origin = `http://${host}`;
  const put = async (location: string, digest: string, body: Uint8Array) => {
    const url = new URL(location, origin);
    url.searchParams.set("digest", digest);
    await expectStatus(201, url.href, { method: "PUT", body: Buffer.from(body) });
  };
  const upload = async (repository: string) =>
    locationOf(await expectStatus(202, `${origin}/v2/${repository}/blobs/uploads/`, { method: "POST" }));
  const sendManifest = (repository: string, reference: string, mediaType: string, body: string) =>
    fetch(`${origin}/v2/${repository}/manifests/${reference}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body,
    });
  return {
    async blob(repository, mediaType, content) {
      const bytes = Buffer.from(content);
      const digest = digestOf(bytes);
      await put(await upload(repository), digest, bytes);
      return { mediaType, digest, size: bytes.length };
    },
    async chunkedBlob(repository, mediaType, chunks) {
      const bytes = Buffer.concat(chunks);
      let location = await upload(repository);
      for (const chunk of chunks) {
        const url = new URL(location, origin).href;
        location = locationOf(await expectStatus(202, url, { method: "PATCH", body: Buffer.from(chunk) }));
      }
      await put(location, digestOf(bytes), new Uint8Array());
      return { mediaType, digest: digestOf(bytes), size: bytes.length };
    },
    async mount(repository, from, blob) {
      const url = `${origin}/v2/${repository}/blobs/uploads/?mount=${blob.digest}&from=${from}`;
      await expectStatus(201, url, { method: "POST" });
      return blob;
    },
    async manifest(repository, tag, mediaType, fields) {
      const body = JSON.stringify({ schemaVersion: 2, mediaType, ...fields });
      const digest = digestOf(Buffer.from(body));
      const response = await sendManifest(repository, tag ?? digest, mediaType, body);
      if (response.status !== 201) {
        throw new Error(`${repository}:${tag}: ${response.status} ${await response.text()}`);
      }
      return { mediaType, digest, size: Buffer.byteLength(body) };
    },
    async manifestStatus(repository, tag, mediaType, body) {
      return (await sendManifest(repository, tag, mediaType, body)).status;
    },
  };
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (response.status !== status) throw new Error(`${init.method} ${url}: ${response.status} ${text}`);
  return response;
}

function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`${response.url} names no location`);
  return location;
}
