import { Problem } from "../domain/problem.ts";
import { placeOf } from "./yaml-source.ts";
import type { YamlMap, YamlNode } from "./yaml-source.ts";

/** GitLab's limit of inheritance, and of references within references. */
const MOST_LEVELS = 11;
const MOST_REFERENCES = 10;
/** Most nodes that merging and references may make of a configuration. */
const MOST_NODES = 1_000_000;

/** A configuration whose `extends` and `!reference` are resolved on demand. */
export type Resolver = {
  /** A job or template with everything that it extends; null where the configuration has no such key. */
  job(name: string): YamlMap | null;
  /** The node with its references replaced; nested lists stay nested. */
  deref(node: YamlNode): YamlNode;
};

/** Maps are merged key by key, anything else of `above` replaces what is below. */
export function deepMerge(below: YamlMap, above: YamlMap): YamlMap {
  const entries = new Map(below.entries);
  for (const [key, value] of above.entries) {
    const old = entries.get(key);
    entries.set(key, old?.kind === "map" && value.kind === "map" ? deepMerge(old, value) : value);
  }
  return { ...above, size: below.size + above.size, entries };
}

/** Resolves `extends` and `!reference` of a configuration whose includes are written in. */
export function createResolver(config: YamlMap): Resolver {
  const jobs = new Map<string, YamlMap>();
  let nodes = 0;

  function extended(name: string, chain: readonly string[], saidBy: YamlNode): YamlMap {
    const done = jobs.get(name);
    if (done !== undefined) return done;
    const own = config.entries.get(name);
    const circle = [...chain, name];
    if (chain.includes(name)) {
      throw refuse(`${placeOf(saidBy)} extends itself: ${circle.slice(circle.indexOf(name)).join(" -> ")}`);
    }
    if (circle.length > MOST_LEVELS) {
      throw refuse(
        `${placeOf(saidBy)} extends through more than ${MOST_LEVELS} levels: ${circle.join(" -> ")}`,
      );
    }
    if (own?.kind !== "map") {
      throw refuse(`${placeOf(saidBy)} extends ${JSON.stringify(name)}, which is not defined`);
    }
    const merged = parentsOf(own).reduce<YamlMap | null>((below, parent) => {
      const above = extended(parent.name, circle, parent.node);
      nodes += above.entries.size;
      if (nodes > MOST_NODES)
        throw refuse(`${placeOf(saidBy)} grows too large when its templates are merged`);
      return below === null ? above : deepMerge(below, above);
    }, null);
    const job = merged === null ? own : deepMerge(merged, own);
    jobs.set(name, job);
    return job;
  }

  function deref(node: YamlNode, chain: readonly string[]): YamlNode {
    nodes += 1;
    if (nodes > MOST_NODES)
      throw refuse(`${placeOf(node)} grows too large when its references are written out`);
    if (node.kind === "scalar") return node;
    if (node.kind === "list") return { ...node, items: node.items.map((item) => deref(item, chain)) };
    if (node.kind === "map") {
      return {
        ...node,
        entries: new Map([...node.entries].map(([key, value]) => [key, deref(value, chain)])),
      };
    }
    const written = `!reference [${node.path.join(", ")}]`;
    const circle = [...chain, written];
    if (chain.includes(written)) {
      throw refuse(
        `${placeOf(node)} refers to itself: ${circle.slice(circle.indexOf(written)).join(" -> ")}`,
      );
    }
    if (chain.length >= MOST_REFERENCES) {
      throw refuse(
        `${placeOf(node)} refers through more than ${MOST_REFERENCES} levels: ${circle.join(" -> ")}`,
      );
    }
    return deref(target(node.path, node, written), circle);
  }

  function target(path: readonly string[], node: YamlNode, written: string): YamlNode {
    const [name = "", ...keys] = path;
    const top = config.entries.get(name);
    let found: YamlNode | undefined = top?.kind === "map" ? extended(name, [], node) : top;
    for (const key of keys) found = found?.kind === "map" ? found.entries.get(key) : undefined;
    if (found === undefined) throw refuse(`${placeOf(node)}: ${written} is not defined`);
    return found;
  }

  return {
    job: (name) => (config.entries.get(name)?.kind === "map" ? extended(name, [], config) : null),
    deref: (node) => deref(node, []),
  };
}

function parentsOf(job: YamlMap): { name: string; node: YamlNode }[] {
  const written = job.entries.get("extends");
  if (written === undefined) return [];
  const nodes = written.kind === "list" ? written.items : [written];
  return nodes.map((node) => {
    if (node.kind === "scalar") return { name: node.text, node };
    throw refuse(`${placeOf(node)}: extends takes names of jobs`);
  });
}

function refuse(message: string): Problem {
  return new Problem("template-unreadable", message, "Mend the template; GitLab refuses it, too.");
}
