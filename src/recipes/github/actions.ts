import { mapDatum } from "../datum.ts";
import { keep, note } from "../job-reading.ts";
import { readKanikoBuild } from "../kaniko-build.ts";
import { readBuildahBuild } from "../buildah-build.ts";
import { readBuildahPush } from "../image-names.ts";
import type { Field } from "../shell-words.ts";
import { concatenate, known, render } from "../value.ts";
import type { Value } from "../value.ts";
import { readBakeAction } from "./bake-action.ts";
import { readBuildPush } from "./build-push.ts";
import { readMetadata } from "./metadata.ts";
import { commandOf, flagWord, inputOf, isTrue, splitValue } from "./step.ts";
import type { JobRun, Step } from "./step.ts";

/** Actions that build images and are not read, and why. */
const NOT_READ: readonly { action: RegExp; why: string }[] = [
  {
    action: /^depot\/(?:build-push|bake)-action$/,
    why: "Depot's builders keep their cache in Depot's own service",
  },
  {
    action: /^useblacksmith\/(?:build-push-action|setup-docker-builder)$/,
    why: "Blacksmith's builders keep their cache on Blacksmith's own disks",
  },
  { action: /^namespacelabs\//, why: "Namespace's builders keep their cache in Namespace's own service" },
  { action: /^(?:buildpacks\/|paketo)/, why: "buildpacks have no Dockerfile" },
  { action: /^devcontainers\/ci$/, why: "a development container is built by the Dev Container CLI" },
  { action: /^earthly\/|^dagger\//, why: "what it builds stands in a file that is not read" },
  {
    action: /^home-assistant\/builder$|\/(?:image-)?builder$/,
    why: "what it builds stands in files of its own",
  },
  { action: /^azure\/acr-build$|^azure\/container-apps-deploy/i, why: "the image is built by Azure" },
];

/** Names of actions that may build an image. */
const MAY_BUILD =
  /(?:docker|image|container|oci|kaniko|buildah|podman|buildx|buildkit)[\w-]*(?:build|push|publish|release|deploy)|(?:build|push|publish|deploy)[\w-]*(?:docker|image|container|kaniko|ecr|gcr|acr|ghcr)|kaniko|buildah|heroku-deploy/i;

/** Names that the pattern takes for builders and that are none. */
const NO_BUILDER =
  /login|setup|scan|trivy|lint|hadolint|attest|cosign|sign|cache|prune|delete|clean|retention|setup-|metadata|description|qemu|diff|size|structure-test|tag-exists|slim/i;

/** Reads one step that uses an action of another repository. */
export function readAction(run: JobRun, step: Step, name: string, version: string): void {
  const action = name.toLowerCase();
  switch (action) {
    case "docker/build-push-action":
      return readBuildPush(run, step, version);
    case "docker/bake-action":
      return readBakeAction(run, step);
    case "docker/metadata-action":
    case "crazy-max/ghaction-docker-meta":
      return readMetadata(run, step);
    case "docker/setup-buildx-action":
      return readSetupBuildx(run, step);
    case "docker/login-action":
    case "redhat-actions/podman-login":
    case "azure/docker-login":
      return readLogin(run, inputOf(step, "registry") ?? inputOf(step, "login-server"));
    case "redhat-actions/buildah-build":
      return readBuildah(run, step);
    case "redhat-actions/push-to-registry":
      return readPushToRegistry(run, step);
    case "int128/kaniko-action":
    case "aevea/action-kaniko":
      return readKaniko(run, step, action);
    default:
      return nameOther(run, step, action);
  }
}

function nameOther(run: JobRun, step: Step, action: string): void {
  const { reading } = run;
  const say = (why: string) => note(reading, commandOf(run, step, []), why);
  const listed = NOT_READ.find((each) => each.action.test(action));
  if (listed !== undefined) return say(`${action} is not read: ${listed.why}`);
  if (action === "goreleaser/goreleaser-action") {
    const files = [".goreleaser.yml", ".goreleaser.yaml", "goreleaser.yml", "goreleaser.yaml"];
    const file = files.find((path) => /^\s*(?:dockers|dockers_v2|kos):/m.test(reading.tree.read(path) ?? ""));
    if (file !== undefined) say(`${file} builds images: GoReleaser's files are not read`);
    return;
  }
  if (MAY_BUILD.test(action) && !NO_BUILDER.test(action)) {
    say(`${action} may build an image: it is no action that is read`);
  }
}

/** `docker/setup-buildx-action`: from there on `docker buildx build` uses what it has made. */
function readSetupBuildx(run: JobRun, step: Step): void {
  const { buildx, frame } = run.reading;
  const driver = inputOf(step, "driver");
  const name = inputOf(step, "name");
  const id = name === null || name.length === 0 ? `builder-${buildx.drivers.size}` : render(name);
  const kind = driver === null || driver.length === 0 ? "docker-container" : render(driver);
  buildx.drivers.set(id, kind);
  if (isTrue(inputOf(step, "use") ?? known("true")) !== false) {
    buildx.current = id;
    run.instance.conditions = step.conditions;
  }
  if (isTrue(inputOf(step, "install")) === true) buildx.installed = true;
  for (const option of splitValue(inputOf(step, "driver-opts") ?? [], /[\n,]/)) {
    const image = /^"?image=([^"]+)/.exec(render(option))?.[1];
    if (image !== undefined && !frame.services.includes(image)) frame.services.push(image);
  }
  if (step.id !== null) {
    const outputs = [
      ["name", id],
      ["driver", kind],
      ["platforms", "linux/amd64"],
    ] as const;
    run.contexts.steps.set(step.id, mapDatum(outputs));
  }
}

