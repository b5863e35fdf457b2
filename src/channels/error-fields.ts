/** What may be logged of an error: its name, message, HTTP status and place. Clients hang requests, tokens and payloads on theirs. */
export function errorFields(error: unknown): {
  error: { name: string; message: string; status?: number; stack?: string };
} {
  if (!(error instanceof Error)) return { error: { name: "unknown", message: String(error) } };
  const status = "status" in error && typeof error.status === "number" ? { status: error.status } : {};
  const stack = error.stack ? { stack: error.stack } : {};
  return { error: { name: error.name, message: error.message, ...status, ...stack } };
}
