import { describe, expect, it } from "vitest";
import type { JobFile } from "../../src/domain/job.ts";
import { Problem } from "../../src/domain/problem.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import {
  allBases,
  editReports,
  scenariosOfSource,
  filesFor,
  loadImageSource,
  type DockerfileVersion,
  type EditChoice,
  type ImageSource,
} from "../../src/trials/image-source.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const PROJECT = "/builds/group/project";

const file = (path: string, text: string, executable = false): JobFile => ({
  kind: "file",
  path,
  content: Buffer.from(text),
  executable,
});

/** Loads from a tree of files; `asked` collects the contexts that were read. */
function load(
  text: string | null,
  more: Partial<Recipe> = {},
  edit: EditChoice | EditChoice[] = "first",
  asked: string[] = [],
  versions: DockerfileVersion[] = [],
): Promise<ImageSource> {
  const recipe = trialRecipe("docker/inline", { dockerfile: "images/alder.docker", context: ".", ...more });
  return loadImageSource(recipe, [edit].flat(), {
    read: (path) => (path === "images/alder.docker" ? text : null),
    versions,
    ownName: "the last commit",
    readContext: async (path) => {
      asked.push(path);
      return [file(`${PROJECT}/images/alder.docker`, text ?? ""), file(`${PROJECT}/tool.sh`, "true\n", true)];
    },
  });
}

const texts = (files: readonly JobFile[]) =>
  files.map((each) => [
    each.path,
    each.kind === "file" ? Buffer.from(each.content).toString("utf8") : each.target,
  ]);

describe("loading one side of a trial", () => {
  it("reads the Dockerfile, its base images, its edit and its context", async () => {
    const asked: string[] = [];
    const text =
      "FROM debian:12 AS build\nRUN make\nFROM busybox\nCOPY --from=build /x /x\nCOPY tool.sh /\nRUN true\n";
    const source = await load(text, {}, "last", asked);
    expect(asked).toStrictEqual(["."]);
    expect(source.bases).toStrictEqual(["debian:12", "busybox"]);
    expect(source.finalBase).toBe("busybox");
    expect(source.edits).toHaveLength(1);
    expect(source.edits[0]).toMatchObject({
      synthetic: true,
      finalBase: "busybox",
      text: text.replace("RUN true", "RUN : tare edit 1 && true"),
      line: 6,
      description: "RUN 2 of 2, line 6",
    });
    expect(editReports(source)).toStrictEqual([
      { description: "RUN 2 of 2, line 6", synthetic: true, line: 6 },
    ]);
    expect(source.context.map(({ path }) => path)).toStrictEqual([
      `${PROJECT}/images/alder.docker`,
      `${PROJECT}/tool.sh`,
    ]);
  });

  it("reads no context where nothing is copied from it", async () => {
    const asked: string[] = [];
    const source = await load("FROM debian:12\nRUN make\n", {}, "first", asked);
    expect(asked).toStrictEqual([]);
    expect(source.context).toStrictEqual([]);
  });

  it("fills base images in from build arguments that have a value", async () => {
    const text = "ARG BASE=debian:12\nFROM ${BASE}\nRUN make\n";
    expect((await load(text)).bases).toStrictEqual(["debian:12"]);
    expect((await load(text, { buildArgs: { BASE: "debian:13" } })).bases).toStrictEqual(["debian:13"]);
    expect((await load(text, { buildArgs: { BASE: null } })).bases).toStrictEqual(["debian:12"]);
  });

  it("has no base images where it starts from scratch", async () => {
    const source = await load("FROM scratch\nCOPY a /\nRUN true\n");
    expect([source.bases, source.finalBase]).toStrictEqual([[], null]);
  });

  it("names base images once, and images that are copied from as well", async () => {
    const text =
      "FROM debian:12\nRUN a\nFROM debian:12\nCOPY --from=docker.io/library/golang:1 /go /go\nRUN b\n";
    expect((await load(text)).bases).toStrictEqual(["debian:12", "docker.io/library/golang:1"]);
  });

  it("is a Problem where the Dockerfile is not in the tree", async () => {
    const loading = load(null);
    await expect(loading).rejects.toThrow(Problem);
    await expect(loading).rejects.toMatchObject({
      code: "dockerfile-missing",
      message:
        ".ci/template.yml:14 (job alder-container) builds images/alder.docker, which is not in the tree.",
    });
  });

  it("is a Problem where files are copied and no context is named", async () => {
    await expect(load("FROM debian:12\nCOPY a /\nRUN true\n", { context: null })).rejects.toMatchObject({
      code: "context-missing",
      message:
        "images/alder.docker copies files from its build context, but .ci/template.yml:14 (job alder-container) names none.",
    });
  });

  it("is a Problem where the RUN to edit is not there", async () => {
    await expect(load("FROM debian:12\n")).rejects.toMatchObject({ code: "edit-impossible" });
    await expect(load("FROM debian:12\nRUN a\n", {}, 2)).rejects.toMatchObject({ code: "edit-impossible" });
  });
});

