import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readTree } from "../../src/bot.ts";
import { listDockerfileCopies } from "../../src/claims/dockerfile-copies.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { createTreeReader } from "../../src/git/tree-reader.ts";
import { dockerRecipe } from "../fixtures/report/recipes.ts";
import { treeOf } from "../recipes/trees.ts";

const recipe = (dockerfile: string | null, job = "job") => ({ ...dockerRecipe("x"), job, dockerfile });

describe("listDockerfileCopies", () => {
  const tree = treeOf({
    "docker/a.docker": "FROM x\nRUN true\n",
    "docker/b.docker":
      "FROM x AS base\nCOPY a /a\n\n# ADD no /no\nADD \\\n  b /b\nCOPY --from=base /c /c\nADD https://example.org/d /d\nCOPY --from=y /e /e\nRUN --mount=type=bind,source=f,target=/f true\nCOPY <<EOF /g\nADD h /h\nEOF\n",
    "docker/c.docker": "FROM x\nADD . /\n",
    "docker/d.docker": "FORM x\n",
    "docker/Dockerfile.e": "FROM x\n",
    "docker/Dockerfile.dockerignore": "*\n",
    "docker/notes.txt": "COPY a /a\n",
    "docker/below/f.docker": "FROM x\nADD . /\n",
    "other/g.docker": "FROM x\nADD . /\n",
  });

  it("parts the context from stages, images and addresses, and what is built from what is not", () => {
    const recipes = [
      recipe("docker/a.docker", "one"),
      recipe("docker/b.docker", "two"),
      recipe("docker/b.docker", "three"),
      recipe(null),
    ];
    expect(listDockerfileCopies(tree, recipes)).toStrictEqual([
      { path: "docker/Dockerfile.e", jobs: [], fromContext: [], fromElsewhere: [], unread: null },
      { path: "docker/a.docker", jobs: ["one"], fromContext: [], fromElsewhere: [], unread: null },
      {
        path: "docker/b.docker",
        jobs: ["two", "three"],
        fromContext: [
          { line: 2, text: "COPY a /a" },
          { line: 5, text: "ADD b /b" },
          { line: 10, text: "RUN --mount=type=bind,source=f,target=/f true" },
        ],
        fromElsewhere: [
          { line: 7, text: "COPY --from=base /c /c" },
          { line: 8, text: "ADD https://example.org/d /d" },
          { line: 9, text: "COPY --from=y /e /e" },
          { line: 11, text: "COPY <<EOF /g" },
        ],
        unread: null,
      },
      {
        path: "docker/c.docker",
        jobs: [],
        fromContext: [{ line: 2, text: "ADD . /" }],
        fromElsewhere: [],
        unread: null,
      },
      {
        path: "docker/d.docker",
        jobs: [],
        fromContext: [],
        fromElsewhere: [],
        unread: "docker/d.docker:1 is not a Dockerfile: FORM is no instruction",
      },
    ]);
  });

  it("says of a Dockerfile that is not there that it is not", () => {
    const [only] = listDockerfileCopies(treeOf({}), [recipe("docker/gone.docker")]);
    expect([only?.path, only?.unread]).toStrictEqual([
      "docker/gone.docker",
      "docker/gone.docker is not in the tree",
    ]);
  });

  it("cuts a long line", () => {
    const long = treeOf({ "a.docker": `FROM x\nCOPY ${"y".repeat(100)} /\n` });
    const [only] = listDockerfileCopies(long, [recipe("a.docker")]);
    expect(only?.fromContext).toStrictEqual([{ line: 2, text: `COPY ${"y".repeat(74)}…` }]);
  });
});

// The tree that the claim was made of; whoever has no checkout of it is told so.
const QEMU = process.env["TARE_QEMU"] ?? "/tmp/qemu/qemu-10.0.2";
const here = existsSync(QEMU);
if (!here)
  console.log(`No checkout of QEMU 10.0.2 is here (${QEMU}, or TARE_QEMU): its Dockerfiles are not read.`);

describe.runIf(here)("QEMU 10.0.2", () => {
  it("builds 24 Dockerfiles of one folder, none of which copies, beside two others that do", async () => {
    await using repository = await openRepository(QEMU);
    const reader = await createTreeReader(repository, await resolveTree(repository, "HEAD"));
    const { recipes } = readTree(reader);
    const template = recipes.filter(({ file }) => file === ".gitlab-ci.d/container-template.yml");
    const found = listDockerfileCopies(reader, template);
    const built = found.filter(({ jobs }) => jobs.length > 0);
    expect([found.length, built.length, new Set(built.flatMap(({ jobs }) => jobs)).size]).toStrictEqual([
      26, 24, 24,
    ]);
    expect(
      built.filter(({ fromContext, fromElsewhere }) => fromContext.length + fromElsewhere.length > 0),
    ).toStrictEqual([]);
    expect(found.filter(({ fromContext }) => fromContext.length > 0)).toStrictEqual([
      {
        path: "tests/docker/dockerfiles/debian-bootstrap.docker",
        jobs: [],
        fromContext: [{ line: 9, text: "ADD . /" }],
        fromElsewhere: [],
        unread: null,
      },
      {
        path: "tests/docker/dockerfiles/debian-toolchain.docker",
        jobs: [],
        fromContext: [{ line: 30, text: "ADD build-toolchain.sh /root/build-toolchain.sh" }],
        fromElsewhere: [{ line: 43, text: "COPY --from=0 /usr/local /usr/local" }],
        unread: null,
      },
    ]);
  });
});
