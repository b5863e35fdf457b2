import { describe, expect, it } from "vitest";
import { builders, refuseUnrunnable } from "../../src/builders/index.ts";
import { variants } from "../../src/caches/variants.ts";
import { BUILDERS, CACHES } from "../../src/domain/recipe.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";
import { adapt, adapted } from "./adapted.ts";

const IMAGE = "$CI_REGISTRY_IMAGE/qemu/alder:latest";
const BESIDE = "$CI_REGISTRY_IMAGE/qemu/alder-cache";

describe("what each builder makes of each cache strategy", () => {
  it("is a recipe or the reason why there is none", () => {
    const answers = BUILDERS.flatMap((builder) =>
      CACHES.map((cache) => {
        const found = adapt(builder, cache);
        return [`${builder}/${cache}`, typeof found === "string" ? found : found.cacheTo.join()];
      }),
    );
    const elsewhere: Record<string, string> = {
      local: "a fresh runner starts without a directory of the runner",
      gha: "a fresh runner starts without GitHub's Actions cache",
      s3: "a fresh runner starts without a bucket of S3",
      azblob: "a fresh runner starts without a container of Azure Blob Storage",
    };
    const each = (builder: string, texts: Record<string, string>) =>
      CACHES.map((cache) => [`${builder}/${cache}`, { ...elsewhere, ...texts }[cache] ?? ""]);
    const registry = {
      "registry-min": `${BESIDE}:latest`,
      "registry-max": `${BESIDE}:latest`,
      inline: IMAGE,
    };
    expect(answers).toStrictEqual([
      ...each("docker", { ...registry, layers: "docker keeps no tag for each instruction" }),
      ...each("buildkit", { ...registry, layers: "BuildKit keeps no tag for each instruction" }),
      ...each("kaniko", {
        layers: BESIDE,
        inline: "kaniko writes no inline cache",
        "registry-min": "kaniko writes no cache of one manifest",
        "registry-max": "kaniko writes no cache of one manifest",
      }),
      ...each("buildah", {
        layers: BESIDE,
        inline: "buildah writes no inline cache",
        "registry-min": "buildah writes no cache of one manifest",
        "registry-max": "buildah writes no cache of one manifest",
      }),
    ]);
  });

  it("is a recipe that its builder can run, whatever the variant", () => {
    const recipes = BUILDERS.flatMap((builder) =>
      CACHES.flatMap((cache) =>
        [null, ...variants.map(({ id }) => id)].map((variant) => adapt(builder, cache, variant)),
      ),
    ).filter((recipe) => typeof recipe !== "string");
    expect(recipes.length).toBe(12 + 26);
    for (const recipe of recipes) expect(() => refuseUnrunnable(recipe)).not.toThrow();
  });
});

describe("a recipe that is written anew", () => {
  const source = trialRecipe("kaniko/layers", {
    context: null,
    dockerfile: "images/alder.docker",
    target: "tool",
    buildArgs: { VERSION: "1", BUILDKIT_INLINE_CACHE: "1" },
    environment: { FF_KANIKO_X: "1" },
    logins: ["$CI_REGISTRY"],
    condition: "upstream",
    pulls: [IMAGE],
    runsIn: "kaniko:debug",
    services: ["docker:dind"],
    unresolved: [
      { part: "cache-to", why: "a" },
      { part: "build-arg", why: "b" },
    ],
  });
  const from = (builder: "docker" | "kaniko" | "buildah") => {
    const found = adapt(builder, "none", null, undefined, source);
    if (typeof found === "string") throw new Error(found);
    return found;
  };

  it("keeps what is built, where and for whom, and nothing of how it was built", () => {
    expect(from("buildah")).toStrictEqual({
      job: "alder-container",
      file: ".ci/template.yml",
      line: 14,
      builder: "buildah",
      strategy: "buildah/none",
      program: "buildah build",
      runsIn: null,
      services: [],
      dockerfile: "images/alder.docker",
      context: "images",
      target: "tool",
      images: [IMAGE],
      cacheFrom: [],
      cacheTo: [],
      cacheToOptions: [],
      pulls: [],
      buildArgs: { VERSION: "1" },
      flags: [],
      environment: {},
      logins: ["$CI_REGISTRY"],
      condition: "upstream",
      unresolved: [{ part: "build-arg", why: "b" }],
    });
  });

  it("has a context where its builder needs one: the Dockerfile's directory in place of none", () => {
    expect([from("docker").context, from("kaniko").context]).toStrictEqual(["images", null]);
  });

  it("asks docker for the inline cache by its build argument, and keeps the others", () => {
    const found = adapt("docker", "inline", null, undefined, source);
    expect(found).toMatchObject({
      buildArgs: { VERSION: "1", BUILDKIT_INLINE_CACHE: "1" },
      cacheFrom: [IMAGE],
      cacheTo: [IMAGE],
    });
  });

  it("is none where the recipe pushes nothing, or its Dockerfile is not known", () => {
    const texts = [
      adapt("docker", "none", null, undefined, { ...source, images: [] }),
      adapt("docker", "none", null, undefined, { ...source, dockerfile: null }),
    ];
    expect(texts).toStrictEqual(["the recipe pushes no image", "the recipe's Dockerfile is not known"]);
  });
});

