import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { BuildRun } from "../../src/builders/types.ts";
import type { Recipe, Strategy } from "../../src/domain/recipe.ts";
import { buildRun } from "../fixtures/trial/build-run.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const IMAGE = "127.0.0.1:5000/app:latest";
const CACHE = "127.0.0.1:5000/app-cache:latest";

function argvOf(strategy: Strategy, more: Partial<Recipe> = {}, run: Partial<BuildRun> = {}): string[] {
  const plain = { flags: [], buildArgs: {}, environment: {}, target: null };
  const recipe = trialRecipe(strategy, { ...plain, program: "buildctl build", ...more });
  const { job } = builders[recipe.builder].job(buildRun(recipe, { images: [IMAGE], ...run }));
  return job.commands[0]?.argv ?? [];
}

/** Words behind each word of this name. */
const behind = (argv: readonly string[], name: string) =>
  argv.flatMap((word, index) => (word === name ? [argv[index + 1]] : []));

describe("provenance", () => {
  const buildx = { program: "docker buildx build" };
  const said = (more: Partial<Recipe>) =>
    behind(argvOf("buildkit/none", more), "--opt").filter((word) => word?.startsWith("attest:"));
  const MIN = "attest:provenance=mode=min,inline-only=true";

  it("is added with the least detail where buildx adds it by itself", () => {
    expect(said(buildx)).toStrictEqual([MIN]);
    expect(said({ ...buildx, flags: ["--attest=type=sbom"] })).toStrictEqual(["attest:sbom=type=sbom", MIN]);
  });

  it.each([
    [["--provenance=false"], []],
    [["--provenance=true"], ["attest:provenance=type=provenance,disabled=false"]],
    [["--provenance"], ["attest:provenance=type=provenance,disabled=false"]],
    [["--provenance=mode=max"], ["attest:provenance=type=provenance,mode=max"]],
    [["--attest=type=provenance,mode=max"], ["attest:provenance=type=provenance,mode=max"]],
    [["--attest=type=provenance,disabled=true"], []],
  ])("is what %j says", (flags, options) => {
    expect(said({ ...buildx, flags })).toStrictEqual(options);
  });

  it("is left out where the environment says so, and where buildctl is called", () => {
    expect(said({ ...buildx, environment: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" } })).toStrictEqual([]);
    expect(said({})).toStrictEqual([]);
  });
});

describe("the output", () => {
  const output = (more: Partial<Recipe>, run: Partial<BuildRun> = {}) =>
    behind(argvOf("buildkit/none", more, run), "--output");

  it("pushes the image under all its names", () => {
    const images = [IMAGE, "127.0.0.1:5000/app:v1"];
    expect(output({})).toStrictEqual([`type=image,name=${IMAGE},push=true,registry.insecure=true`]);
    expect(output({}, { images })).toStrictEqual([
      `type=image,"name=${IMAGE},127.0.0.1:5000/app:v1",push=true,registry.insecure=true`,
    ]);
  });

  it("keeps what changes the image's bytes", () => {
    const flags = [
      '--output=type=image,"name=a,b",push=true,compression=zstd,"annotation.note=c,d"',
      "--annotation=index:key=value",
      "--annotation=plain=x",
    ];
    expect(output({ program: "docker buildx build", flags })).toStrictEqual([
      `type=image,name=${IMAGE},push=true,registry.insecure=true,compression=zstd,"annotation.note=c,d",annotation-index.key=value,annotation.plain=x`,
    ]);
  });
});

describe("exports of the cache", () => {
  const exported = (strategy: Strategy, cacheTo: string[], cacheToOptions: Recipe["cacheToOptions"]) =>
    behind(
      argvOf(strategy, { cacheToOptions }, { cacheTo }),
      strategy.startsWith("docker") ? "--cache-to" : "--export-cache",
    );

  it.each(["docker", "buildkit"] as const)("are the same of %s", (builder) => {
    expect(exported(`${builder}/none`, [], [])).toStrictEqual([]);
    expect(exported(`${builder}/inline`, [IMAGE], [{}])).toStrictEqual(["type=inline"]);
    expect(exported(`${builder}/registry-min`, [CACHE], [{}])).toStrictEqual([
      `type=registry,ref=${CACHE},mode=min`,
    ]);
    expect(exported(`${builder}/registry-max`, [CACHE], [])).toStrictEqual([
      `type=registry,ref=${CACHE},mode=max`,
    ]);
    const options = { mode: "max", "ignore-error": "true", compression: "zstd", "registry.insecure": "true" };
    expect(exported(`${builder}/registry-max`, [CACHE], [options])).toStrictEqual([
      `type=registry,ref=${CACHE},mode=max,ignore-error=true,compression=zstd`,
    ]);
  });

  it("never replace the image by a cache under its own name", () => {
    expect(exported("buildkit/registry-max", [IMAGE, CACHE], [{}, { mode: "max" }])).toStrictEqual([
      "type=inline",
      `type=registry,ref=${CACHE},mode=max`,
    ]);
  });

  it("are refused with an option that is not known", () => {
    expect(() => exported("buildkit/registry-min", [CACHE], [{ touch: "1" }])).toThrow(
      `.ci/template.yml:14 (job alder-container): the option touch of the cache ${CACHE} is not run: Tare does not know it.`,
    );
  });

  it.each([
    ["docker/local", "a directory of the runner"],
    ["buildkit/local", "a directory of the runner"],
    ["buildkit/gha", "GitHub's Actions cache"],
  ] as const)("are refused where they leave the registry: %s", (strategy, where) => {
    expect(() => exported(strategy, [], [])).toThrow(
      `.ci/template.yml:14 (job alder-container): its cache is kept in ${where}, which a trial does not have`,
    );
  });

  it("are not asked for twice where a build argument asks for the inline cache", () => {
    const buildArgs = { BUILDKIT_INLINE_CACHE: "1" };
    const argv = argvOf("docker/inline", { buildArgs }, { cacheTo: [IMAGE] });
    expect(behind(argv, "--cache-to")).toStrictEqual([]);
    expect(behind(argv, "--build-arg")).toStrictEqual(["BUILDKIT_INLINE_CACHE=1"]);
  });
});
