import { isPrimitive, mapDatum, toValue, ofValue, unknownDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import type { YamlNode } from "../yaml-source.ts";
import type { Contexts } from "./expression.ts";
import { datumOf } from "./matrix.ts";
import { scalarText } from "./step.ts";

/**
 * Inputs of an action or a reusable workflow: what `with:` gives, else the default. Inputs of an action are texts; those
 * of a workflow keep their kind. `given` null: nobody calls it in this tree.
 */
export function inputsOf(
  declared: YamlNode | undefined,
  given: YamlNode | undefined | null,
  contexts: Contexts,
  of: "action" | "workflow" | "form",
): Datum {
  const entries: [string, Datum][] = [];
  const passed = new Map<string, YamlNode>(
    given?.kind === "map" ? [...given.entries].map(([name, node]) => [name.toLowerCase(), node]) : [],
  );
  for (const [name, node] of declared?.kind === "map" ? declared.entries : []) {
    const type = node.kind === "map" ? scalarText(node, "type") : null;
    const own = passed.get(name.toLowerCase());
    const stated = own ?? (node.kind === "map" ? node.entries.get("default") : undefined);
    if (stated === undefined) entries.push([name, given === null ? missing(name, of) : empty(type, of)]);
    else entries.push([name, typed(datumOf(stated, contexts), type, of)]);
  }
  // GitHub refuses an input that is not declared by a workflow, and only warns of one of an action.
  return mapDatum(entries, (name) => {
    const node = passed.get(name.toLowerCase());
    return node === undefined || of !== "action" ? "" : datumOf(node, contexts);
  });
}

function missing(name: string, of: "action" | "workflow" | "form"): Datum {
  const who = of === "form" ? "whoever starts the workflow" : "the workflow that calls this one";
  return unknownDatum(`inputs.${name}`, `the input ${name} is given by ${who}`);
}

function empty(type: string | null, of: "action" | "workflow" | "form"): Datum {
  if (of === "action") return "";
  return type === "boolean" ? false : type === "number" ? 0 : "";
}

function typed(datum: Datum, type: string | null, of: "action" | "workflow" | "form"): Datum {
  if (of === "action") return isPrimitive(datum) ? String(datum ?? "") : ofValue(toValue(datum));
  if (type === "boolean" && typeof datum === "string") return datum === "true";
  if (type === "string" && isPrimitive(datum)) return String(datum ?? "");
  return datum;
}
