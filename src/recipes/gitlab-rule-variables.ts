import { isRunning, rulesOf } from "./gitlab-condition.ts";
import type { GitlabVariable } from "./gitlab-variables.ts";
import type { YamlNode } from "./yaml-source.ts";

/**
 * Variables that rules set. The value that the templates state counts where a rule lets the job run with it: that is
 * the ordinary pipeline. Else the value is told only where every rule that lets the job run sets the same.
 */
export function ruleVariables(
  node: YamlNode | null,
  stated: ReadonlyMap<string, GitlabVariable>,
  read: (node: YamlNode | null) => Map<string, GitlabVariable>,
  whose: string,
): Map<string, GitlabVariable> {
  const rows = rulesOf(node)
    .filter(isRunning)
    .map((rule) => read(rule.entries.get("variables") ?? null));
  const result = new Map<string, GitlabVariable>();
  for (const name of new Set(rows.flatMap((row) => [...row.keys()]))) {
    if (stated.has(name) && rows.some((row) => !row.has(name))) continue;
    const values = rows.map((row) => row.get(name));
    const [first] = values;
    const same = values.every((value) => value !== undefined && value.text === first?.text);
    const why = `$${name} depends on the rules of ${whose}`;
    result.set(name, same && first !== undefined ? first : { text: "", expand: false, why });
  }
  return result;
}
