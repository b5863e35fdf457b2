import { mapDatum, ofValue, unknownDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { concatenate, known, render, variable } from "../value.ts";
import type { Value } from "../value.ts";
import type { YamlMap, YamlNode } from "../yaml-source.ts";
import type { DecideText } from "./equal.ts";

/** One kind of event that a workflow runs for, with what it tells of the `github` context. */
export type World = {
  event: string;
  ref: "branch" | "tag" | "pull request";
  /** Branch of the pushes, where the workflow names it. */
  branch: string | null;
};

/** Events in the order in which a build is looked for: images are pushed by the first ones. */
const ORDER = [
  ..."push schedule workflow_dispatch release tag merge_group repository_dispatch workflow_run".split(" "),
  ..."workflow_call pull_request_target pull_request".split(" "),
];

/** Worlds of a workflow by its `on:`. */
export function worldsOf(on: YamlNode | undefined): World[] {
  const events = eventsOf(on);
  const names = [...events.keys()].filter((name) => name !== "push");
  const worlds: World[] = names.map((event) => ({
    event,
    ref: event.startsWith("pull_request") ? "pull request" : event === "release" ? "tag" : "branch",
    branch: null,
  }));
  const push = events.get("push");
  if (push !== undefined) {
    const branches = listOf(push, "branches");
    const hasTags = listOf(push, "tags") !== null;
    const onlyTags = hasTags && branches === null;
    if (!onlyTags) worlds.push({ event: "push", ref: "branch", branch: mainOf(branches) });
    if (hasTags || (branches === null && listOf(push, "branches-ignore") === null))
      worlds.push({ event: "push", ref: "tag", branch: null });
  }
  const rank = ({ event, ref }: World) => {
    const at = ORDER.indexOf(event === "push" && ref === "tag" ? "tag" : event);
    return at === -1 ? ORDER.length - 2.5 : at;
  };
  return worlds.toSorted((a, b) => rank(a) - rank(b));
}

function eventsOf(on: YamlNode | undefined): Map<string, YamlMap | null> {
  if (on?.kind === "scalar") return new Map([[on.text, null]]);
  if (on?.kind === "list")
    return new Map(on.items.flatMap((item) => (item.kind === "scalar" ? [[item.text, null] as const] : [])));
  if (on?.kind !== "map") return new Map();
  return new Map([...on.entries].map(([name, node]) => [name, node.kind === "map" ? node : null]));
}

/** Texts of a filter; null where there is none. */
function listOf(push: YamlMap | null, key: string): string[] | null {
  const node = push?.entries.get(key);
  if (node === undefined) return null;
  const items = node.kind === "list" ? node.items : [node];
  return items.flatMap((item) => (item.kind === "scalar" ? [item.text] : []));
}

function mainOf(branches: readonly string[] | null): string | null {
  const plain = (branches ?? []).filter((branch) => /^[\w./-]+$/.test(branch));
  return plain.find((branch) => /^(?:main|master|trunk)$/.test(branch)) ?? plain[0] ?? null;
}

/** Branch names that a repository's default branch has where nothing else tells it. */
const DEFAULT_BRANCH = /^(?:main|master|trunk)$/i;

/** Decides comparisons of what GitHub sets: the project is taken for the one that a template names. */
export function decideFor(world: World): DecideText {
  return (value, other) => {
    const [left, right] = [render(value), render(other)];
    if (/^\$GITHUB_REPOSITORY(?:_OWNER)?$/.test(left) && !right.includes("$")) return true;
    if (world.ref !== "branch") return null;
    const branch = right.replace(/^refs\/heads\//, "");
    const isBranch = left === "refs/heads/$GITHUB_REF_NAME" ? right !== branch : left === "$GITHUB_REF_NAME";
    return isBranch && DEFAULT_BRANCH.test(branch) ? true : null;
  };
}

/** Variables that GitHub's runner sets to what the `github` context says of the same name. */
const SAME_NAME = [
  ..."actor actor_id job ref_protected repository repository_id repository_owner repository_owner_id".split(
    " ",
  ),
  ..."retention_days run_attempt run_id run_number server_url api_url graphql_url sha workflow workflow_ref".split(
    " ",
  ),
  ..."workflow_sha triggering_actor workspace action_path".split(" "),
];

/** The `github` context of a world; `inputs` are those of `workflow_dispatch`. */
export function githubContext(world: World, inputs: Datum): Datum {
  const entries = new Map<string, Datum>(
    SAME_NAME.map((name) => [name, ofValue(variable(`GITHUB_${name.toUpperCase()}`))]),
  );
  entries.set("event_name", world.event);
  entries.set("ref_type", world.ref === "tag" ? "tag" : "branch");
  entries.set("ref_name", ofValue(refName(world)));
  entries.set("ref", ofValue(refOf(world)));
  const isPull = world.ref === "pull request";
  entries.set("head_ref", isPull ? ofValue(variable("GITHUB_HEAD_REF")) : "");
  entries.set("base_ref", isPull ? ofValue(variable("GITHUB_BASE_REF")) : "");
  entries.set("token", unknownDatum("${{ github.token }}", "a token is never read"));
  entries.set("event", eventContext(world, inputs));
  return mapDatum(entries, (name) => unknownDatum(`github.${name}`, runTime(`github.${name}`)));
}

/** `$GITHUB_REF_NAME` of a world. */
export function refName(world: World): Value {
  if (world.branch !== null) return known(world.branch);
  return variable("GITHUB_REF_NAME");
}

/** `$GITHUB_REF` of a world. */
export function refOf(world: World): Value {
  if (world.ref === "pull request") return variable("GITHUB_REF");
  return concatenate(known(world.ref === "tag" ? "refs/tags/" : "refs/heads/"), refName(world));
}

function eventContext(world: World, inputs: Datum): Datum {
  const unknown =
    (path: string) =>
    (name: string): Datum =>
      unknownDatum(`${path}.${name}`, runTime(`${path}.${name}`));
  const owner = mapDatum(
    [["login", ofValue(variable("GITHUB_REPOSITORY_OWNER"))]],
    unknown("github.event.repository.owner"),
  );
  const repository = mapDatum(
    [
      [
        "default_branch",
        world.ref === "branch"
          ? ofValue(refName(world))
          : unknownDatum("github.event.repository.default_branch", runTime("the default branch")),
      ],
      ["full_name", ofValue(variable("GITHUB_REPOSITORY"))],
      ["name", ofValue(variable("GITHUB_REPOSITORY_NAME"))],
      ["fork", false],
      ["owner", owner],
    ],
    unknown("github.event.repository"),
  );
  const isPull = world.ref === "pull request";
  return mapDatum(
    [
      ["repository", repository],
      ["inputs", inputs],
      ["pull_request", isPull ? mapDatum([], pullRequest) : null],
      ...(world.event === "release" ? [] : [["release", null] as const]),
      ["number", isPull ? unknownDatum("github.event.number", runTime("github.event.number")) : null],
      ...(world.event === "workflow_run" ? [] : [["workflow_run", null] as const]),
    ],
    unknown("github.event"),
  );
}

/** Entries of a pull request; whatever they are, a name below them is asked of the same. */
function pullRequest(name: string): Datum {
  return unknownDatum(`github.event.pull_request.${name}`, runTime(`github.event.pull_request.${name}`));
}

/** The reason for what only a pipeline knows. */
export function runTime(what: string): string {
  return `${what} is known only when the workflow runs`;
}
