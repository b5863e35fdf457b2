import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleRepository, type SampleRepository } from "../git/sample-repository.ts";
import { startFakeEngine } from "../fakes/engine.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { playTare } from "./tare-process.ts";

const OPERATOR = `ceilings: {repeats: 4, cpus: 1}
link: 100mbit
gitlab:
  url: https://gitlab.example.org
  token: {file: SECRETS/token}
  webhookSecret: {file: SECRETS/missing}
`;

let directory = "";
let repository: SampleRepository;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-settings-"));
  await mkdir(join(directory, "tare"));
  await writeFile(join(directory, "tare/tare.yml"), OPERATOR.replaceAll("SECRETS", directory));
  await writeFile(join(directory, "faulty.yml"), "repeat: 3\nlimits: {memory: 8}\n");
  await writeFile(join(directory, "token"), "glpat-canary-canary\n");
  const files = await exampleFiles();
  const settings = "repeats: 6\nimages: {ignore: [docs]}\n";
  repository = await sampleRepository([
    files,
    { ...files, ".tare.yml": settings },
    { ...files, ".tare.yml": "repeets: 1\n" },
  ]);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await repository[Symbol.asyncDispose]();
});

const play = (...argv: string[]) =>
  playTare(argv, { environment: { TARE_CONFIG: join(directory, "tare/tare.yml") } });

/** Cells of a printed line. */
const cells = (text: string, key: string) =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${key} `))
    ?.split(/ {2,}/u);

describe("tare config", () => {
  it("prints what holds and who says it, and no secret", async () => {
    const revision = repository.commits[1] ?? "";
    const { code, stdout, stderr } = await play("config", "--repo", repository.directory, "--rev", revision);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    expect(cells(stdout, "operator's file")).toStrictEqual([
      "operator's file",
      join(directory, "tare/tare.yml"),
    ]);
    expect(cells(stdout, "project's file")).toStrictEqual(["project's file", `.tare.yml at ${revision}`]);
    expect(cells(stdout, "repeats")).toStrictEqual(["repeats", "4", "ceiling of tare.yml"]);
    expect(cells(stdout, "images.ignore")).toStrictEqual(["images.ignore", "docs", ".tare.yml"]);
    expect(cells(stdout, "limits.cpus")).toStrictEqual(["limits.cpus", "1", "ceiling of tare.yml"]);
    expect(cells(stdout, "link")).toStrictEqual(["link", "100mbit", "tare.yml"]);
    expect(cells(stdout, "gitlab.token")).toStrictEqual(["gitlab.token", "set", join(directory, "token")]);
    expect(stdout).toContain("Note: repeats 6 asked for by .tare.yml, 4 allowed by tare.yml\n");
    expect(stdout).toContain(`Note: gitlab.webhookSecret: ${join(directory, "missing")} is not there`);
    expect(stdout).not.toContain("canary");
  });

  it("tells every fault of the file that --config names", async () => {
    const path = join(directory, "faulty.yml");
    for (const argv of [
      ["--config", path, "config"],
      ["config", "--config", path],
    ]) {
      expect(await play(...argv)).toStrictEqual({
        code: 2,
        stdout: "",
        stderr: [
          `${path} has 2 faults.`,
          "Mend the lines below; docs/configure.md lists every key.",
          "",
          "  faulty.yml:1:1: repeat: is not known; did you mean repeats?",
          "  faulty.yml:2:10: limits.memory: must be a size with its unit, for example 8g",
          "",
        ].join("\n"),
        left: [],
      });
    }
  });

  it("tells the faults of a project's file", async () => {
    const { code, stderr } = await play("config", "--repo", repository.directory);
    expect(code).toBe(2);
    expect(stderr).toContain(".tare.yml:1:1: repeets: is not known; did you mean repeats?");
  });
});

describe("the operator's images and mirrors", () => {
  const image = `registry.example.org/tools/docker@sha256:${"a".repeat(64)}`;
  const text = [
    "builderImages: official",
    `builders: {docker: "${image}"}`,
    "mirrors: {docker.io: mirror.example.org, quay.io: {host: localhost:5001, insecure: true}}",
    "link: 1gbit",
    "",
  ].join("\n");

  it("are printed with who says them, and so are the repeats of a link", async () => {
    const path = join(directory, "images.yml");
    await writeFile(path, text);
    const { code, stdout } = await play("config", "--config", path);
    expect(code).toBe(0);
    expect(cells(stdout, "builders.docker")).toStrictEqual(["builders.docker", image, "tare.yml"]);
    const mirrors = ["docker.io", "quay.io"].map((host) => cells(stdout, `mirrors.${host}`));
    expect(mirrors).toStrictEqual([
      ["mirrors.docker.io", "https://mirror.example.org", "tare.yml"],
      ["mirrors.quay.io", "http://localhost:5001", "tare.yml"],
    ]);
    expect(cells(stdout, "repeats")).toStrictEqual(["repeats", "5", "default"]);
  });

  it("are what tare doctor counts on", async () => {
    const path = join(directory, "doctor.yml");
    await writeFile(path, text);
    const engine = await startFakeEngine();
    const environment = { DOCKER_HOST: engine.address };
    const { stdout } = await playTare(["doctor", "--config", path], { environment });
    await engine.close();
    expect(cells(stdout, "docker")).toStrictEqual([
      "docker",
      "on first use",
      `the operator's ${image}, where the engine can pull it`,
    ]);
  });

  it("help nowhere without an engine: tare doctor says so of each builder", async () => {
    const { code, stdout } = await play("doctor", "--config", join(directory, "doctor.yml"));
    expect(code).toBe(3);
    for (const builder of ["docker", "buildkit", "kaniko", "buildah"])
      expect(cells(stdout, builder)?.slice(1)).toStrictEqual([
        "not usable",
        "there is no engine that it could run on",
      ]);
  });
});

describe("a plan", () => {
  it("is made with the target branch's file, under the operator's ceilings", async () => {
    const base = repository.commits[1] ?? "";
    const argv = [
      "--repo",
      repository.directory,
      "--base",
      base,
      "--patch",
      EXAMPLE_MAIL,
      "--format",
      "json",
    ];
    const { code, stdout, stderr } = await play("plan", ...argv);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      repeats: 4,
      limits: { cpus: 1 },
      notBuilt: expect.arrayContaining([{ what: "docs", why: ".tare.yml ignores docs" }]),
    });
  });
});

describe("the mail door", () => {
  it("does not send where the operator's secret is missing, and says which", async () => {
    const path = join(directory, "mail.yml");
    await writeFile(path, `mail: {from: tare@example.org, smtpUrl: {file: ${directory}/no-url}}\n`);
    const { code, stderr } = await playTare(["mail", "--config", path, "--send"], { input: "" });
    expect(code).toBe(2);
    expect(stderr).toContain(`mail.smtpUrl: ${directory}/no-url is not there, is empty, or cannot be read`);
  });
});
