import { isObject, readJson } from "./read-manifest.ts";

/**
 * The bytes that a manifest's digest names. A signed one of schema 1 is named by what was signed: the text without its
 * signatures, put together from `formatLength` and `formatTail` of the first one (Docker's image manifest v2 schema 1,
 * "Signed manifests"). Every other manifest is named by its bytes as they are.
 */
export function namedBytes(where: string, bytes: Buffer, contentType: string | null): Buffer {
  if (contentType?.includes("manifest.v1+prettyjws") !== true) return bytes;
  const raw = readJson(where, bytes);
  const signatures = isObject(raw) ? raw["signatures"] : undefined;
  const first: unknown = Array.isArray(signatures) ? signatures[0] : undefined;
  const secured = isObject(first) ? first["protected"] : undefined;
  if (typeof secured !== "string") return bytes;
  const format = readJson(`the signature of ${where}`, Buffer.from(secured, "base64url"));
  const { formatLength, formatTail } = isObject(format) ? format : {};
  if (typeof formatLength !== "number" || typeof formatTail !== "string") return bytes;
  return Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, "base64url")]);
}
