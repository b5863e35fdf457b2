import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A web server on loopback that remembers what it was asked. */
export type WebOrigin = {
  url: string;
  host: string;
  /** `GET /path`, in order. */
  requests: string[];
  heads: IncomingMessage["headers"][];
  close(): Promise<void>;
};

export async function serveWeb(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebOrigin> {
  const requests: string[] = [];
  const heads: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    heads.push(request.headers);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    heads,
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}