function readLogin(run: JobRun, registry: Value | null): void {
  const { logins } = run.reading.frame;
  const reference = registry === null || registry.length === 0 ? "docker.io" : render(registry);
  if (!logins.includes(reference)) logins.push(reference);
}

/** Words of a program from inputs: `[input, flag, separators]`. */
function wordsOf(step: Step, inputs: readonly (readonly [string, string, RegExp | null])[]): Field[] {
  return inputs.flatMap(([input, flag, separators]) => {
    const value = inputOf(step, input);
    if (value === null || value.length === 0) return [];
    const values = separators === null ? [value] : splitValue(value, separators);
    return values.map((each) => flagWord(flag, each));
  });
}

/** `redhat-actions/buildah-build` with a Dockerfile; without one it makes the image step by step. */
function readBuildah(run: JobRun, step: Step): void {
  const files = splitValue(inputOf(step, "containerfiles") ?? inputOf(step, "dockerfiles") ?? [], /[\n,]/);
  const command = commandOf(run, step, []);
  if (files.length === 0)
    return note(run.reading, command, "an image that is made step by step has no Dockerfile");
  const names = tagsOf(step);
  const words = [
    ...files.map((file) => flagWord("file", file)),
    ...names.map((name) => flagWord("tag", name)),
    ...wordsOf(step, [
      ["build-args", "build-arg", /\n/],
      ["labels", "label", /\n/],
      ["platforms", "platform", null],
      ["platform", "platform", null],
      ["archs", "arch", null],
      ["arch", "arch", null],
      ["layers", "layers", null],
    ]),
    ...extraWords(step),
    { value: inputOf(step, "context") ?? known("."), loose: false },
  ];
  keep(run.reading, command, readBuildahBuild(run.reading, { ...command, words }, words, "buildah build"));
  const [first] = names;
  if (step.id === null) return;
  const image = first === undefined ? "" : render(first).replace(/:[^:/]*$/, "");
  run.contexts.steps.set(
    step.id,
    mapDatum([
      ["image", image],
      ["tags", names.map((each) => render(each).slice(image.length + 1)).join(" ")],
      ["image-with-tag", first === undefined ? "" : render(first)],
    ]),
  );
}

/** Names of an image: `image` with each of `tags`; a tag with a `/` is a full name. */
function tagsOf(step: Step): Value[] {
  const image = inputOf(step, "image") ?? [];
  const tags = splitValue(inputOf(step, "tags") ?? known("latest"), /[\s,]/);
  return tags.map((tag) => (render(tag).includes("/") ? tag : concatenate(image, known(":"), tag)));
}

function extraWords(step: Step): Field[] {
  return splitValue(inputOf(step, "extra-args") ?? [], /\s/).map((value) => ({ value, loose: false }));
}

function readPushToRegistry(run: JobRun, step: Step): void {
  const registry = inputOf(step, "registry") ?? [];
  if (inputOf(step, "username") !== null && registry.length > 0)
    readLogin(run, known(render(registry).split("/")[0] ?? ""));
  for (const name of tagsOf(step)) {
    const target = registry.length === 0 ? name : concatenate(registry, known("/"), name);
    const words = [name, concatenate(known("docker://"), target)].map((value) => ({ value, loose: false }));
    readBuildahPush(run.reading, commandOf(run, step, words), words);
  }
}

function readKaniko(run: JobRun, step: Step, action: string): void {
  const { reading } = run;
  const inputs: readonly (readonly [string, string, RegExp | null])[] =
    action === "int128/kaniko-action"
      ? [
          ["build-args", "build-arg", /\n/],
          ["cache", "cache", null],
          ["cache-repository", "cache-repo", null],
          ["cache-ttl", "cache-ttl", null],
          ["file", "dockerfile", null],
          ["labels", "label", /\n/],
          ["tags", "destination", /\n/],
          ["target", "target", null],
        ]
      : [
          ["build_file", "dockerfile", null],
          ["path", "context", null],
          ["cache", "cache", null],
          ["cache_registry", "cache-repo", null],
          ["target", "target", null],
        ];
  const context = inputOf(step, "context") ?? inputOf(step, "path") ?? known(".");
  const words = [...wordsOf(step, inputs)];
  const isPushed = isTrue(inputOf(step, "push")) === true || action !== "int128/kaniko-action";
  if (!isPushed) words.push(flagWord("no-push", known("true")));
  if (action === "int128/kaniko-action") {
    words.push(flagWord("context", context));
    words.push(
      ...splitValue(inputOf(step, "kaniko-args") ?? [], /\n/).map((value) => ({ value, loose: false })),
    );
  } else {
    const registry = inputOf(step, "registry") ?? known("docker.io");
    const tag = inputOf(step, "tag") ?? known("latest");
    words.push(
      flagWord(
        "destination",
        concatenate(registry, known("/"), inputOf(step, "image") ?? [], known(":"), tag),
      ),
    );
    words.push(
      ...splitValue(inputOf(step, "extra_args") ?? [], /\s/).map((value) => ({ value, loose: false })),
    );
  }
  const draft = readKanikoBuild(reading, commandOf(run, step, words), words);
  const executor = inputOf(step, "executor");
  if (typeof draft !== "string" && executor !== null) draft.recipe.runsIn = render(executor);
  keep(reading, commandOf(run, step, words), draft);
}