describe("the place of a cache", () => {
  const own = { repository: "the image's own", moreSources: ["$UPSTREAM:x"] } as const;
  const place = { ...own, moreSources: [...own.moreSources] };

  it("is the image's own repository under one tag, or with a tag for each instruction", () => {
    expect(adapt("buildkit", "registry-max", null, place)).toMatchObject({
      cacheFrom: ["$UPSTREAM:x", "$CI_REGISTRY_IMAGE/qemu/alder:cache"],
      cacheTo: ["$CI_REGISTRY_IMAGE/qemu/alder:cache"],
      cacheToOptions: [{ mode: "max" }],
    });
    expect(adapt("buildah", "layers", null, place)).toMatchObject({
      cacheTo: ["$CI_REGISTRY_IMAGE/qemu/alder"],
    });
    expect(adapted("kaniko", "layers", "own-repository").cacheTo).toStrictEqual([
      "$CI_REGISTRY_IMAGE/qemu/alder",
    ]);
  });

  it("is one of kaniko's alone", () => {
    expect(adapt("kaniko", "layers", null, place)).toBe("kaniko reads from one cache repository alone");
  });
});

describe("variants", () => {
  it("apply where the builder has them", () => {
    const applied = variants.map(({ id, appliesTo }) => [
      id,
      BUILDERS.flatMap((builder) =>
        CACHES.filter((cache) => appliesTo(builder, cache)).flatMap((cache) =>
          typeof adapt(builder, cache, id) === "string" ? [] : `${builder}/${cache}`,
        ),
      ).join(" "),
    ]);
    expect(Object.fromEntries(applied)).toStrictEqual({
      uncompressed: "kaniko/none kaniko/layers",
      redo: "kaniko/none kaniko/layers",
      "copy-layers": "kaniko/layers",
      reproducible: "kaniko/none kaniko/layers",
      zstd: "buildkit/none buildkit/inline buildkit/registry-min buildkit/registry-max kaniko/none kaniko/layers",
      "own-repository":
        "docker/registry-min docker/registry-max buildkit/registry-min buildkit/registry-max kaniko/layers buildah/layers",
      "two-sources":
        "docker/inline docker/registry-min docker/registry-max buildkit/inline buildkit/registry-min buildkit/registry-max buildah/layers",
    });
  });

  it("are refused elsewhere in words", () => {
    expect(adapt("buildah", "layers", "zstd")).toBe("buildah/layers has no variant zstd");
    expect(adapt("docker", "none", "faster")).toBe("there is no variant faster");
  });

  it.each([
    ["uncompressed", ["--compressed-caching=false"]],
    ["redo", ["--snapshot-mode=redo"]],
    ["copy-layers", ["--cache-copy-layers=true"]],
    ["reproducible", ["--reproducible"]],
    ["zstd", ["--compression=zstd"]],
  ])("kaniko/layers+%s adds %j", (id, flags) => {
    const plain = adapted("kaniko", "layers");
    expect(plain.flags).toStrictEqual(["--cache=true", `--cache-repo=${BESIDE}`]);
    expect(adapted("kaniko", "layers", id)).toStrictEqual({ ...plain, flags: [...plain.flags, ...flags] });
  });

  it("compress image and cache alike", () => {
    const recipe = adapted("buildkit", "registry-min", "zstd");
    expect(recipe.flags).toStrictEqual(["--output=type=image,compression=zstd,force-compression=true"]);
    expect(recipe.cacheToOptions).toStrictEqual([
      { mode: "min", compression: "zstd", "force-compression": "true" },
    ]);
  });

  it.each([
    ["docker", "inline", ["$CI_REGISTRY_IMAGE/qemu/alder-upstream:latest", IMAGE]],
    ["buildkit", "registry-max", ["$CI_REGISTRY_IMAGE/qemu/alder-upstream-cache:latest", `${BESIDE}:latest`]],
    ["buildah", "layers", ["$CI_REGISTRY_IMAGE/qemu/alder-upstream-cache", BESIDE]],
  ] as const)("%s/%s+two-sources reads what is not there first", (builder, cache, sources) => {
    expect(adapted(builder, cache, "two-sources").cacheFrom).toStrictEqual(sources);
  });
});

describe("privileges in words", () => {
  it("are what a maintainer must grant", () => {
    expect(BUILDERS.map((id) => [id, builders[id].privileges, builders[id].needs])).toStrictEqual([
      ["docker", "daemon", "a daemon in the job: a privileged runner"],
      ["buildkit", "daemon", "a daemon in the job: a privileged runner"],
      ["kaniko", "none", null],
      ["buildah", "mounts", "to mount file systems: CAP_SYS_ADMIN and no seccomp filter"],
    ]);
  });
});
