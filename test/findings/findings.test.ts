import { describe, expect, it } from "vitest";
import { same, toldOf } from "./marked-change.ts";
import type { Marked } from "./marked-change.ts";

const CI = ".gitlab-ci.yml";
const PLAIN = " FROM debian:12\n RUN make\n";
const COPYING = " FROM debian:12\n COPY a /a\n";
const STAGES = " FROM debian:12 AS tools\n RUN make\n FROM debian:12\n COPY --from=tools /t /t\n";

/** Findings without the file of the template, which all of them name. */
function told(marked: Marked): string[] {
  return toldOf(marked).map((text) => text.replace(".gitlab-ci.yml:", ""));
}

/** A new job of one script item, with an unchanged job that logs in beside it. */
function added(
  lines: readonly string[],
  dockerfile = PLAIN,
  image = "ghcr.io/x/kaniko:v1.27.5-debug",
): string[] {
  return told({
    [CI]: [
      " stages: [a]",
      "+job:",
      `+  image: ${image}`,
      "+  script:",
      ...lines.map((line) => `+    ${line}`),
      "",
    ].join("\n"),
    Dockerfile: dockerfile,
  });
}

/** A job whose one command changes. */
function changed(head: readonly string[], files: Marked = {}): string[] {
  const lines = [" job:", "   image: x", "   script:", ...head];
  return told({ [CI]: `${lines.join("\n")}\n`, Dockerfile: PLAIN, ...files });
}

const KANIKO = "- /kaniko/executor -c . -d r/a:1 --cache --cache-repo r/c";

describe("archived-builder-image", () => {
  it.each([
    [
      "gcr.io/kaniko-project/executor:v1.9.0-debug",
      "gcr.io/kaniko-project/executor is no longer maintained: it was archived on 2025-06-03, v1.24.0 is its last release (job job).",
    ],
    [
      "gcr.io/kaniko-project/executor",
      "gcr.io/kaniko-project/executor is no longer maintained: it was archived on 2025-06-03, v1.24.0 is its last release, and the tag latest names no version (job job).",
    ],
  ])("%s", (image, text) => {
    expect(added([KANIKO], PLAIN, image)).toEqual([`3 head archived-builder-image: ${text}`]);
  });

  it.each([
    "ghcr.io/osscontainertools/kaniko:v1.27.5-debug",
    "registry.example/gcr.io/kaniko-project/executor:debug",
    "gcr.io/kaniko-project/executor-of-mine:debug",
  ])("is not said of %s", (image) => {
    expect(added([KANIKO], PLAIN, image)).toEqual([]);
  });

  it("is not said where the change leaves the image alone", () => {
    expect(
      told({
        [CI]: ` job:\n   image: gcr.io/kaniko-project/executor:debug\n   script:\n-    ${KANIKO}\n+    ${KANIKO} -v info\n`,
        Dockerfile: PLAIN,
      }),
    ).toEqual([]);
  });
});

describe("floating-builder-image", () => {
  const docker = "- docker build -t r/a:1 .";
  it.each([
    ["docker:dind", docker, "Docker 23 changed who builds, Docker 29 changed which caches it can export"],
    ["docker", docker, "Docker 23 changed who builds, Docker 29 changed which caches it can export"],
    [
      "$CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX/docker:latest",
      docker,
      "Docker 23 changed who builds, Docker 29 changed which caches it can export",
    ],
    [
      "moby/buildkit:rootless",
      "- buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=. --output type=image,name=r/a,push=true",
      "BuildKit 0.21 changed the manifest of a registry cache",
    ],
    [
      "quay.io/buildah/stable",
      "- buildah build -t r/a:1 .",
      "buildah's --cache-to and --cache-from came with 1.27 and changed with 1.29 and 1.44",
    ],
    [
      "ghcr.io/osscontainertools/kaniko:debug",
      KANIKO,
      "a new version may compute other cache keys, and then misses everything once",
    ],
  ])("%s", (image, command, changes) => {
    expect(added([command], PLAIN, image)).toEqual([
      `3 head floating-builder-image: ${image} names no version: ${changes} (job job).`,
    ]);
  });

  it.each([
    "docker:27",
    "docker:27-dind",
    "docker:$DOCKER_VERSION",
    "docker@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "registry.example/tools/docker:latest",
    "debian",
  ])("is not said of %s", (image) => {
    expect(added([docker], PLAIN, image)).toEqual([]);
  });

  it("names the line of a service, not of a comment that names it", () => {
    const lines = [
      " job:",
      "   image: docker:27",
      "+  # docker:dind",
      "+  services:",
      "+    - docker:dind # newest",
      `   script: [${docker.slice(2)}]`,
    ];
    expect(told({ [CI]: `${lines.join("\n")}\n`, Dockerfile: PLAIN })).toEqual([
      "5 head floating-builder-image: docker:dind names no version: Docker 23 changed who builds, Docker 29 changed which caches it can export (job job).",
    ]);
  });
});

