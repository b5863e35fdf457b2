import type { YamlMap, YamlNode } from "./yaml-source.ts";

/** Values of a file's inputs by name. */
export type Inputs = ReadonlyMap<string, string>;

/** `$[[ inputs.name ]]`, with functions behind it that are not applied. */
const INPUT = /\$\[\[\s*inputs\.([\w-]+)\s*\]\]/g;

/** Whether a text still holds an input. */
export function holdsInput(text: string): boolean {
  return text.includes("$[[");
}

/** Inputs that an include gives, over the defaults that the file's header states. */
export function inputsOf(spec: YamlMap | null, given: YamlNode | undefined): Inputs {
  const values = new Map<string, string>();
  const declared = mapOf(spec?.entries.get("inputs"));
  for (const [name, node] of declared) {
    const value = node.kind === "map" ? node.entries.get("default") : undefined;
    if (value?.kind === "scalar") values.set(name, value.text);
  }
  for (const [name, node] of mapOf(given)) {
    if (node.kind === "scalar") values.set(name, node.text);
    else values.delete(name);
  }
  return values;
}

function mapOf(node: YamlNode | undefined): Iterable<[string, YamlNode]> {
  return node?.kind === "map" ? node.entries : [];
}

/** The configuration with its inputs written in; those without a value stay as written. */
export function writeInputs(config: YamlMap, inputs: Inputs): YamlMap {
  const write = (text: string) =>
    text.replaceAll(INPUT, (written, name: string) => inputs.get(name) ?? written);
  const walkMap = (map: YamlMap): YamlMap => ({
    ...map,
    entries: new Map([...map.entries].map(([key, value]) => [write(key), walk(value)])),
  });
  const walk = (node: YamlNode): YamlNode => {
    switch (node.kind) {
      case "scalar":
        return holdsInput(node.text) ? { ...node, text: write(node.text) } : node;
      case "list":
        return { ...node, items: node.items.map(walk) };
      case "map":
        return walkMap(node);
      case "reference":
        return { ...node, path: node.path.map(write) };
    }
    return node satisfies never;
  };
  return walkMap(config);
}
