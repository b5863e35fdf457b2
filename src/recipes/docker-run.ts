import { readBuildctl } from "./buildctl-build.ts";
import { DOCKER_RUN } from "./flag-tables.ts";
import { parseFlags, valuesOf } from "./flags.ts";
import { keep, note } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { callsBuilder } from "./other-builders.ts";
import type { ShellCommand } from "./shell-session.ts";
import { directoryValue } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import type { TreePath } from "./tree-path.ts";
import { concatenate, cutText, known, literal, render } from "./value.ts";
import type { Value } from "./value.ts";

/** A directory of the tree that a container sees under a path of its own. */
type Mount = { inside: string; path: string };

/** Reads `docker run` of an image that holds a builder. `words` are those after `run`. */
export function readBuilderRun(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { flags, operands } = parseFlags(words, DOCKER_RUN, true);
  const [image, ...rest] = operands;
  const entrypoint = valuesOf(flags, "entrypoint").at(-1);
  const called = entrypoint === undefined ? rest : [{ value: entrypoint, loose: false }, ...rest];
  const [program, ...given] = called;
  const name = render(program?.value ?? []).replace(/^.*\//, "");
  if (/^buildctl(?:-daemonless\.sh)?$/.test(name) && image !== undefined) {
    const mounts = valuesOf(flags, "volume").flatMap((value) => mountOf(value, command.directory));
    const directory = directoryInside(valuesOf(flags, "workdir").at(-1), mounts);
    const inner: ShellCommand = { ...command, directory };
    const draft = readBuildctl(
      reading,
      inner,
      given.map((word) => insideOut(word, mounts)),
    );
    if (draft !== null) {
      if (typeof draft !== "string") draft.recipe.runsIn = render(image.value);
      return keep(reading, command, draft);
    }
  }
  const texts = operands.map((word) => render(word.value));
  const isBuilder = texts.some((text) => /kaniko|buildkit|buildah/.test(text));
  // A daemon is no build: `docker run -d moby/buildkit`.
  const daemon = flags.some((flag) => flag.name === "detach");
  if ((isBuilder && !daemon) || callsBuilder(texts.slice(1).join(" "))) {
    note(reading, command, "a builder run by docker run is not read yet");
  }
}

/** `-v SOURCE:INSIDE` where the source is a directory of the tree. */
function mountOf(value: Value, directory: TreePath): Mount[] {
  const colon = value.findLastIndex((piece) => piece.kind === "text" && piece.text.includes(":"));
  const piece = value[colon];
  if (piece?.kind !== "text") return [];
  const [before = "", ...after] = piece.text.split(":");
  const [inside] = after;
  const source = concatenate(value.slice(0, colon), known(before));
  const found = treePath(source, directory);
  if (found.path === null || inside === undefined || colon !== value.length - 1) return [];
  return [{ inside: inside.replace(/\/$/, ""), path: found.path }];
}

function directoryInside(workdir: Value | undefined, mounts: readonly Mount[]): TreePath {
  const path = workdir === undefined ? null : literal(workdir);
  const mount = mounts.find((each) => each.inside === path?.replace(/\/$/, ""));
  if (mount !== undefined) return { path: mount.path };
  return { path: null, why: "the working directory is one of the container" };
}

/** A word whose path inside of the container is written as the path of the tree that is mounted there. */
function insideOut(word: Field, mounts: readonly Mount[]): Field {
  const [first] = word.value;
  if (first?.kind !== "text") return word;
  const at = first.text.lastIndexOf("=") + 1;
  const path = first.text.slice(at);
  const mount = mounts.find(({ inside }) => path === inside || path.startsWith(`${inside}/`));
  if (mount === undefined) return word;
  const tail = cutText(word.value, at + mount.inside.length).tail;
  return {
    ...word,
    value: concatenate(known(first.text.slice(0, at)), directoryValue({ path: mount.path }), tail),
  };
}