describe("files of a run", () => {
  const text = "FROM debian:12\nCOPY tool.sh /\nRUN make\n";

  it("are the context with the Dockerfile of the scenario in its place", async () => {
    const source = await load(text);
    for (const scenario of ["cold", "warm"] as const) {
      expect(texts(filesFor(source, scenario, PROJECT))).toStrictEqual([
        [`${PROJECT}/tool.sh`, "true\n"],
        [`${PROJECT}/images/alder.docker`, text],
      ]);
    }
    expect(texts(filesFor(source, "edit 1", PROJECT))).toStrictEqual([
      [`${PROJECT}/tool.sh`, "true\n"],
      [`${PROJECT}/images/alder.docker`, text.replace("make", ": tare edit 1 && make")],
    ]);
  });

  it("hold an empty file where the context would not be a directory otherwise", async () => {
    const source = await load("FROM debian:12\nRUN make\n", { context: "src" });
    expect(texts(filesFor(source, "cold", PROJECT))).toStrictEqual([
      [`${PROJECT}/src/.tare`, ""],
      [`${PROJECT}/images/alder.docker`, "FROM debian:12\nRUN make\n"],
    ]);
  });

  it.each([".", null])(
    "are the Dockerfile alone where the context is %s and nothing is copied",
    async (context) => {
      const source = await load("FROM debian:12\nRUN make\n", { context });
      expect(filesFor(source, "cold", PROJECT).map(({ path }) => path)).toStrictEqual([
        `${PROJECT}/images/alder.docker`,
      ]);
    },
  );
});

describe("earlier versions of the Dockerfile", () => {
  const version = (text: string, name: string, context: JobFile[] = []): DockerfileVersion => ({
    text,
    name,
    context: async () => context,
  });

  it("are built oldest first; the edits lead to the tree's own, each with its base and context", async () => {
    const own = "FROM debian:12\nRUN one\nCOPY tool.sh /\n";
    const earlier = [
      version("FROM debian:11\nRUN one\n", "first"),
      version("FROM debian:12\nRUN one\nCOPY old.sh /\n", "second", [file(`${PROJECT}/old.sh`, "old")]),
    ];
    const source = await load(own, {}, ["first", "last"], [], earlier);
    expect([source.text, source.finalBase, source.context]).toStrictEqual([
      earlier[0]?.text,
      "debian:11",
      [],
    ]);
    expect(
      source.edits.map(({ text, line, finalBase, synthetic }) => [text, line, finalBase, synthetic]),
    ).toStrictEqual([
      [earlier[1]?.text, 1, "debian:12", false],
      [own, 3, "debian:12", false],
    ]);
    expect(allBases(source)).toStrictEqual(["debian:11", "debian:12"]);
    expect(scenariosOfSource(source)).toStrictEqual(["cold", "warm", "edit 1", "edit 2"]);
    expect(texts(filesFor(source, "edit 1", PROJECT))).toStrictEqual([
      [`${PROJECT}/old.sh`, "old"],
      [`${PROJECT}/images/alder.docker`, earlier[1]?.text],
    ]);
    expect(editReports(source)).toStrictEqual([
      { description: "second", synthetic: false, line: 1 },
      { description: "the last commit", synthetic: false, line: 3 },
    ]);
  });
});
