export type Access = "read" | "write";

/**
 * What an installation token needs for each request Tare makes; any one of the alternatives will do.
 * Source: https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
 */
export const githubPermissions: readonly {
  method: string;
  path: RegExp;
  anyOf: readonly (readonly [string, Access])[];
}[] = [
  { method: "GET", path: /^\/repos\/[^/]+\/[^/]+\/pulls\/\d+$/, anyOf: [["pull_requests", "read"]] },
  { method: "GET", path: /^\/repos\/[^/]+\/[^/]+\/pulls\/\d+\/files$/, anyOf: [["pull_requests", "read"]] },
  { method: "GET", path: /^\/repos\/[^/]+\/[^/]+\/compare\/[^/]+$/, anyOf: [["contents", "read"]] },
  {
    method: "GET",
    path: /^\/repos\/[^/]+\/[^/]+\/collaborators\/[^/]+\/permission$/,
    anyOf: [["metadata", "read"]],
  },
  {
    method: "GET",
    path: /^\/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments$/,
    anyOf: [
      ["issues", "read"],
      ["pull_requests", "read"],
    ],
  },
  {
    method: "POST",
    path: /^\/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments$/,
    anyOf: [
      ["issues", "write"],
      ["pull_requests", "write"],
    ],
  },
  {
    method: "PATCH",
    path: /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/\d+$/,
    anyOf: [
      ["issues", "write"],
      ["pull_requests", "write"],
    ],
  },
  // git itself.
  { method: "GET", path: /^\/[^/]+\/[^/]+\.git\/info\/refs$/, anyOf: [["contents", "read"]] },
  { method: "POST", path: /^\/[^/]+\/[^/]+\.git\/git-upload-pack$/, anyOf: [["contents", "read"]] },
];

/** Whether these permissions allow the request; null where the table does not know it. */
export function allowed(
  method: string,
  path: string,
  granted: Readonly<Record<string, string>>,
): boolean | null {
  const row = githubPermissions.find((row) => row.method === method && row.path.test(path));
  if (!row) return null;
  return row.anyOf.some(([name, access]) => granted[name] === access || granted[name] === "write");
}
