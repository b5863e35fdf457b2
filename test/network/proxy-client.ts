import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";

export type Heard = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Asks a proxy for an address and resolves with the head of the answer. */
export async function ask(
  proxy: string,
  url: string,
  headers: OutgoingHttpHeaders = {},
  method = "GET",
  body = "",
): Promise<IncomingMessage> {
  const asking = request(proxy, {
    path: url,
    method,
    headers: { host: new URL(url).host, ...headers },
    agent: false,
  });
  asking.end(body);
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return answer;
}

/** The same with the body; rejects where the answer breaks off. */
export async function get(
  proxy: string,
  url: string,
  headers: OutgoingHttpHeaders = {},
  method = "GET",
  body = "",
): Promise<Heard> {
  const answer = await ask(proxy, url, headers, method, body);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
}
