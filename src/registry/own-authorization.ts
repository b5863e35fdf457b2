import type { Authorize } from "./registry-http.ts";
import type { Scope } from "./token-scopes.ts";
import type { TokenServer } from "./token-server.ts";

/** How Tare itself reads a registry with users: by tokens that the token server makes without being asked over the network. */
export function ownAuthorization(tokens: Pick<TokenServer, "mint">): Authorize {
  return async (path) => `Bearer ${await tokens.mint(scopesOf(path))}`;
}

/** Least that the path needs; the greeting at /v2/ needs a token and no scope. */
function scopesOf(path: string): Scope[] {
  if (path.startsWith("/v2/_catalog")) return [{ type: "registry", name: "catalog", actions: ["*"] }];
  const name = /^\/v2\/(.+)\/(?:tags\/list|(?:manifests|blobs|referrers)\/)/.exec(path)?.[1];
  return name === undefined ? [] : [{ type: "repository", name, actions: ["pull"] }];
}
