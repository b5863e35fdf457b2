import { pino, type DestinationStream, type Logger } from "pino";
import { errorFields } from "../channels/error-fields.ts";

/**
 * The web process's log, one JSON object a line on standard output. What is known to hold a secret or a
 * payload is removed by name, should a field of that name ever be logged.
 */
export function createWebLog(options: { level?: string; destination?: DestinationStream } = {}): Logger {
  const names = [
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
  const settings = {
    level: options.level ?? "info",
    base: { name: "tare" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    serializers: { err: (error: unknown) => errorFields(error).error },
    redact: { paths: [...names, ...names.map((name) => `*.${name}`)], censor: "withheld" },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}
