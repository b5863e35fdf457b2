import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleRepository, type SampleRepository } from "../git/sample-repository.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { NO_ENGINE, playTare } from "./tare-process.ts";

let example: SampleRepository;

beforeAll(async () => {
  example = await sampleRepository([await exampleFiles()]);
});

afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

const toExample = (...argv: string[]) => [...argv, "--repo", example.directory];

describe("what the program says of itself", () => {
  it("lists its commands and exit codes", async () => {
    const played = await playTare(["--help"]);
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    await expect(played.stdout).toMatchFileSnapshot("../goldens/help.txt");
  });

  it("tells its version", async () => {
    const { version } = JSON.parse(
      await readFile(new URL("../../package.json", import.meta.url), "utf8"),
    ) as { version: string };
    expect(await playTare(["--version"])).toStrictEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: "",
      left: [],
    });
  });
});

describe("the recipes of the example project", () => {
  it("are printed for a reader", async () => {
    const played = await playTare(toExample("recipes"));
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    await expect(played.stdout).toMatchFileSnapshot("../goldens/example.recipes.txt");
  });

  it("are an array of JSON", async () => {
    const { code, stdout, stderr } = await playTare(
      toExample("recipes", "--format", "json", "--rev", example.commits[0] ?? ""),
    );
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    const recipe = (name: string) => ({
      job: `${name}-container`,
      file: ".gitlab-ci.d/container-template.yml",
      line: 15,
      builder: "docker",
      strategy: "docker/inline",
      program: "docker build",
      runsIn: "docker:latest",
      services: ["docker:dind"],
      dockerfile: `docker/${name}.docker`,
      context: ".",
      target: null,
      images: [`$CI_REGISTRY_IMAGE/ci/${name}:latest`],
      cacheFrom: [
        `$CI_REGISTRY_IMAGE/ci/${name}:latest`,
        `$CI_REGISTRY/lighthouse/lantern/ci/${name}:latest`,
      ],
      cacheTo: [`$CI_REGISTRY_IMAGE/ci/${name}:latest`],
      cacheToOptions: [{}],
      pulls: [],
      buildArgs: { BUILDKIT_INLINE_CACHE: "1" },
      flags: [
        `--tag=$CI_REGISTRY_IMAGE/ci/${name}:latest`,
        `--cache-from=$CI_REGISTRY_IMAGE/ci/${name}:latest`,
        `--cache-from=$CI_REGISTRY/lighthouse/lantern/ci/${name}:latest`,
        "--build-arg=BUILDKIT_INLINE_CACHE=1",
        "--provenance=false",
        `--file=docker/${name}.docker`,
      ],
      environment: {},
      logins: ["$CI_REGISTRY"],
      condition: "both",
      unresolved: [],
    });
    expect(JSON.parse(stdout)).toStrictEqual([recipe("toolchain"), recipe("docs"), recipe("lint")]);
  });
});

describe("the plan of the example's patch", () => {
  it("is printed for a reader", async () => {
    const played = await playTare(toExample("plan", "--patch", EXAMPLE_MAIL));
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    await expect(played.stdout).toMatchFileSnapshot("../goldens/example.plan.txt");
  });

  it("is the same from standard input, as JSON, with what was asked for", async () => {
    const asked = ["--images", "docs,lint-container", "--repeats", "5", "--edit", "last", "--memory", "4g"];
    const played = await playTare(toExample("plan", "--patch", "-", "--format", "json", ...asked), {
      input: await readFile(EXAMPLE_MAIL),
    });
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    await expect(played.stdout).toMatchFileSnapshot("../goldens/example.plan.json");
  });
});

describe("a stranger's patch", () => {
  it("is not built where nobody can be asked: nothing is made, nothing is opened", async () => {
    const played = await playTare(toExample("trial", "--patch", EXAMPLE_MAIL), {
      environment: { DOCKER_HOST: NO_ENGINE },
    });
    expect(played).toStrictEqual({
      code: 2,
      stdout: "",
      stderr: [
        "The patch is a stranger's (bo@mason.example): nothing of it was built.",
        "Read it, then run the same command with --trust.",
        "",
        "  3 jobs: docker/inline with two cache sources becomes kaniko/layers",
        "",
      ].join("\n"),
      left: [],
    });
  });
});

describe("a command line that cannot be followed", () => {
  it.each([
    [["--verbose"], "error: unknown option '--verbose'\n"],
    [["weigh"], "error: unknown command 'weigh'\n"],
    [["trial", "--force"], "error: unknown option '--force'\n"],
    [["recipes", "here"], "error: too many arguments for 'recipes'. Expected 0 arguments but got 1: here.\n"],
  ])("%j is refused with exit code 2", async (argv, said) => {
    const played = await playTare(argv);
    expect(played).toMatchObject({ code: 2, stdout: "", left: [] });
    expect(played.stderr).toContain(said);
  });

  it("refuses numbers and words that make no sense", async () => {
    const whole = "It must be a whole number from 1 to 20.";
    const cases = [
      ["--repeats <n>", "0", whole],
      ["--repeats <n>", "2.5", whole],
      ["--repeats <n>", "many", whole],
      ["--cpus <n>", "-1", "It must be a number from 0.01 to 1024."],
      ["--memory <size>", "1k", "It must be a size of at least 32m, for example 8g."],
      ["--timeout <minutes>", "NaN", "It must be a number from 0.1 to 10080."],
      ["--edit <which>", "middle", "It must be first, last or the number of a RUN."],
      ["--format <format>", "pdf", "It must be one of mail, markdown, html, json, text."],
      ["--project <path>", "../x", "It must be group/project."],
    ] as const;
    const played = await Promise.all(
      cases.map(([option, value]) => playTare(["trial", `${option.split(" ", 1)[0] ?? ""}=${value}`])),
    );
    expect(played).toStrictEqual(
      cases.map(([option, value, why]) => ({
        code: 2,
        stdout: "",
        stderr: `error: option '${option}' argument '${value}' is invalid. ${why}\n`,
        left: [],
      })),
    );
  });

  it("refuses two changes at once", async () => {
    const played = await playTare(toExample("plan", "--patch", EXAMPLE_MAIL, "--rev", "HEAD"));
    expect(played).toStrictEqual({
      code: 2,
      stdout: "",
      stderr: "--patch and --rev name two changes.\nGive one of them.\n",
      left: [],
    });
  });
});