describe("context-missing", () => {
  const call = "- /kaniko/executor --dockerfile Dockerfile --destination r/a:1";

  it("names the line that takes files", () => {
    expect(added([call], COPYING)).toEqual([
      "5 head context-missing: kaniko is given no --context and takes /workspace, but files are taken from the context in Dockerfile:2 (job job).",
    ]);
  });

  it.each([
    ["nothing is copied", [call], PLAIN],
    ["files come from another stage", [call], STAGES],
    ["a context is given", [`${call} --context $CI_PROJECT_DIR`], COPYING],
    ["a context is given by its short name", [`${call} -c .`], COPYING],
    ["a context lies elsewhere", [`${call} --context s3://bucket/c.tar.gz`], COPYING],
    ["flags may stand in a variable", [`${call} $KANIKO_FLAGS`], COPYING],
    ["the tree is put where kaniko looks", ["- cp -r . /workspace", call], COPYING],
    ["the stage that copies is not built", [`${call} --target a`], " FROM x:1 AS a\n FROM a\n COPY a b\n"],
    ["the Dockerfile cannot be read", [call], " RUN a\n COPY a b\n"],
  ])("is not said where %s", (_why, lines, dockerfile) => {
    expect(added(lines, dockerfile)).toEqual([]);
  });

  it("names the flag that goes", () => {
    expect(
      changed(["     - /kaniko/executor -d r/a:1", "-      --context .", "+      --verbosity info"], {
        Dockerfile: COPYING,
      }),
    ).toEqual([
      "5 base context-missing: kaniko is given no --context and takes /workspace, but files are taken from the context in Dockerfile:2 (job job).",
    ]);
  });

  it("names the first COPY that a Dockerfile gets", () => {
    const unchanged = same(`job:\n  image: x\n  script:\n    ${call}\n`);
    const copying = " FROM debian:12\n+COPY a /a\n";
    expect(told({ [CI]: unchanged, Dockerfile: copying })).toEqual([
      "Dockerfile:2 head context-missing: This takes files from the build context, but kaniko is given no --context in 4 (job job).",
    ]);
    expect(
      told({ [CI]: unchanged, Dockerfile: `${copying}+COPY b /b\n`.replace("+COPY a", " COPY a") }),
    ).toEqual([]);
  });
});

describe("reproducible", () => {
  it.each([
    [
      KANIKO,
      "--reproducible writes every layer anew, those of the base too: the image shares no blob with its cache or its base image, and each layer is held in memory",
    ],
    [
      "- /kaniko/executor -c . -d r/a:1",
      "--reproducible writes every layer anew, those of the base too: the image shares no blob with its base image, and each layer is held in memory",
    ],
  ])("%s", (command, text) => {
    expect(added([command, "  --reproducible"])).toEqual([`6 head reproducible: ${text} (job job).`]);
  });

  it.each([`${KANIKO} --reproducible=false`, `${KANIKO} --reproducible --reproducible=false`, KANIKO])(
    "is not said of %s",
    (command) => {
      expect(added([command])).toEqual([]);
    },
  );

  it("is not said of a flag that was there before", () => {
    expect(changed([`     ${KANIKO}`, "       --reproducible", "+      --verbosity=info"])).toEqual([]);
  });

  it("names the line of a variable that holds the flag", () => {
    const lines = [" variables:", '+  MORE: "--reproducible"', " job:", "   image: x", "   script:"];
    const command = [`-    ${KANIKO}`, `+    ${KANIKO} $MORE`];
    expect(told({ [CI]: `${[...lines, ...command].join("\n")}\n`, Dockerfile: PLAIN })).toEqual([
      "2 head reproducible: --reproducible writes every layer anew, those of the base too: the image shares no blob with its cache or its base image, and each layer is held in memory (job job).",
    ]);
  });
});

