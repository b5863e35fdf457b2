import { readDockerBuild } from "./docker-build.ts";
import { DOCKER_GLOBAL, DOCKER_LOGIN, DOCKER_PUSH } from "./flag-tables.ts";
import { isOn, parseFlags } from "./flags.ts";
import type { GitlabJob } from "./gitlab-ci.ts";
import { readKanikoBuild } from "./kaniko-build.ts";
import { repositoryOf, unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import { followScript } from "./shell.ts";
import { startSession } from "./shell-session.ts";
import type { ShellCommand } from "./shell-session.ts";
import { parseItems } from "./shell-source.ts";
import type { ScriptCache } from "./shell-source.ts";
import { startState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { TreeFiles, Unread } from "./types.ts";
import { reasons, render } from "./value.ts";
import { lineAt } from "./yaml-source.ts";

/** What is known of a job while its script is followed. */
type JobReading = { frame: JobFrame; tree: TreeFiles; drafts: Draft[]; unread: Unread[] };

/** Most commands that are followed in all jobs of a tree. */
const MOST_COMMANDS = 200_000;

/** Words without which no script builds an image. */
const BUILDERS =
  /docker|executor|kaniko|buildah|podman|buildctl|buildkit|buildx|nerdctl|\bimg\b|\bpack\b|earthly|\bko\b/;

/** Other programs that build images, and the words that say so. */
const OTHER_BUILDERS: readonly { program: RegExp; action: RegExp }[] = [
  { program: /^(?:buildah)$/, action: /^(?:bud|build|build-using-dockerfile|from|commit)$/ },
  { program: /^(?:podman|nerdctl|img)$/, action: /^(?:build|image build)$/ },
  { program: /^(?:buildctl|buildctl-daemonless\.sh)$/, action: /^build$/ },
  { program: /^(?:docker-compose|podman-compose)$/, action: /^build$/ },
  { program: /^pack$/, action: /^build$/ },
  { program: /^ko$/, action: /^(?:build|publish|resolve|apply)$/ },
  { program: /^earthly$/, action: /./ },
];

/** Reads what one job builds. */
export function readJob(
  job: GitlabJob,
  tree: TreeFiles,
  cache: ScriptCache,
): { recipes: Recipe[]; unread: Unread[] } {
  const said = job.script.some((item) => BUILDERS.test(item.text));
  const named = job.variables.some((name) => BUILDERS.test(render(job.scope(name))));
  if (!said && !named) return { recipes: [], unread: [] };
  const reading: JobReading = { frame: frameOf(job), tree, drafts: [], unread: [] };
  const { sources, faults } = parseItems(job.script, cache);
  for (const { item, message } of faults) {
    if (!BUILDERS.test(item.text)) continue;
    const line = lineAt(item.source, item.start);
    note(reading, item.source.path, line, item.text, `the shell line cannot be read: ${message}`);
  }
  const outer = { scope: job.scope, names: new Set(job.variables) };
  const counter = { commands: 0, exhausted: cache.commands > MOST_COMMANDS };
  const state = startState();
  for (const source of sources) {
    const session = startSession(source, outer, counter, (command) => readCommand(reading, command));
    followScript(session, source.script, state);
  }
  cache.commands += counter.commands;
  const [first] = job.script;
  if (counter.exhausted && first !== undefined) {
    note(
      reading,
      first.source.path,
      lineAt(first.source, first.start),
      job.name,
      "the script has too many commands",
    );
  }
  return { recipes: reading.drafts.map((draft) => finish(draft, job.name)), unread: reading.unread };
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
    unresolved,
  };
}

function finish({ recipe, names }: Draft, job: string): Recipe {
  if (recipe.strategy === "docker/inline") recipe.cacheTo = [...recipe.images];
  if (recipe.builder === "docker" && recipe.images.length === 0) {
    const why =
      names.length === 0
        ? `the image has no name in job ${job}`
        : `job ${job} does not push ${names.join(", ")}`;
    unresolve(recipe, "push", why);
  }
  return recipe;
}

function note(reading: JobReading, file: string, line: number, command: string, why: string): void {
  const job = reading.frame.job;
  reading.unread.push({ job, file, line, command: command.replaceAll(/\s+/g, " ").slice(0, 200), why });
}

function readCommand(reading: JobReading, command: ShellCommand): void {
  const [program, ...words] = command.words;
  const path = program === undefined ? "" : render(program.value);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "docker") readDocker(reading, command, words);
  else if (isKaniko(path, reading.frame)) {
    keep(reading, command, readKanikoBuild(reading.frame, command, words, reading.tree));
  } else {
    const actions = words.map((word) => render(word.value)).filter((word) => !word.startsWith("-"));
    const other = OTHER_BUILDERS.find((builder) => builder.program.test(name));
    const action = [actions[0] ?? "", actions.slice(0, 2).join(" "), actions[1] ?? ""];
    if (other !== undefined && action.some((text) => other.action.test(text))) {
      note(reading, command.file, command.line, command.text, `the builder ${name} is not read yet`);
    }
  }
}

