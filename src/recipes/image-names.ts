import { BUILDAH_IMAGE, DOCKER_LOGIN, DOCKER_PULL, DOCKER_PUSH, SKOPEO_COPY } from "./flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "./flags.ts";
import { note } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { unresolve } from "./recipe-draft.ts";
import type { Draft } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { reasons, render } from "./value.ts";
import type { Value } from "./value.ts";
import { splitReference } from "../domain/image-reference.ts";

type Store = "docker" | "containers";

/** `x`, `x:latest`, `docker.io/library/x` and buildah's `localhost/x` are one name. */
export function fullName(reference: string): string {
  const short = reference.replace(/^(?:index\.)?docker\.io\/(?:library\/)?|^localhost\//, "");
  return splitReference(short).repository === short ? `${short}:latest` : short;
}

/** Builds that a name may stand for: the last one, and those before it where that one may not have been done. */
function draftsOf(reading: JobReading, command: ShellCommand, store: Store, reference: string): Draft[] {
  const wanted = fullName(reference);
  const named = reading.drafts.filter((draft) => draft.names.some((name) => fullName(name) === wanted));
  const stored = named.filter((draft) => draft.store === store);
  const candidates = (stored.length > 0 ? stored : named).toReversed();
  const sure = candidates.findIndex((draft) =>
    draft.conditions.every((condition) => command.conditions.includes(condition)),
  );
  const asked = sure === -1 ? candidates : candidates.slice(0, sure + 1);
  // In the branch of one build the others are not done.
  return asked.filter((draft) => !excludes(draft.conditions, command.conditions)).toReversed();
}

/** Whether one list holds the opposite of a condition of the other. */
function excludes(a: readonly string[], b: readonly string[]): boolean {
  return (
    a.some((condition) => b.includes(`not ${condition}`)) ||
    b.some((condition) => a.includes(`not ${condition}`))
  );
}

/** Notes that a build is pushed under a name; a push under further conditions is named. */
export function addImage(draft: Draft, image: string, command: ShellCommand): void {
  if (draft.recipe.builder === "kaniko" || draft.recipe.images.includes(image)) return;
  const further = command.conditions.filter((condition) => !draft.conditions.includes(condition));
  if (further.length > 0)
    unresolve(draft.recipe, "push", `${image} is pushed only if: ${further.join(", ")}`);
  draft.recipe.images.push(image);
}

/** `docker push`, and `podman push` of one name. */
export function readPush(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { flags, operands } = parseFlags(words, DOCKER_PUSH);
  const [image] = operands.map((operand) => render(operand.value));
  if (image === undefined) return;
  if (isOn(flags, "all-tags") === true) {
    for (const draft of reading.drafts) {
      for (const name of draft.names)
        if (splitReference(name).repository === image) addImage(draft, name, command);
    }
    return;
  }
  pushName(reading, command, "docker", image, image);
}

function pushName(
  reading: JobReading,
  command: ShellCommand,
  store: Store,
  name: string,
  destination: string,
): void {
  const drafts = draftsOf(reading, command, store, name);
  if (drafts.length === 0)
    note(reading, command, `${name} is pushed, but no build of this job that is read makes it`);
  for (const draft of drafts) {
    if (draft.store === "none" && !draft.recipe.images.includes(destination)) {
      unresolve(draft.recipe, "push", `${destination} is pushed, but the build leaves it in no store`);
    } else addImage(draft, destination, command);
  }
}

/** `buildah push SOURCE [DESTINATION]` and podman's. */
export function readBuildahPush(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { operands } = parseFlags(words, BUILDAH_IMAGE);
  const [source, destination = source] = operands.map((operand) => render(operand.value));
  if (source === undefined || destination === undefined) return;
  const name = source.replace(/^containers-storage:/, "");
  const reference = registryReference(destination, name);
  if (reference !== null) pushName(reading, command, "containers", name, reference);
  else {
    const drafts = draftsOf(reading, command, "containers", name);
    const why = `${destination} is no registry`;
    if (drafts.length === 0) note(reading, command, why);
    for (const draft of drafts) unresolve(draft.recipe, "push", why);
  }
}

/** A destination as an image reference; null where another transport is named. */
function registryReference(destination: string, source: string): string | null {
  if (destination.startsWith("docker://")) return destination.slice("docker://".length);
  if (destination === source || destination === `containers-storage:${source}`) return source;
  return /^(?:oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage|sif|ostree):/.test(
    destination,
  )
    ? null
    : destination;
}

/** `docker tag FROM TO`; buildah and podman take several names. */
export function readTag(
  reading: JobReading,
  command: ShellCommand,
  store: Store,
  words: readonly Field[],
): void {
  const [from, ...to] = words;
  if (from === undefined) return;
  const owners = draftsOf(reading, command, store, render(from.value));
  for (const { value } of to) {
    takeName(reading, command, owners, fullName(render(value)));
    for (const draft of owners) {
      draft.names.push(render(value));
      for (const why of reasons(value)) unresolve(draft.recipe, "image", why);
    }
  }
}

/** A name that another image gets is no name of a build any more. */
function takeName(reading: JobReading, command: ShellCommand, owners: readonly Draft[], name: string): void {
  for (const draft of reading.drafts) {
    if (owners.includes(draft) || !draft.names.some((each) => fullName(each) === name)) continue;
    draft.names = draft.names.filter((each) => fullName(each) !== name);
    unresolve(draft.recipe, "image", `${name} is given to another image: ${command.text}`);
  }
}

/** `docker login` and those of the other programs. */
export function readLogin(reading: JobReading, words: readonly Field[], table = DOCKER_LOGIN): void {
  const { flags, operands } = parseFlags(words, table);
  if (isOn(flags, "get-login") === true) return;
  const [registry] = operands;
  const reference = registry === undefined ? "docker.io" : render(registry.value);
  for (const why of registry === undefined ? [] : reasons(registry.value)) {
    reading.frame.unresolved.push({ part: "logins", why });
  }
  if (!reading.frame.logins.includes(reference)) reading.frame.logins.push(reference);
}

/** `docker pull`: a build of the same job may take its cache from what is pulled. */
export function readPull(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const [image] = parseFlags(words, DOCKER_PULL).operands;
  if (image !== undefined)
    reading.pulls.push({ reference: render(image.value), conditions: command.conditions });
}

/** `skopeo login`, and `skopeo copy SOURCE DESTINATION`: a push where the source is what this job has built. */
export function readSkopeo(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const [action, ...rest] = parseFlags(words, SKOPEO_COPY, true).operands;
  if (action === undefined) return;
  if (render(action.value) === "login") return readLogin(reading, rest, BUILDAH_IMAGE);
  if (render(action.value) !== "copy") return;
  const { flags, operands } = parseFlags(rest, SKOPEO_COPY);
  const [source, destination] = operands;
  if (source === undefined || destination === undefined) return;
  const to = render(destination.value);
  if (!to.startsWith("docker://")) return;
  const targets = [to.slice("docker://".length), ...valuesOf(flags, "additional-tag").map(render)];
  copyImage(reading, command, render(source.value), targets, destination.value);
}

function copyImage(
  reading: JobReading,
  command: ShellCommand,
  source: string,
  targets: readonly string[],
  destination: Value,
): void {
  const [, transport = "", name = ""] = /^([a-z-]+):(.*)$/s.exec(source) ?? [];
  if (transport === "docker") {
    const pushed = fullName(name.replace(/^\/\//, ""));
    const draft = reading.drafts.findLast((each) =>
      each.recipe.images.some((image) => fullName(image) === pushed),
    );
    // An image that no build of this job has pushed is only mirrored.
    if (draft !== undefined) pushAs(draft, command, targets, destination);
    return;
  }
  const store = transport === "containers-storage" ? "containers" : "docker";
  const isStore = transport === "containers-storage" || transport === "docker-daemon";
  const drafts = isStore ? draftsOf(reading, command, store, name) : [];
  for (const draft of drafts) pushAs(draft, command, targets, destination);
  if (drafts.length === 0) archivePushed(reading, command, source, targets);
}

/** Notes further names of a build; kaniko's own images are what it pushes itself. */
function pushAs(draft: Draft, command: ShellCommand, targets: readonly string[], destination: Value): void {
  for (const why of reasons(destination)) unresolve(draft.recipe, "image", why);
  for (const target of targets) {
    if (draft.recipe.builder === "kaniko") {
      const why = `${target} is copied from what the build has pushed: ${command.text}`;
      unresolve(draft.recipe, "image", why);
    } else addImage(draft, target, command);
  }
}

/** An archive is pushed: the builds that leave one are told so, as it is not told which of them made it. */
export function archivePushed(
  reading: JobReading,
  command: ShellCommand,
  source: string,
  targets: readonly string[],
): void {
  const why = `${targets.join(", ")} is pushed from ${source} by another program: ${command.text}`;
  const file = source.replace(/^[a-z-]+:/, "").split(":")[0] ?? "";
  const drafts = reading.drafts.filter(
    ({ recipe }) =>
      recipe.images.length === 0 && recipe.flags.some((flag) => file !== "" && flag.includes(file)),
  );
  for (const { recipe } of drafts) unresolve(recipe, "push", why);
  if (drafts.length === 0) note(reading, command, why);
}
