import type { Recipe } from "../domain/recipe.ts";
import { annotationOption, readOutput } from "./exporter-options.ts";
import {
  all,
  drop,
  flagValues,
  own,
  read,
  refuse,
  WHY,
  words,
  type FlagReading,
  type FlagRule,
} from "./flags.ts";

const DAEMON = "the job has a daemon of its own";
const NO_EFFECT = "BuildKit does nothing with it";

const opt = (name: string) => read((value) => words("--opt", `${name}=${value ?? ""}`));

/**
 * Flags of `docker buildx build` with an instance that runs BuildKit in a container, in buildctl's words
 * (docs.docker.com/reference/cli/docker/buildx/build; docker/buildx build/opt.go).
 */
export const BUILDX_RULES: Readonly<Record<string, FlagRule>> = {
  ...all("tag file cache-from cache-to build-arg target push", own),
  "--no-cache": read((value) => (value === "false" ? own : words("--no-cache"))),
  "--no-cache-filter": opt("no-cache"),
  "--platform": opt("platform"),
  "--label": read((value) => {
    const [name = "", ...rest] = (value ?? "").split("=");
    return words("--opt", `label:${name}=${rest.join("=")}`);
  }),
  "--pull": read((value) => (value === "false" ? own : words("--opt", "image-resolve-mode=pull"))),
  "--provenance": read((value) => attestation("provenance", value ?? "true")),
  "--sbom": read((value) => attestation("sbom", value ?? "true")),
  "--attest": read((value) => {
    const type = /(?:^|,)type=([\w-]+)/.exec(value ?? "")?.[1];
    if (type === undefined) return refuse("it names no type of attestation");
    return /(?:^|,)disabled=(?:true|1)/.test(value ?? "") ? own : words("--opt", `attest:${type}=${value}`);
  }),
  "--annotation": read((value) =>
    annotationOption(value ?? "") === null ? refuse("it is no annotation that Tare can read") : own,
  ),
  "--output": read(readOutput),
  "--load": drop("the image is pushed from where it was built"),
  "--builder": drop(DAEMON),
  ...all("progress quiet debug", drop(WHY.shown)),
  ...all("iidfile metadata-file", drop(WHY.file)),
  "--network": drop(WHY.network),
  ...all("memory memory-swap cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems", drop(WHY.limits)),
  ...all("rm force-rm compress disable-content-trust", drop(NO_EFFECT)),
  ...all("shm-size ulimit", refuse("Tare has no words of buildctl for it")),
  ...all(
    "add-host allow build-context cgroup-parent isolation privileged security-opt volume",
    refuse(WHY.host),
  ),
  ...all("secret ssh", refuse(WHY.secret)),
  "--squash": refuse("it needs an experimental daemon"),
};

/** Flags of `buildctl build` (docs/reference/buildctl.md of moby/buildkit). */
export const BUILDCTL_RULES: Readonly<Record<string, FlagRule>> = {
  ...all("local export-cache export-cache-opt import-cache", own),
  "--no-cache": read((value) => (value === "false" ? own : words("--no-cache"))),
  "--frontend": read((value) =>
    value === "dockerfile.v0" ? own : refuse("only the frontend dockerfile.v0 is run"),
  ),
  ...all("opt frontend-opt", read(readOpt)),
  "--output": read(readOutput),
  "--exporter": read((value) => (value === "image" ? own : refuse(WHY.notPushed))),
  "--exporter-opt": read((value) => readOutput(`type=image,${value}`)),
  ...all("progress trace debug debug-json-cache-metrics", drop(WHY.shown)),
  ...all("metadata-file ref-file", drop(WHY.file)),
  ...all("addr wait timeout tlsservername tlscacert tlscert tlskey tlsdir", drop(DAEMON)),
  "--registry-auth-tlscontext": drop(WHY.registries),
  ...all("allow oci-layout source-policy-file", refuse(WHY.host)),
  ...all("secret ssh", refuse(WHY.secret)),
};

/** `--provenance` and `--sbom` as buildx writes them out: `true`, `false`, or options. */
function attestation(type: string, value: string): FlagReading {
  if (/^(?:0|f|false)$/i.test(value)) return own;
  const options = /^(?:1|t|true)$/i.test(value) ? "disabled=false" : value;
  return words("--opt", `attest:${type}=type=${type},${options}`);
}

/** Options of the frontend that Tare hands on; those of the recipe's own fields are stated from there. */
function readOpt(value: string | null): FlagReading {
  const name = (value ?? "").split("=", 1)[0] ?? "";
  if (/^(?:build-arg:.+|filename|target)$/.test(name)) return own;
  if (/^(?:label:.+|attest:(?:provenance|sbom)|platform|no-cache|image-resolve-mode)$/.test(name))
    return words("--opt", value ?? "");
  if (name === "force-network-mode") return drop(WHY.network);
  if (/^(?:add-hosts|cgroup-parent|context(?::.+)?|input:.+|source)$/.test(name)) return refuse(WHY.host);
  return refuse(`Tare does not know the option ${name} of the frontend`);
}

/**
 * buildx adds provenance with the least detail where the template says nothing of it (0.10 and later); buildctl does not.
 */
export function defaultProvenance(recipe: Recipe): string[] {
  const said =
    recipe.flags.some((flag) => /^--provenance(?:=|$)/.test(flag)) ||
    flagValues(recipe, "--attest").some((value) => /(?:^|,)type=provenance(?:,|$)/.test(value)) ||
    /^(?:1|t|true)$/i.test(recipe.environment["BUILDX_NO_DEFAULT_ATTESTATIONS"] ?? "");
  return said ? [] : ["--opt", "attest:provenance=mode=min,inline-only=true"];
}
