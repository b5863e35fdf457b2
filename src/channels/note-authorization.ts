import type { Secrets } from "../lib/secrets.ts";

/** The same `fetch`, which has every credential that is sent known as a secret: clients get and renew their tokens unseen. */
export function noteAuthorization(send: typeof fetch, secrets: Pick<Secrets, "add">): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
    const credential = headers.get("authorization")?.trim().split(/\s+/u).at(-1) ?? "";
    if (credential !== "") secrets.add(credential);
    return send(input, init);
  };
}
