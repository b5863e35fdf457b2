import { describe, expect, it } from "vitest";
import { toldOf } from "./marked-change.ts";

const TO_UPSTREAM = "$CI_REGISTRY/group/project/c";
const KANIKO = `- /kaniko/executor -c . -d $CI_REGISTRY_IMAGE/a:1 --cache --cache-repo ${TO_UPSTREAM}`;

/** A job of which every line but its first is new. */
function added(lines: readonly string[], image = "x/kaniko:v1.27.5"): string[] {
  const job = [" stages: [a]", "+job:", `+  image: ${image}`, ...lines.map((line) => `+${line}`)];
  return told(`${job.join("\n")}\n`);
}

function told(text: string): string[] {
  const marked = { ".gitlab-ci.yml": text, Dockerfile: " FROM debian:12\n RUN make\n" };
  return toldOf(marked).map((each) => each.replace(".gitlab-ci.yml:", ""));
}

const script = (...items: string[]) => ["  script:", ...items.map((item) => `    ${item}`)];
const buildx = (options: string) =>
  script(
    "- docker buildx create --use",
    `- docker buildx build --push -t $CI_REGISTRY_IMAGE/a:1 --cache-to type=registry,${options} .`,
  );
const buildah = (cache: string) =>
  script(
    `- buildah build --layers -t $CI_REGISTRY_IMAGE/a:1 --cache-to ${cache} .`,
    "- buildah push $CI_REGISTRY_IMAGE/a:1",
  );

describe("fork-cache", () => {
  it.each([
    [
      "kaniko",
      script(KANIKO),
      "5 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/group/project/c: there kaniko warns and goes on, and what upstream's cache does not hold is built in every run (job job).",
    ],
    [
      "buildah",
      buildah(TO_UPSTREAM),
      "5 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/group/project/c: there buildah ends the job with exit code 125 (job job).",
    ],
    [
      "BuildKit",
      buildx(`ref=${TO_UPSTREAM}`),
      "6 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/group/project/c: there BuildKit fails the build, as ignore-error=true is not set (job job).",
    ],
    [
      "BuildKit with ignore-error",
      buildx(`ref=${TO_UPSTREAM},ignore-error=true`),
      "6 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/group/project/c: there BuildKit goes on by ignore-error=true, and what upstream's cache does not hold is built in every run (job job).",
    ],
    [
      "a project that is written out",
      script(KANIKO.replace("$CI_REGISTRY/group", "registry.gitlab.com/group")),
      "5 head fork-cache: A fork's pipeline may not write the cache registry.gitlab.com/group/project/c: there kaniko warns and goes on, and what upstream's cache does not hold is built in every run (job job).",
    ],
    [
      "a variable that names the project",
      ["  variables:", `    CACHE: "${TO_UPSTREAM}"`, ...script(KANIKO.replace(TO_UPSTREAM, '"$CACHE"'))],
      "5 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/group/project/c: there kaniko warns and goes on, and what upstream's cache does not hold is built in every run (job job).",
    ],
  ])("%s", (_what, lines, text) => {
    expect(added(lines)).toEqual([text]);
  });

  it.each([
    ["each project has its own", script(KANIKO.replace(TO_UPSTREAM, "$CI_REGISTRY_IMAGE/c"))],
    ["the project is the pipeline's", script(KANIKO.replace(TO_UPSTREAM, "$CI_REGISTRY/$CI_PROJECT_PATH/c"))],
    ["the registry is another one", script(KANIKO.replace(TO_UPSTREAM, "quay.io/group/c"))],
    ["the cache is only read", script(`${KANIKO} --no-push-cache`)],
    ["the job is upstream's alone", ["  only: [main@group/project]", ...script(KANIKO)]],
  ])("is not said where %s", (_why, lines) => {
    expect(added(lines)).toEqual([]);
  });

  it("is not said of a cache that was written before", () => {
    expect(
      told(
        ` job:\n   image: x/kaniko:v1.27.5\n   script:\n-    ${KANIKO}\n+    ${KANIKO} --verbosity info\n`,
      ),
    ).toEqual([]);
  });
});

const LOGIN = '- docker login $CI_REGISTRY -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD"';

/** The login of a docker job goes with docker, or stays. */
function withoutLogin(image: string, head: readonly string[], more: readonly string[] = []): string[] {
  const lines = [
    ...more,
    " job:",
    "-  image: docker:27",
    `+  image: ${image}`,
    "   script:",
    `-    ${LOGIN}`,
    "-    - docker build -t $CI_REGISTRY_IMAGE/a:1 .",
    "-    - docker push $CI_REGISTRY_IMAGE/a:1",
    ...head.map((line) => `+    ${line}`),
  ];
  return told(`${lines.join("\n")}\n`);
}