describe("single-snapshot", () => {
  it("is said beside a cache", () => {
    expect(added([KANIKO, "  --single-snapshot=true"])).toEqual([
      "6 head single-snapshot: --single-snapshot makes one layer of the whole stage: nothing useful reaches the cache that --cache asks for (job job).",
    ]);
  });

  it("is not said without one", () => {
    expect(added(["- /kaniko/executor -c . -d r/a:1 --single-snapshot"])).toEqual([]);
  });

  it("says where the flag stands when the cache comes later", () => {
    expect(
      changed(["     - /kaniko/executor -d r/a:1", "       --single-snapshot", "+      --cache"]),
    ).toEqual([
      "6 head single-snapshot: --single-snapshot makes one layer of the whole stage: nothing useful reaches the cache that --cache asks for; --single-snapshot stands in line 5 (job job).",
    ]);
  });
});

const BUILDX = "docker buildx create --use";
const buildx = (options: string, more = "") => [
  `- ${BUILDX}`,
  `- docker buildx build --push -t r/a:1 ${more}`,
  `  --cache-to type=registry,${options} .`,
];

describe("zstd", () => {
  it("is said of kaniko with a cache", () => {
    expect(added([`${KANIKO} --compression=zstd`])).toEqual([
      "5 head zstd: --compression=zstd parts image and cache where the base image has Docker's media types: the cache is zstd, the image gzip, and they share no layer; on an OCI base they do (job job).",
    ]);
    expect(added([`${KANIKO} --compression=gzip`])).toEqual([]);
    expect(added(["- /kaniko/executor -c . -d r/a:1 --compression=zstd"])).toEqual([]);
  });

  it.each([
    [
      "ref=r/c,ignore-error=true,compression=zstd",
      "compression=zstd does not reach the layers that the image has as gzip: without force-compression=true the cache takes those blobs as they are",
    ],
    [
      "ref=r/c,ignore-error=true,compression=zstd,force-compression=true",
      "force-compression=true makes the cache zstd while the image is gzip: the two share no layer and are stored twice",
    ],
  ])("is said of BuildKit with %s", (options, text) => {
    expect(added(buildx(options))).toEqual([`7 head zstd: ${text} (job job).`]);
  });

  it("is not said where the image has a compression of its own", () => {
    const more = "--output type=registry,compression=zstd,force-compression=true";
    expect(added(buildx("ref=r/c,ignore-error=true,compression=zstd,force-compression=true", more))).toEqual(
      [],
    );
  });
});

describe("ignore-error", () => {
  it.each([
    [
      "ref=r/c",
      [
        "7 head ignore-error: Without ignore-error=true a failed export of the cache to r/c fails the whole build (job job).",
      ],
    ],
    [
      "ref=r/c,ignore-error=false",
      [
        "7 head ignore-error: Without ignore-error=true a failed export of the cache to r/c fails the whole build (job job).",
      ],
    ],
    ["ref=r/c,ignore-error=true", []],
  ])("%s", (options, expected) => {
    expect(added(buildx(options))).toEqual(expected);
  });

  it("is not said of a cache that was exported so before", () => {
    const [create = "", build = "", cache = ""] = buildx("ref=r/c").map((line) => `    ${line}`);
    expect(changed([` ${create}`, ` ${build}`, ` ${cache}`, "+      --pull"])).toEqual([]);
  });
});

