import type { IncomingMessage, ServerResponse } from "node:http";
import send from "send";
import type { StoredAnswer } from "./answer-store.ts";

/**
 * Answers a request from disk: ranges and conditions (If-None-Match, If-Modified-Since, If-Range) by the validators of
 * the origin. `count` hears of the bytes of the body as they go.
 */
export function serveStored(
  request: IncomingMessage,
  response: ServerResponse,
  bodies: string,
  answer: StoredAnswer,
  count: (bytes: number) => void,
): void {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  const sending = send(request, answer.sha256, {
    root: bodies,
    etag: false,
    lastModified: false,
    cacheControl: false,
    // Only the whole has parts: what says that there is nothing does not.
    acceptRanges: answer.status === 200,
    index: false,
  });
  sending.on("stream", (stream: NodeJS.ReadableStream) => {
    stream.on("data", (chunk: Buffer) => count(chunk.length));
  });
  sending.pipe(response);
}
