import { readBuildahBuild } from "./buildah-build.ts";
import { readBuildctl } from "./buildctl-build.ts";
import { noInstances } from "./buildx-instances.ts";
import { readBuildx, readCompose, readDocker } from "./docker-commands.ts";
import { BUILDAH_GLOBAL, BUILDAH_IMAGE } from "./flag-tables.ts";
import { parseFlags } from "./flags.ts";
import { readCalled } from "./called-programs.ts";
import type { GitlabJob } from "./gitlab-ci.ts";
import { holdsInput } from "./gitlab-inputs.ts";
import {
  archivePushed,
  fullName,
  readBuildahPush,
  readLogin,
  readPull,
  readSkopeo,
  readTag,
} from "./image-names.ts";
import { keep, note, noteAt } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { isKaniko, readKanikoBuild } from "./kaniko-build.ts";
import { BUILDERS, OTHER_BUILDERS, callsBuilder } from "./other-builders.ts";
import { unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import { mayCallBuilder } from "./script-callees.ts";
import { followScript } from "./shell.ts";
import { startSession } from "./shell-session.ts";
import type { ShellCommand, ShellJob } from "./shell-session.ts";
import { parseItems } from "./shell-source.ts";
import type { ScriptCache } from "./shell-source.ts";
import { startState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { TreeFiles, Unread } from "./types.ts";
import { treePath } from "./tree-path.ts";
import { literal, reasons, render } from "./value.ts";
import { lineAt } from "./yaml-source.ts";
import type { YamlScalar } from "./yaml-source.ts";

/** Most commands that are followed in all jobs of a tree. */
const MOST_COMMANDS = 200_000;

/** Reads what one job builds. */
export function readJob(
  job: GitlabJob,
  tree: TreeFiles,
  cache: ScriptCache,
): { recipes: Recipe[]; unread: Unread[] } {
  const items = [...job.script, ...job.afterScript, ...job.hooks];
  const said = items.some((item) => BUILDERS.test(item.text));
  const named = job.variables.some((name) => BUILDERS.test(render(job.scope(name))));
  const called = () => mayCallBuilder({ tree, cache }, items.map((item) => item.text).join("\n"));
  if (!said && !named && !called()) return { recipes: [], unread: [] };
  const reading: JobReading = {
    frame: frameOf(job),
    tree,
    drafts: [],
    unread: [],
    buildx: noInstances(),
    pulls: [],
    written: new Map(),
  };
  followJob(reading, job, cache);
  return { recipes: reading.drafts.map((draft) => finish(reading, draft)), unread: reading.unread };
}

function followJob(reading: JobReading, job: GitlabJob, cache: ScriptCache): void {
  const counter = { commands: 0, exhausted: cache.commands > MOST_COMMANDS };
  const shell: ShellJob = {
    outer: { scope: job.scope, names: new Set(job.variables) },
    files: { tree: reading.tree, cache },
    counter,
    written: reading.written,
    run: (command) => readCommand(reading, command),
    refuse: (command, why) => note(reading, command, why),
  };
  for (const item of job.hooks) {
    if (BUILDERS.test(item.text)) noteItem(reading, item, "hooks:pre_get_sources_script is not read");
  }
  // after_script runs in a shell of its own.
  for (const items of [job.script, job.afterScript]) followItems(reading, items, shell, cache);
  cache.commands += counter.commands;
  const [first] = job.script;
  const mentions = job.script.some((item) => BUILDERS.test(item.text)) || reading.drafts.length > 0;
  if (counter.exhausted && first !== undefined && mentions) {
    const line = lineAt(first.source, first.start);
    noteAt(reading, first.source.path, line, job.name, "the script has too many commands");
  }
}

function followItems(
  reading: JobReading,
  items: readonly YamlScalar[],
  shell: ShellJob,
  cache: ScriptCache,
): void {
  const told = items.filter((item) => !holdsInput(item.text));
  for (const item of items) {
    if (told.includes(item) || !BUILDERS.test(item.text)) continue;
    noteItem(reading, item, "it holds inputs that are given where the file is included");
  }
  const { sources, faults } = parseItems(told, cache);
  for (const { item, message } of faults) {
    if (BUILDERS.test(item.text)) noteItem(reading, item, `the shell line cannot be read: ${message}`);
  }
  const state = startState();
  for (const source of sources) followScript(startSession(source, shell), source.script, state);
}

function noteItem(reading: JobReading, item: YamlScalar, why: string): void {
  noteAt(reading, item.source.path, lineAt(item.source, item.start), item.text, why);
}

function frameOf(job: GitlabJob): JobFrame {
  const unresolved = [
    ...(job.image === null ? [] : reasons(job.image).map((why) => ({ part: "runs-in", why }))),
    ...job.services.flatMap((service) => reasons(service).map((why) => ({ part: "services", why }))),
  ];
  return {
    job: job.name,
    runsIn: job.image === null ? null : render(job.image),
    services: job.services.map(render),
    variables: job.variables,
    logins: [],
    condition: job.condition,
    unresolved,
  };
}

function finish(reading: JobReading, { recipe, names, store }: Draft): Recipe {
  const { job } = reading.frame;
  if (recipe.strategy.endsWith("/inline")) {
    recipe.cacheTo = [...recipe.images];
    recipe.cacheToOptions = recipe.images.map(() => ({}));
  }
  if (store !== "none" && recipe.images.length === 0) {
    const why =
      names.length === 0
        ? `the image has no name in job ${job}`
        : `job ${job} does not push ${names.join(", ")}`;
    unresolve(recipe, "push", why);
  }
  return recipe;
}

function readCommand(reading: JobReading, command: ShellCommand): void {
  const before = reading.drafts.length;
  dispatch(reading, command);
  for (const draft of reading.drafts.slice(before)) {
    takePulls(reading, draft);
    const by = draft.recipe.dockerfile === null ? undefined : reading.written.get(draft.recipe.dockerfile);
    if (by === undefined) continue;
    unresolve(draft.recipe, "dockerfile", `${draft.recipe.dockerfile} is written by the job: ${by}`);
    draft.recipe.dockerfile = null;
  }
}

/** What is pulled before a build and is one of its cache sources. */
function takePulls(reading: JobReading, draft: Draft): void {
  const sources = new Set(draft.recipe.cacheFrom.map(fullName));
  for (const { reference, conditions } of reading.pulls) {
    if (!sources.has(fullName(reference)) || draft.recipe.pulls.includes(reference)) continue;
    const further = conditions.filter((condition) => !draft.conditions.includes(condition));
    if (further.length === 0) draft.recipe.pulls.push(reference);
    else unresolve(draft.recipe, "pulls", `${reference} is pulled only if: ${further.join(", ")}`);
  }
}

function dispatch(reading: JobReading, command: ShellCommand): void {
  const [program, ...words] = command.words;
  const path = program === undefined ? "" : render(program.value);
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.exe$/, "");
  if (isKaniko(path, words, reading.frame)) {
    return keep(reading, command, readKanikoBuild(reading, command, words));
  }
  switch (name) {
    case "docker":
      return readDocker(reading, command, words);
    case "buildx":
    case "docker-buildx":
      return readBuildx(reading, command, words);
    case "docker-compose":
    case "podman-compose":
      return readCompose(reading, command, name, words);
    case "buildah":
    case "podman":
      return readBuildah(reading, command, name, words);
    case "buildctl":
    case "buildctl-daemonless.sh": {
      const draft = readBuildctl(reading, command, words);
      return draft === null ? undefined : keep(reading, command, draft);
    }
    case "skopeo":
      return readSkopeo(reading, command, words);
    default:
      return readOther(reading, command, name, words);
  }
}

/** Reads one call of `buildah` or `podman`. */
function readBuildah(
  reading: JobReading,
  command: ShellCommand,
  program: "buildah" | "podman",
  words: readonly Field[],
): void {
  const { operands } = parseFlags(words, BUILDAH_GLOBAL, true);
  const [first = "", second = ""] = operands.slice(0, 2).map((word) => render(word.value));
  const grouped = first === "image";
  const action = grouped ? second : first;
  const rest = operands.slice(grouped ? 2 : 1);
  switch (action) {
    case "bud":
    case "build":
    case "build-using-dockerfile":
      return keep(reading, command, readBuildahBuild(reading, command, rest, `${program} build`));
    case "push":
      return readBuildahPush(reading, command, rest);
    case "pull":
      return readPull(reading, command, rest);
    case "tag":
      return readTag(reading, command, "containers", parseFlags(rest, BUILDAH_IMAGE).operands);
    case "login":
      return readLogin(reading, rest, BUILDAH_IMAGE);
    case "manifest":
      return second === "push" ? readBuildahPush(reading, command, operands.slice(2)) : undefined;
    case "compose":
      return readCompose(reading, command, `${program} compose`, rest);
    case "save":
    case "load":
      return note(
        reading,
        command,
        `${program} ${action}: an image that goes through an archive is not followed`,
      );
    default:
      return readOther(reading, command, program, words);
  }
}

/** Programs that only show or look for their words. */
const NO_RUNNER =
  /^(?:echo|printf|cat|grep|egrep|sed|awk|apk|apt|apt-get|yum|dnf|microdnf|pip|pip3|which|type|git|curl|wget|test|mkdir|chmod|chown|rm|ls|cp|mv|tee|tar|jq|yq|set|trap|alias|find)$/;

/** Whether an operand of a program that is not known is a script of the tree that builds. */
function callsFile(reading: JobReading, command: ShellCommand, word: Field | undefined): boolean {
  if (word === undefined || !/^[\w./-]*\/[\w.-]+$/.test(literal(word.value) ?? "")) return false;
  const { path } = treePath(word.value, command.directory);
  return path !== null && callsBuilder(reading.tree.read(path) ?? "");
}

/** Programs of which nothing is known but what their name says. */
const NAMED_FOR_IT =
  /kaniko|buildkit|(?:docker|image|container)[-_]?(?:build|push)|(?:build|push)[-_]?(?:docker|image|container)/i;

/** Names other builders, archives that are pushed, and builders that are called through another program. */
function readOther(reading: JobReading, command: ShellCommand, name: string, words: readonly Field[]): void {
  const texts = words.map((word) => render(word.value));
  const actions = texts.filter((word) => !word.startsWith("-"));
  const action = [actions[0] ?? "", actions.slice(0, 2).join(" "), actions[1] ?? ""];
  const all = /^(?:mvn|gradle|sbt)/.test(name) ? texts : action;
  const other = OTHER_BUILDERS.find(
    (builder) => builder.program.test(name) && all.some((text) => builder.action.test(text)),
  );
  if (other !== undefined) {
    note(reading, command, other.why ?? `the builder ${name} is not read yet`);
  } else if (name === "crane" && actions[0] === "push") {
    archivePushed(reading, command, actions[1] ?? "", actions.slice(2));
  } else if (/^(?:g?make|python[\d.]*|ruby|perl|node|deno|php|pwsh|groovy)$/.test(name)) {
    readCalled(reading, command, name, words);
  } else if (!NO_RUNNER.test(name) && callsBuilder(texts.join(" "))) {
    note(reading, command, `a builder that is called through ${name} is not read`);
  } else if (callsFile(reading, command, words[0])) {
    note(reading, command, `${texts[0]} calls a builder: it is called through ${name}, which is not known`);
  } else if (NAMED_FOR_IT.test(name) && name !== "buildkitd") {
    note(reading, command, `${name} may build an image: it is no builder that is read`);
  }
}
