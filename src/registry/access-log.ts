import type { TagName, Traffic } from "../domain/registry.ts";

const LINE = /"(GET|HEAD|PUT|POST|PATCH|DELETE) (\/v2\/\S*) HTTP\/[\d.]+" (\d{3}) (\d+)/;

/**
 * Bytes that crossed the link by a registry's own access log (CNCF Distribution's combined format): what GETs were
 * answered with, and the sizes of blobs whose upload was completed: by PUT after POST (docker, BuildKit), after PATCHes as
 * well (kaniko, buildah), or by one POST. Manifests that were pushed are not in it: the log
 * tells neither their digest nor their size. Blobs mounted from another repository do not cross the link; a mount that was
 * answered with 202 goes on as an upload. `sizes` maps digests to bytes. Answers of 5xx are counted, whatever was asked;
 * the log does not tell which of them are uploads that the client broke off.
 */
export function readTraffic(lines: readonly string[], sizes: ReadonlyMap<string, number>): Traffic {
  let pulledBytes = 0;
  let pushedBytes = 0;
  let serverErrors = 0;
  for (const line of lines) {
    const [, method, uri, status, written] = LINE.exec(line) ?? [];
    if (method === undefined || uri === undefined) continue;
    if (status?.startsWith("5") === true) serverErrors += 1;
    const answered = status === "200" || status === "206";
    // The greeting at /v2/ is no content.
    if (method === "GET" && answered && uri !== "/v2/") pulledBytes += Number(written);
    pushedBytes += sizes.get(uploadOf(method, uri, status) ?? "") ?? 0;
  }
  return {
    pulledBytes,
    pushedBytes,
    writtenTags: tagsOf(lines, ["PUT"], "201"),
    readTags: tagsOf(lines, ["GET", "HEAD"], "200"),
    serverErrors,
  };
}

/** Tags of manifests that were asked for so and answered so, in the order of the answers. */
function tagsOf(lines: readonly string[], methods: readonly string[], answer: string): TagName[] {
  return lines.flatMap((line) => {
    const [, method = "", uri = "", status] = LINE.exec(line) ?? [];
    if (!methods.includes(method) || status !== answer) return [];
    const [, repository, tag] = /^\/v2\/(.+)\/manifests\/([\w.-]+)$/.exec(uri) ?? [];
    return repository === undefined || tag === undefined ? [] : [{ repository, tag }];
  });
}

/** Digests of the blobs whose upload was completed: those that `readTraffic` wants the sizes of. */
export function uploadedDigests(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [, method, uri, status] = LINE.exec(line) ?? [];
    return uri === undefined ? [] : (uploadOf(method, uri, status) ?? []);
  });
}

function uploadOf(method: string | undefined, uri: string, status: string | undefined): string | null {
  if ((method !== "PUT" && method !== "POST") || status !== "201") return null;
  // A mount names its digest as `mount`, a finished upload as `digest`.
  return new URL(uri, "http://registry").searchParams.get("digest");
}
