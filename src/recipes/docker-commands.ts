import { readBakeCommand } from "./bake/bake-command.ts";
import { followBuildx } from "./buildx-instances.ts";
import { readDockerBuild } from "./docker-build.ts";
import { readBuilderRun } from "./docker-run.ts";
import { BUILDX_GLOBAL, DOCKER_GLOBAL } from "./flag-tables.ts";
import { parseFlags, valuesOf } from "./flags.ts";
import { fullName, readLogin, readPull, readPush, readTag } from "./image-names.ts";
import { keep, note } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { unresolve } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { concatenate, known, render } from "./value.ts";

/** Reads one call of `docker`; `words` are those after the program. */
export function readDocker(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { operands } = parseFlags(words, DOCKER_GLOBAL, true);
  const [first, second] = operands.slice(0, 2).map((word) => render(word.value));
  const grouped = first === "image" || first === "builder" || first === "container";
  const action = (grouped ? second : first) ?? "";
  const rest = operands.slice(grouped ? 2 : 1);
  switch (action) {
    case "build":
      return keep(reading, command, readDockerBuild(reading, command, rest, "docker build"));
    case "push":
      return readPush(reading, command, rest);
    case "pull":
      return readPull(reading, command, rest);
    case "tag":
      return readTag(reading, command, "docker", rest);
    case "login":
      return readLogin(reading, rest);
    case "buildx":
      return readBuildx(reading, command, rest);
    case "compose":
      return readCompose(reading, command, "docker compose", rest);
    case "bake":
      return readBakeCommand(reading, command, rest);
    case "run":
    case "create":
      return readBuilderRun(reading, command, rest);
    case "save":
      return readSave(reading, command, rest);
    case "commit":
    case "import":
      return note(reading, command, `docker ${action} makes an image without a Dockerfile`);
    case "manifest":
      return readManifest(reading, command, rest);
    default:
  }
}

/** Reads `docker buildx …`, also where buildx is called as a program of its own. */
export function readBuildx(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { flags, operands } = parseFlags(words, BUILDX_GLOBAL, true);
  const [action = "", ...below] = operands.map((word) => render(word.value));
  const rest = operands.slice(1);
  // `docker buildx --builder x build` is `docker buildx build --builder x`.
  const given = valuesOf(flags, "builder").map((value) => ({
    value: concatenate(known("--builder="), value),
    loose: false,
  }));
  if (/^(?:build|b)$/.test(action)) {
    const draft = readDockerBuild(reading, command, [...given, ...rest], "docker buildx build");
    return keep(reading, command, draft);
  }
  if (/^(?:bake|f)$/.test(action)) {
    return readBakeCommand(reading, command, [...given, ...rest]);
  }
  if (action === "imagetools" && below[0] === "create") {
    return note(reading, command, "an image index is put together of images that are pushed already");
  }
  followBuildx(reading.buildx, action, command, rest);
}

/** Names what compose builds or pushes: its images stand in a file of their own. */
export function readCompose(
  reading: JobReading,
  command: ShellCommand,
  program: string,
  words: readonly Field[],
): void {
  const texts = new Set(words.map((word) => render(word.value)));
  const action = ["build", "push"].find((each) => texts.has(each));
  if (action !== undefined || texts.has("--build")) {
    note(
      reading,
      command,
      `${program} ${action ?? "up --build"} is not read yet: its images stand in its own file`,
    );
  }
}

/** An image that is saved into an archive may be pushed by somebody else. */
function readSave(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const names = new Set(words.map((word) => fullName(render(word.value))));
  for (const draft of reading.drafts) {
    if (!draft.names.some((name) => names.has(fullName(name)))) continue;
    unresolve(draft.recipe, "push", `the image is saved into an archive: ${command.text}`);
  }
}

function readManifest(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const [action] = words.map((word) => render(word.value));
  if (action !== "push") return;
  note(reading, command, "an image index is put together of images that are pushed already");
}
