import type { IncomingMessage, ServerResponse } from "node:http";

/** An image as an engine knows it. */
export type FakeImage = { layers: string[]; labels?: Record<string, string>; digests?: string[] };

/** Images on an engine, and those that it can pull. */
export type FakeImages = {
  held: Map<string, FakeImage>;
  pullable: Map<string, FakeImage>;
  /** `pull NAME`, `import NAME`, `push NAME`, `tag NAME NAME`, `remove NAME`, in order. */
  done: string[];
  /** Why the engine cannot push; null: it can. */
  pushFails: string | null;
};

export const fakeImages = (): FakeImages => ({
  held: new Map(),
  pullable: new Map(),
  done: [],
  pushFails: null,
});

/** Answers requests for images as an engine does; false where the request is for something else. */
export function answerImages(
  images: FakeImages,
  asked: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): boolean {
  const query = new URL(request.url ?? "/", "http://engine").searchParams;
  const [, method = "", name = "", action = ""] =
    /^(\w+) \/images\/(.+?)(?:\/(json|push|tag))?$/.exec(asked) ?? [];
  if (name === "") return false;
  if (asked === "POST /images/create") return create(images, query, body, response);
  const image = images.held.get(name);
  if (image === undefined) return reply(response, 404, { message: `No such image: ${name}` });
  if (action === "json") return reply(response, 200, inspected(image));
  if (action === "tag") {
    const tagged = `${query.get("repo")}:${query.get("tag")}`;
    images.done.push(`tag ${name} ${tagged}`);
    images.held.set(tagged, { ...image });
    return reply(response, 201);
  }
  if (action === "push") return push(images, name, image, response);
  if (method !== "DELETE") return false;
  images.done.push(`remove ${name}`);
  images.held.delete(name);
  return reply(response, 200, []);
}

function reply(response: ServerResponse, status: number, body?: unknown): true {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
  return true;
}

function inspected({ layers, labels, digests }: FakeImage): unknown {
  return {
    Id: "sha256:1",
    RootFS: { Layers: layers },
    Config: { Labels: labels ?? null },
    RepoDigests: digests ?? [],
  };
}

/** Progress of an engine is a stream of JSON; a failure is in it, after a status of 200. */
function progress(response: ServerResponse, ...messages: unknown[]): true {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(""));
  return true;
}

function create(images: FakeImages, query: URLSearchParams, body: Buffer, response: ServerResponse): true {
  if (query.get("fromSrc") !== null) {
    const name = query.get("repo") ?? "";
    images.done.push(`import ${name}`);
    const changes = query
      .getAll("changes")
      .flatMap((text) => (text.startsWith("[") ? (JSON.parse(text) as string[]) : [text]));
    const labels = changes.flatMap((change) => {
      const [, key, value] = /^LABEL (\S+?)=(.*)$/.exec(change) ?? [];
      return key === undefined ? [] : [[key, value ?? ""] as const];
    });
    images.held.set(name, {
      layers: [`sha256:tar-of-${body.length}-bytes`],
      labels: Object.fromEntries(labels),
    });
    return progress(response, { status: "sha256:1" });
  }
  const tag = query.get("tag") ?? "";
  const from = query.get("fromImage") ?? "";
  const name = tag === "" ? from : `${from}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`;
  images.done.push(`pull ${name}`);
  const image = images.pullable.get(name);
  if (image === undefined) {
    return progress(response, { status: "Pulling" }, { error: `manifest for ${name} not found` });
  }
  images.held.set(name, image);
  return progress(response, { status: "Pulling" }, { status: "Done" });
}

function push(images: FakeImages, name: string, image: FakeImage, response: ServerResponse): true {
  images.done.push(`push ${name}`);
  if (images.pushFails !== null) return progress(response, { error: images.pushFails });
  const repository = name.slice(0, name.lastIndexOf(":"));
  image.digests = [...(image.digests ?? []), `${repository}@sha256:pushed`];
  return progress(response, { status: "pushed" });
}
