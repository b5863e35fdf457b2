import type { Traffic } from "../domain/registry.ts";

const LINE = /"(GET|PUT) (\/v2\/\S+) HTTP\/[\d.]+" (\d{3}) (\d+)/;

/**
 * Bytes that crossed the link by a registry's own access log (CNCF Distribution's combined format): what GETs were
 * answered with, and the sizes of blobs whose upload was completed. Manifests that were pushed are not in it: the log
 * tells neither their digest nor their size. Blobs mounted from another repository do not cross the link. `sizes` maps
 * digests to bytes.
 */
export function readTraffic(lines: readonly string[], sizes: ReadonlyMap<string, number>): Traffic {
  let pulledBytes = 0;
  let pushedBytes = 0;
  for (const line of lines) {
    const [, method, uri, status, written] = LINE.exec(line) ?? [];
    if (method === undefined || uri === undefined) continue;
    if (method === "GET" && (status === "200" || status === "206")) pulledBytes += Number(written);
    if (method === "PUT" && status === "201") {
      const digest = new URL(uri, "http://registry").searchParams.get("digest");
      pushedBytes += digest === null ? 0 : (sizes.get(digest) ?? 0);
    }
  }
  return { pulledBytes, pushedBytes };
}