function isKaniko(path: string, frame: JobFrame): boolean {
  return path === "/kaniko/executor" || (path === "executor" && (frame.runsIn ?? "").includes("kaniko"));
}

function keep(reading: JobReading, command: ShellCommand, draft: Draft | string): void {
  if (typeof draft === "string") note(reading, command.file, command.line, command.text, draft);
  else reading.drafts.push(draft);
}

function readDocker(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { operands } = parseFlags(words, DOCKER_GLOBAL, true);
  const [first, second] = operands.slice(0, 2).map((word) => render(word.value));
  const grouped = first === "image" || first === "builder";
  const action = grouped ? second : first;
  const rest = operands.slice(grouped ? 2 : 1);
  switch (action ?? "") {
    case "build":
      return keep(reading, command, readDockerBuild(reading.frame, command, rest));
    case "push":
      return readPush(reading, rest);
    case "tag":
      return readTag(reading, rest);
    case "login":
      return readLogin(reading, rest);
    case "buildx":
      if (["build", "b", "bake", "f"].includes(second ?? "")) {
        note(reading, command.file, command.line, command.text, `docker buildx ${second} is not read yet`);
      }
      return;
    case "compose":
      if (rest.some((word) => ["build", "--build"].includes(render(word.value)))) {
        note(reading, command.file, command.line, command.text, "docker compose build is not read yet");
      }
      return;
    case "run":
    case "container":
      if (rest.some((word) => /kaniko|buildkit|buildah/.test(render(word.value)))) {
        note(
          reading,
          command.file,
          command.line,
          command.text,
          "a builder run by docker run is not read yet",
        );
      }
      return;
    default:
  }
}

/** `x` and `x:latest` are one name. */
function fullName(reference: string): string {
  return repositoryOf(reference) === reference ? `${reference}:latest` : reference;
}

function draftOf(reading: JobReading, reference: string): Draft | undefined {
  const wanted = fullName(reference);
  return reading.drafts.findLast((draft) => draft.names.some((name) => fullName(name) === wanted));
}

function readPush(reading: JobReading, words: readonly Field[]): void {
  const { flags, operands } = parseFlags(words, DOCKER_PUSH);
  const [image] = operands.map((operand) => render(operand.value));
  if (image === undefined) return;
  if (isOn(flags, "all-tags") === true) {
    for (const draft of reading.drafts) {
      for (const name of draft.names) if (repositoryOf(name) === image) addImage(draft, name);
    }
    return;
  }
  const draft = draftOf(reading, image);
  if (draft !== undefined) addImage(draft, image);
}

function addImage(draft: Draft, image: string): void {
  if (draft.recipe.builder === "docker" && !draft.recipe.images.includes(image))
    draft.recipe.images.push(image);
}

function readTag(reading: JobReading, words: readonly Field[]): void {
  const [from, to] = words.map((word) => render(word.value));
  if (from === undefined || to === undefined) return;
  const draft = draftOf(reading, from);
  const word = words[1];
  if (draft === undefined || word === undefined) return;
  draft.names.push(to);
  for (const why of reasons(word.value)) unresolve(draft.recipe, "image", why);
}

function readLogin(reading: JobReading, words: readonly Field[]): void {
  const { operands } = parseFlags(words, DOCKER_LOGIN);
  const [registry] = operands;
  const reference = registry === undefined ? "docker.io" : render(registry.value);
  for (const why of registry === undefined ? [] : reasons(registry.value)) {
    reading.frame.unresolved.push({ part: "logins", why });
  }
  if (!reading.frame.logins.includes(reference)) reading.frame.logins.push(reference);
}
