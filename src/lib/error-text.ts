/** What a thrown value says, whatever it is. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** HTTP status that a client's error carries; null where it has none. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null) return null;
  if ("statusCode" in error && typeof error.statusCode === "number") return error.statusCode;
  return "status" in error && typeof error.status === "number" ? error.status : null;
}

/** Code that a system error carries, for example ENOENT; null where it has none. */
export function codeOf(error: unknown): string | null {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}
