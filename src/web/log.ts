import { pino, type DestinationStream, type Logger } from "pino";
import { errorFields } from "../channels/error-fields.ts";
import type { Secrets } from "../lib/secrets.ts";

/** Fields that are never logged, whatever they hold: payloads, and what clients hang on their errors. */
const NEVER = [
  "authorization",
  "token",
  "secret",
  "privateKey",
  "password",
  "payload",
  "body",
  "headers",
  "request",
  "response",
];

/**
 * The web process's log, one JSON object a line on standard output. Each line is redacted as it is written, so that no field
 * and no message is missed; fields that would hold a payload are left out by name.
 */
export function createWebLog(options: {
  secrets: Pick<Secrets, "redact">;
  level?: string;
  destination?: DestinationStream;
}): Logger {
  const settings = {
    level: options.level ?? "info",
    base: { name: "tare" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    serializers: { err: (error: unknown) => errorFields(error).error },
    redact: { paths: [...NEVER, ...NEVER.map((name) => `*.${name}`)], censor: "withheld" },
    hooks: { streamWrite: (line: string) => options.secrets.redact(line) },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}
