import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { BodyReader } from "./body-reader.ts";
import { errorFields } from "./error-fields.ts";
import type { Verification } from "./signatures.ts";
import type { Admission, ChannelLog, Door } from "./types.ts";

export type WebhookDoorOptions = {
  name: "github" | "gitlab";
  path: string;
  verify(headers: IncomingHttpHeaders): Verification | null;
  /** The forge's id of this delivery, the same when it is sent again; empty where there is none. */
  deliveryId(headers: IncomingHttpHeaders): string;
  /** Takes an authentic event in, and says what became of it; null where it asks for nothing. */
  receive(event: {
    deliveryId: string;
    headers: IncomingHttpHeaders;
    payload: unknown;
  }): Promise<Admission | null>;
  reader: BodyReader;
  log: ChannelLog;
};

/** A door for signed events: authentic ones are on disk when they are answered 202, others are refused unread. */
export function createWebhookDoor(options: WebhookDoorOptions): Door {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verification = options.verify(request.headers);
    if (!verification) return refuse(options, request, response, 401);
    const read = await options.reader.read(request, verification);
    if (read.kind === "gone") return;
    if (read.kind === "refused") return refuse(options, request, response, read.status);
    let payload: unknown;
    try {
      payload = JSON.parse(read.body.toString("utf8"));
    } catch {
      return refuse(options, request, response, 400);
    }
    // Older GitLab sends no id: the body of a second attempt is the same, that of another event is not.
    const id = options.deliveryId(request.headers) || createHash("sha256").update(read.body).digest("hex");
    await admit(options, response, { id, headers: request.headers, payload });
  }
  return { path: options.path, handle };
}

async function admit(
  options: WebhookDoorOptions,
  response: ServerResponse,
  event: { id: string; headers: IncomingHttpHeaders; payload: unknown },
): Promise<void> {
  try {
    const { headers, payload } = event;
    const admission = await options.receive({ deliveryId: event.id, headers, payload });
    if (admission !== "full") return answer(response, 202);
  } catch (error) {
    options.log.error({ door: options.name, ...errorFields(error) }, "event not taken in");
  }
  response.setHeader("retry-after", "60");
  answer(response, 503);
}

const reasons = {
  202: "accepted",
  400: "not JSON: set the webhook's content type to application/json",
  401: "not authentic",
  413: "too large",
  503: "busy: send it again later",
} as const;

function answer(response: ServerResponse, status: keyof typeof reasons): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${reasons[status]}\n`);
}

/** Says no at once, then drops what still arrives: closing under a sender would lose it the answer. */
function refuse(
  options: WebhookDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
  status: 400 | 401 | 413 | 503,
): void {
  // Debug only, and nothing of the request: anybody can cause this line.
  options.log.debug({ door: options.name, status }, "event refused");
  const body = `${reasons[status]}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  response.write(body);
  if (request.complete) {
    response.end();
    return;
  }
  const timer = setTimeout(() => request.destroy(), 2000);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => response.end());
  request.resume();
}
