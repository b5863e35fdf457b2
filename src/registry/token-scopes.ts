/**
 * What Docker's token protocol asks for (distribution, docs/spec/auth/scope.md): `repository:group/app:pull,push`.
 * `type` is `repository` for everything that builders do.
 */
export type Scope = { type: string; name: string; actions: string[] };

/** Who asks; `null` is nobody: a client without credentials. */
export type User = "upstream" | "contributor" | null;

/** Who may do what: `contributor` is the root namespace of the fork, everything else is upstream's. */
export type AccessRules = { contributor: string; upstreamReadable: boolean };

/** More are asked for by no builder. */
const MOST_SCOPES = 100;

/**
 * Reads scopes, each of which may hold several between spaces; those of one name are one. null where a text is no scope.
 * A type may have a class in brackets, a name may have colons: the first and the last one part them.
 */
export function readScopes(texts: readonly string[]): Scope[] | null {
  const scopes = new Map<string, Scope>();
  const words = texts.flatMap((text) => text.split(" ")).filter((word) => word !== "");
  if (words.length > MOST_SCOPES) return null;
  for (const word of words) {
    const [, type, name, actions] = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z*,]*)$/.exec(word) ?? [];
    if (type === undefined || name === undefined || actions === undefined) return null;
    const scope = scopes.get(`${type}:${name}`) ?? { type, name, actions: [] };
    const asked = [...scope.actions, ...actions.split(",").filter((action) => action !== "")];
    scopes.set(`${type}:${name}`, { ...scope, actions: [...new Set(asked)] });
  }
  return [...scopes.values()];
}

/**
 * The actions of a scope that this user may do. Upstream pulls and pushes everywhere but in the fork: a trial's registry
 * stands for every registry that a template names. The contributor pulls and pushes in the fork, pulls the rest where it
 * is readable, and never pushes there. Who may push may delete, as jobs of GitLab may in their own project: kaniko ends
 * its test of a push by deleting it.
 */
export function allowedActions(user: User, scope: Scope, rules: AccessRules): string[] {
  if (user === null || scope.type !== "repository") return [];
  const isFork = scope.name.startsWith(`${rules.contributor}/`);
  const mayPush = isFork === (user === "contributor");
  const mayPull = mayPush || (user === "contributor" && rules.upstreamReadable);
  const allowed = new Set([...(mayPull ? ["pull"] : []), ...(mayPush ? ["push", "delete"] : [])]);
  return scope.actions.filter((action) => allowed.has(action));
}