const PLAIN_KANIKO = "- /kaniko/executor -c . -d $CI_REGISTRY_IMAGE/a:1";
const FINDS =
  "4 base login: kaniko can do without this login: it takes CI_REGISTRY_USER and CI_REGISTRY_PASSWORD by itself for the host of $CI_REGISTRY (job job).";

describe("login", () => {
  it.each([
    ["x/kaniko:v1.9.0-debug", FINDS],
    ["x/kaniko:debug", FINDS],
    [
      "x/kaniko:v1.8.1-debug",
      "4 base login: kaniko 1.8 needs this login or a config.json: only from 1.9.0 on it takes CI_REGISTRY_USER by itself (job job).",
    ],
  ])("goes with docker for %s", (image, text) => {
    expect(withoutLogin(image, [PLAIN_KANIKO])).toEqual([text]);
  });

  it.each([
    [
      "docker",
      "docker:28",
      ["- docker build -t $CI_REGISTRY_IMAGE/a:1 .", "- docker push $CI_REGISTRY_IMAGE/a:1"],
    ],
    [
      "buildah",
      "x/buildah:1",
      ["- buildah build -t $CI_REGISTRY_IMAGE/a:1 .", "- buildah push $CI_REGISTRY_IMAGE/a:1"],
    ],
    [
      "buildctl",
      "moby/buildkit:v0.22.0",
      [
        "- buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=. --output type=image,name=$CI_REGISTRY_IMAGE/a:1,push=true",
      ],
    ],
  ])("is missed by %s", (program, image, head) => {
    expect(withoutLogin(image, head)).toEqual([
      `4 base login: ${program} finds no credentials for $CI_REGISTRY by itself: without this login its push is denied (job job).`,
    ]);
  });

  it.each([
    [
      "it is made by another program",
      "x/buildah:1",
      [
        "- buildah login -u a -p b $CI_REGISTRY",
        "- buildah build -t $CI_REGISTRY_IMAGE/a:1 .",
        "- buildah push $CI_REGISTRY_IMAGE/a:1",
      ],
    ],
    [
      "the credentials stand in a file",
      "docker:28",
      [
        '- echo "$AUTH" > ~/.docker/config.json',
        "- docker build -t $CI_REGISTRY_IMAGE/a:1 .",
        "- docker push $CI_REGISTRY_IMAGE/a:1",
      ],
    ],
    [
      "an older kaniko has them in a file",
      "x/kaniko:v1.8.0",
      ['- echo "$AUTH" > /kaniko/.docker/config.json', PLAIN_KANIKO],
    ],
    ["the image goes to another registry", "x/kaniko:v1.9.0", ["- /kaniko/executor -c . -d quay.io/a/b:1"]],
    ["nothing is pushed", "docker:28", ["- docker build -t $CI_REGISTRY_IMAGE/a:1 ."]],
  ])("is not missed where %s", (_why, image, head) => {
    expect(withoutLogin(image, head)).toEqual([]);
  });

  it("is missing where docker takes kaniko's place", () => {
    const lines = [
      " job:",
      "-  image: x/kaniko:v1.27.5",
      "+  image: docker:28",
      "   script:",
      `-    ${PLAIN_KANIKO}`,
      "+    - docker build -t $CI_REGISTRY_IMAGE/a:1 .",
      "+    - docker push $CI_REGISTRY_IMAGE/a:1",
    ];
    expect(told(`${lines.join("\n")}\n`)).toEqual([
      "4 head login: This job logs in nowhere, and docker finds no credentials for $CI_REGISTRY by itself: its push is denied (job job).",
    ]);
  });

  it("is missing in a new job only where another job of the project logs in", () => {
    const job = [
      "+new:",
      "+  image: docker:28",
      "+  script:",
      "+    - docker build -t $CI_REGISTRY_IMAGE/b:1 .",
      "+    - docker push $CI_REGISTRY_IMAGE/b:1",
    ];
    const old = (login: string) => [
      " old:",
      "   image: docker:27",
      "   script:",
      login,
      "     - docker build -t $CI_REGISTRY_IMAGE/a:1 .",
      "     - docker push $CI_REGISTRY_IMAGE/a:1",
    ];
    expect(told(`${[...old(`     ${LOGIN}`), ...job].join("\n")}\n`)).toEqual([
      "10 head login: This job logs in nowhere, and docker finds no credentials for $CI_REGISTRY by itself: its push is denied (job new).",
    ]);
    expect(told(`${[...old("     - docker info"), ...job].join("\n")}\n`)).toEqual([]);
  });
});
