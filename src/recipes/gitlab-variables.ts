import { concatenate, known, unknown, variable } from "./value.ts";
import type { Value } from "./value.ts";

/** A variable as a template states it. `expand: false` keeps `$` as it is; `why` says that its value is not told. */
export type GitlabVariable = { text: string; expand: boolean; why?: string };

/** Value of a variable by its name; unknown where no template defines it. */
export type Scope = (name: string) => Value;

/** Whether GitLab sets a variable of this name itself. */
export function isPredefined(name: string): boolean {
  return /^(?:CI|(?:CI|GITLAB)_[A-Z0-9_]+)$/.test(name);
}

/**
 * Variables of one job, expanded as GitLab does before any shell sees them: `$A`, `${A}` and `$$`.
 * A variable that leads back to itself stays as written, as in GitLab.
 */
export function createScope(variables: ReadonlyMap<string, GitlabVariable>, job: string): Scope {
  const done = new Map<string, Value>();
  const open = new Set<string>();

  function lookup(name: string): Value {
    const value = done.get(name);
    if (value !== undefined) return value;
    const stated = variables.get(name);
    if (stated === undefined) {
      // The only predefined variable that the template itself tells.
      if (name === "CI_JOB_NAME") return known(job);
      return isPredefined(name)
        ? variable(name)
        : unknown(`$${name}`, `$${name} is not defined in the templates (job ${job})`);
    }
    if (stated.why !== undefined) return unknown(`$${name}`, stated.why);
    if (open.has(name)) return unknown(`$${name}`, `$${name} is defined by itself (job ${job})`);
    open.add(name);
    const expanded = stated.expand ? expandGitlab(stated.text, lookup) : known(stated.text);
    open.delete(name);
    // Kept even inside of a circle: variables that double each other would take for ever otherwise.
    done.set(name, expanded);
    return expanded;
  }

  return lookup;
}

/** Expands `$A`, `${A}` and `$$` in a text as GitLab does. An input that has no value is not known. */
export function expandGitlab(text: string, scope: Scope): Value {
  const values: Value[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\[\[.*?\]\]|\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g)) {
    values.push(known(text.slice(end, match.index)));
    const name = match[1] ?? match[2];
    const [written] = match;
    if (name !== undefined) values.push(scope(name));
    else if (written === "$$") values.push(known("$"));
    else values.push(unknown(written, `${written} is given where the file is included`));
    end = match.index + match[0].length;
  }
  return concatenate(...values, known(text.slice(end)));
}
