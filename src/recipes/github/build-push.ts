import { readDockerBuild } from "../docker-build.ts";
import { keep, note } from "../job-reading.ts";
import type { Field } from "../shell-words.ts";
import { concatenate, known, literal, render } from "../value.ts";
import type { Value } from "../value.ts";
import { commandOf, flagWord, inputOf, splitValue } from "./step.ts";
import type { JobRun, Step } from "./step.ts";

/** Inputs of `docker/build-push-action` that are flags of `docker buildx build`, and how their lists are separated. */
const FLAGS: readonly (readonly [input: string, flag: string, list: "one" | "lines" | "lines or commas"])[] =
  [
    ["add-hosts", "add-host", "lines or commas"],
    ["allow", "allow", "lines or commas"],
    ["annotations", "annotation", "lines"],
    ["attests", "attest", "lines"],
    ["build-args", "build-arg", "lines"],
    ["build-contexts", "build-context", "lines"],
    ["builder", "builder", "one"],
    ["cache-from", "cache-from", "lines"],
    ["cache-to", "cache-to", "lines"],
    ["call", "call", "one"],
    ["cgroup-parent", "cgroup-parent", "one"],
    ["labels", "label", "lines"],
    ["network", "network", "one"],
    ["no-cache-filters", "no-cache-filter", "lines or commas"],
    ["outputs", "output", "lines"],
    ["platforms", "platform", "lines or commas"],
    ["provenance", "provenance", "one"],
    ["sbom", "sbom", "one"],
    ["shm-size", "shm-size", "one"],
    ["ssh", "ssh", "lines"],
    ["tags", "tag", "lines or commas"],
    ["target", "target", "one"],
    ["ulimit", "ulimit", "lines"],
  ];

const SWITCHES = ["load", "no-cache", "pull", "push"];

/** Reads a step that is `docker/build-push-action`: the call of `docker buildx build` that it makes. */
export function readBuildPush(run: JobRun, step: Step, version: string): void {
  const { reading } = run;
  if (/^v?1(?:\.|$)/.test(version)) {
    const why = `docker/build-push-action@${version} has other inputs than those from v2 on: it is not read`;
    return note(reading, commandOf(run, step, []), why);
  }
  const context = contextOf(inputOf(step, "context"));
  const words: Field[] = [];
  for (const [input, flag, list] of FLAGS) {
    const value = inputOf(step, input);
    if (value !== null) words.push(...listOf(value, list).map((each) => flagWord(flag, each)));
  }
  for (const name of SWITCHES) {
    const value = inputOf(step, name);
    if (value !== null && value.length > 0) words.push(flagWord(name, value));
  }
  words.push(...secretWords(step));
  const file = inputOf(step, "file");
  if (file !== null && file.length > 0) {
    words.push(
      flagWord("file", context.below === null ? file : concatenate(known(`${context.below}/`), file)),
    );
  }
  words.push({ value: context.value, loose: false });
  const draft = readDockerBuild(reading, commandOf(run, step, words), words, "docker buildx build");
  keep(reading, commandOf(run, step, words), draft);
}

function listOf(value: Value, list: "one" | "lines" | "lines or commas"): Value[] {
  if (list === "one") return value.length === 0 ? [] : [value];
  return splitValue(value, list === "lines" ? /\n/ : /[\n,]/, list === "lines or commas").map(unquote);
}

/** An entry that is quoted as a whole, as lists in CSV have it. */
function unquote(value: Value): Value {
  const text = literal(value);
  const inner = text === null ? undefined : /^"((?:[^"]|"")*)"$/.exec(text)?.[1];
  return inner === undefined ? value : known(inner.replaceAll('""', '"'));
}

/**
 * The context of a build. Without the input it is the commit itself, from Git: the same files as the checked out tree.
 * `below`: a directory that the Dockerfile is looked for in, as with a context from Git.
 */
export function contextOf(given: Value | null): { value: Value; below: string | null } {
  if (given === null || given.length === 0) return { value: known("."), below: null };
  const text = ownRepository(given) ?? literal(given);
  const inside = text === null ? null : /^\{\{\s*defaultContext\s*\}\}(?::(.*))?$/.exec(text);
  if (inside === null) return { value: given, below: null };
  const directory = (inside[1] ?? "").replace(/^\.?\//, "").replace(/\/$/, "");
  return directory === ""
    ? { value: known("."), below: null }
    : { value: known(directory), below: directory };
}

/** A Git address of the project itself in the words of the default context; null for any other context. */
function ownRepository(value: Value): string | null {
  const match =
    /^(?:https:\/\/github\.com|\$\{?GITHUB_SERVER_URL\}?)\/\$\{?GITHUB_REPOSITORY\}?(?:\.git)?(?:#[^:]*(?::(.*))?)?$/.exec(
      render(value),
    );
  return match === null ? null : `{{defaultContext}}:${match[1] ?? ""}`;
}

/** Secrets by their names alone: their values are never taken. */
function secretWords(step: Step): Field[] {
  return ["secrets", "secret-envs", "secret-files"].flatMap((input) =>
    splitValue(inputOf(step, input) ?? [], /\n/).flatMap((each) => {
      const id = /^"?([\w.-]+)=/.exec(render(each))?.[1];
      return id === undefined ? [] : [flagWord("secret", known(`id=${id}`))];
    }),
  );
}
