import { readBuildahBuild } from "./buildah-build.ts";
import { readBuildctl } from "./buildctl-build.ts";
import { readBuildx, readCompose, readDocker } from "./docker-commands.ts";
import { BUILDAH_GLOBAL, BUILDAH_IMAGE } from "./flag-tables.ts";
import { parseFlags } from "./flags.ts";
import { readCalled, readsScripts } from "./called-programs.ts";
import {
  archivePushed,
  fullName,
  readBuildahPush,
  readLogin,
  readPull,
  readSkopeo,
  readTag,
} from "./image-names.ts";
import { keep, note } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { isKaniko, readKanikoBuild } from "./kaniko-build.ts";
import { OTHER_BUILDERS, callsBuilder } from "./other-builders.ts";
import { unresolve } from "./recipe-draft.ts";
import type { Draft } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import { literal, render } from "./value.ts";

/** Reads one command of a job: a build, a push, a login, or something that is named. */
export function readCommand(reading: JobReading, command: ShellCommand): void {
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
  } else if (readsScripts(name)) {
    readCalled(reading, command, name, words);
  } else if (!NO_RUNNER.test(name) && callsBuilder(texts.join(" "))) {
    note(reading, command, `a builder that is called through ${name} is not read`);
  } else if (callsFile(reading, command, words[0])) {
    note(reading, command, `${texts[0]} calls a builder: it is called through ${name}, which is not known`);
  } else if (NAMED_FOR_IT.test(name) && name !== "buildkitd") {
    note(reading, command, `${name} may build an image: it is no builder that is read`);
  }
}