describe("cache-over-image", () => {
  it.each(["ref=r/a:1", "ref=r/a:1,ignore-error=true"])("%s", (options) => {
    expect(added(buildx(options))).toEqual([
      "7 head cache-over-image: The cache is exported to the tag of the image itself, r/a:1: a tag holds one of them, and by BuildKit's version either is lost (job job).",
    ]);
  });

  it("takes no tag for latest", () => {
    const lines = buildx("ref=r/a:latest,ignore-error=true").map((line) => line.replace("r/a:1", "r/a"));
    expect(added(lines)).toHaveLength(1);
  });

  it("is not said of another tag, nor of kaniko's cache in the image's repository", () => {
    expect(added(buildx("ref=r/a:cache,ignore-error=true"))).toEqual([]);
    expect(added([KANIKO.replace("r/c", "r/a")])).toEqual([]);
  });
});

describe("buildah-cache-tag", () => {
  const buildah = (program: string, cache: string) => [
    `- ${program} --layers -t r/a:1 ${cache} .`,
    `- ${program.split(" ")[0]} push r/a:1`,
  ];

  it.each([
    [
      "buildah build",
      "--cache-to r/c:1 --cache-from r/c",
      "buildah takes a repository without a tag as its cache, and refuses r/c:1",
    ],
    [
      "podman build",
      "--cache-to r/c --cache-from r/c:$TAG",
      "podman takes a repository without a tag as its cache, and refuses r/c:$TAG",
    ],
    [
      "buildah bud",
      "--cache-to r/c:1 --cache-from r/c:1",
      "buildah takes a repository without a tag as its cache, and refuses r/c:1",
    ],
  ])("%s %s", (program, cache, text) => {
    expect(added(buildah(program, cache))).toEqual([`5 head buildah-cache-tag: ${text} (job job).`]);
  });

  it("is not said of repositories, nor of a port", () => {
    expect(added(buildah("buildah build", "--cache-to r:5000/c --cache-from r:5000/c"))).toEqual([]);
  });
});

describe("kaniko-cache-tag", () => {
  const lines = (repository: string) => [
    "- export COMMON=$CI_REGISTRY/up/stream/a:latest",
    `- /kaniko/executor -c . -d r/a:1 --cache=true`,
    `  --cache-repo ${repository}`,
  ];

  it("is said of a repository with a tag, and nothing of forks beside it", () => {
    expect(added(lines('"$COMMON"'))).toEqual([
      "5 head kaniko-cache-tag: kaniko puts tags of its own behind --cache-repo, and with the tag of $CI_REGISTRY/up/stream/a:latest no look-up and no push of the cache succeeds: it warns and builds everything (job job).",
    ]);
  });

  it.each(["r/c", "r:5000/c"])("is not said of %s", (repository) => {
    expect(added(lines(repository))).toEqual([]);
  });
});

describe("inline-stages", () => {
  const inline = ["- docker build -t r/a:1 --build-arg BUILDKIT_INLINE_CACHE=1 .", "- docker push r/a:1"];

  it("names the stages that are not in the image", () => {
    expect(added(inline, STAGES)).toEqual([
      "5 head inline-stages: An inline cache holds the layers of the final image alone: not those of the other stages, Dockerfile:1 (job job).",
    ]);
  });

  it.each([
    ["one stage", PLAIN],
    ["the final one starts from the other", " FROM debian:12 AS a\n RUN make\n FROM a\n RUN test\n"],
    ["the other makes no layer", " FROM tools:1 AS a\n FROM debian:12\n COPY --from=a /t /t\n"],
    ["the other is not built", " FROM debian:12 AS a\n RUN make\n FROM debian:12\n RUN test\n"],
  ])("is not said of %s", (_what, dockerfile) => {
    expect(added(inline, dockerfile)).toEqual([]);
  });

  it("names a stage that comes later", () => {
    const unchanged = same(
      `job:\n  image: docker:27\n  script:\n${inline.map((line) => `    ${line}\n`).join("")}`,
    );
    const dockerfile =
      "+FROM debian:12 AS tools\n+RUN make\n FROM debian:12\n+COPY --from=tools /t /t\n RUN test\n";
    expect(told({ [CI]: unchanged, Dockerfile: dockerfile })).toEqual([
      "Dockerfile:1 head inline-stages: The layers of the stage tools are not in the final image: an inline cache does not hold them (job job).",
    ]);
  });
});
