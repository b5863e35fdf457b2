import type { Scope } from "./gitlab-variables.ts";
import type { Unread } from "./types.ts";
import { literal, reasons, render } from "./value.ts";
import { readYaml12 } from "./yaml-source.ts";
import type { YamlMap, YamlNode } from "./yaml-source.ts";

/** Templates of freedesktop's ci-templates that build an image where their job has no script of its own. */
const BUILDS = /^\.fdo\.(container-build|container-ifnot-exists|qemu-build)@([\w-]+)/;
/** Those whose jobs run in such an image. */
const RUNS_IN = /^\.fdo\.(distribution-image|suffixed-image)@([\w-]+)/;

/** Whether something that is not read is an include of ci-templates. */
export function isCiTemplates({ command, why }: Unread): boolean {
  return /ci-templates/.test(command) || why.includes('"freedesktop/ci-templates"');
}

/**
 * The configuration with the templates of ci-templates that it names and does not hold: they are of another
 * project, and what they do is known by their names.
 */
export function withCiTemplates(config: YamlMap): YamlMap {
  const named = new Set([...config.entries.values()].flatMap(parentsOf));
  const missing = [...named].filter((name) => name.startsWith(".fdo.") && !config.entries.has(name));
  if (missing.length === 0) return config;
  const text = JSON.stringify(Object.fromEntries(missing.map((name) => [name, templateOf(name)])));
  const stated = readYaml12({ path: "freedesktop/ci-templates", text });
  if (stated?.kind !== "map") return config;
  return { ...config, entries: new Map([...config.entries, ...stated.entries]) };
}

/** What a job takes over from a template: nothing but the image that it runs in. */
function templateOf(name: string): Record<string, string> {
  const [, kind, distribution] = RUNS_IN.exec(name) ?? [];
  if (kind === undefined) return {};
  const suffix = kind === "suffixed-image" ? "$FDO_REPO_SUFFIX" : `${distribution}/$FDO_DISTRIBUTION_VERSION`;
  return { image: `$CI_REGISTRY_IMAGE/${suffix}:$FDO_DISTRIBUTION_TAG` };
}

/** The template of ci-templates by which a job builds an image; null where it extends none. */
export function buildingTemplate(config: YamlMap, job: string): string | null {
  const open = [job];
  for (let at = 0; at < open.length && at < 100; at += 1) {
    const name = open[at] ?? "";
    if (BUILDS.test(name)) return name;
    const node = config.entries.get(name);
    // The last one named wins.
    if (node !== undefined) open.push(...parentsOf(node).toReversed());
  }
  return null;
}

/** Why a job of a building template is no recipe, with its image as far as its variables tell it. */
export function whyNoRecipe(template: string, scope: Scope, isSet: (name: string) => boolean): string {
  const [, kind = "", distribution = ""] = BUILDS.exec(template) ?? [];
  const part = (name: string, otherwise: string): string => {
    if (!isSet(name)) return otherwise;
    const value = scope(name);
    return literal(value) ?? (reasons(value).length === 0 ? render(value) : `$${name}`);
  };
  const version = part("FDO_DISTRIBUTION_VERSION", "$FDO_DISTRIBUTION_VERSION");
  const suffix = part("FDO_REPO_SUFFIX", `${distribution}/${version}`);
  const tag = part("FDO_DISTRIBUTION_TAG", "$FDO_DISTRIBUTION_TAG");
  const repository = part("FDO_UPSTREAM_REPO", "");
  const upstream = repository === "" ? "" : `, unless ${repository} has it already`;
  const what = kind === "qemu-build" ? "a machine's image" : "its image from packages and a script";
  return (
    `$CI_REGISTRY_IMAGE/${suffix}:${tag} is built by ci-templates (${template}): it makes ${what}, ` +
    `without a Dockerfile, where the registry has no such tag yet${upstream}`
  );
}

function parentsOf(node: YamlNode): string[] {
  const written = node.kind === "map" ? node.entries.get("extends") : undefined;
  const nodes = written?.kind === "list" ? written.items : written === undefined ? [] : [written];
  return nodes.flatMap((each) => (each.kind === "scalar" ? [each.text] : []));
}
