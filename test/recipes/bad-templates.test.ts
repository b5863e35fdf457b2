import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, fixtureTree, problemOf, treeOf } from "./trees.ts";

function problem(text: string, files: Record<string, string> = {}): string {
  return problemOf(() => readRecipes(ciTree(text, files)));
}

describe("templates that cannot be read", () => {
  it("refuses alias bombs with their place", () => {
    const levels = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`);
    expect(problem(`a0: &a0 [x]\n${levels.join("\n")}\n`)).toBe(
      "template-unreadable: .gitlab-ci.yml:6 grows to more than 100000 values when its aliases are written out",
    );
  });

  it("refuses an alias of itself", () => {
    expect(problem("a: &a\n  b: [*a]\n")).toBe(
      "template-unreadable: .gitlab-ci.yml:2 is an alias of what it is part of: *a",
    );
  });

  it("refuses cycles in extends and names the chain", () => {
    expect(problem(".a: {extends: .b}\n.b: {extends: .c}\n.c: {extends: .b}\njob:\n  extends: .a\n")).toBe(
      "template-unreadable: .gitlab-ci.yml:3 extends itself: .b -> .c -> .b",
    );
  });

  it("refuses more than eleven levels of extends", () => {
    const levels = Array.from({ length: 12 }, (_, at) => `.t${at}: {extends: .t${at + 1}}`).join("\n");
    expect(problem(`${levels}\n.t12: {script: [x]}\njob: {extends: .t0}\n`)).toContain(
      "extends through more than 11 levels: job -> .t0",
    );
  });

  it("refuses what is not defined", () => {
    expect(problem("job: {extends: .gone}")).toBe(
      'template-unreadable: .gitlab-ci.yml:1 extends ".gone", which is not defined',
    );
    expect(problem("job:\n  script:\n    - !reference [.gone, script]\n")).toBe(
      "template-unreadable: .gitlab-ci.yml:3: !reference [.gone, script] is not defined",
    );
  });

  it("refuses cycles of references", () => {
    expect(
      problem(
        ".a: {script: [!reference [.b, script]]}\n.b: {script: [!reference [.a, script]]}\njob: {extends: .a}",
      ),
    ).toBe(
      "template-unreadable: .gitlab-ci.yml:1 refers to itself: !reference [.b, script] -> !reference [.a, script] -> !reference [.b, script]",
    );
  });

  it("refuses references that multiply", () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `.a${at + 1}: {s: [${`!reference [.a${at}, s],`.repeat(9)}]}`,
    );
    expect(problem(`.a0: {s: [x]}\n${levels.join("\n")}\njob: {script: [!reference [.a9, s]]}\n`)).toContain(
      "grows too large when its references are written out",
    );
  });

  it("refuses cycles of include and names the chain", () => {
    expect(problem("include: a.yml", { "a.yml": "include:\n  - b.yml", "b.yml": "include: a.yml" })).toBe(
      "template-unreadable: b.yml:1 includes itself: a.yml -> b.yml -> a.yml",
    );
    expect(problem("include: .gitlab-ci.yml")).toBe(
      "template-unreadable: .gitlab-ci.yml:1 includes itself: .gitlab-ci.yml -> .gitlab-ci.yml",
    );
  });

  it.each([
    "../x.yml",
    "/../../etc/passwd",
    "a/../../x.yml",
    "a/../x.yml",
    "a\\..\\x.yml",
    "/",
    "\u0000.yml",
  ])("refuses the path %j", (path) => {
    expect(problem(`include: [{local: ${JSON.stringify(path)}}]`)).toBe(
      `unsafe-path: .gitlab-ci.yml:1 includes ${JSON.stringify(path)}, which is not a path below the root of the tree`,
    );
  });

  it("refuses a missing include", () => {
    expect(problem("\ninclude:\n  - local: gone.yml\n")).toBe(
      "template-unreadable: .gitlab-ci.yml:3 includes gone.yml, which is not in the tree",
    );
  });

  it("refuses what is not YAML", () => {
    expect(problem("job:\n  script: [x\n")).toMatch(
      /^template-unreadable: \.gitlab-ci\.yml:\d is not valid YAML: /,
    );
    expect(problem("\u007fELF\u0002\u0001\u0001\u0000\u0000")).toMatch(
      /^template-unreadable: \.gitlab-ci\.yml/,
    );
    expect(problem("- a\n- b\n")).toBe(
      "template-unreadable: .gitlab-ci.yml:1 is not GitLab CI configuration: its top level is not a mapping",
    );
    expect(problem("[".repeat(200_000))).toMatch(/^template-unreadable: \.gitlab-ci\.yml/);
  });

  it("refuses files and trees that are too large", () => {
    expect(problem(`# ${"x".repeat(1 << 20)}`)).toBe(
      "template-too-large: .gitlab-ci.yml has 1048578 bytes; a template file may have 1048576",
    );
    const names = Array.from({ length: 160 }, (_, at) => `f${at}.yml`);
    const files = Object.fromEntries(names.map((name) => [name, "a: 1"]));
    expect(problem("include: 'f*.yml'", files)).toContain("exceed 8388608 bytes or 150 files");
    const matrix = Array.from({ length: 15 }, (_, at) => at).join(", ");
    expect(problem(`job: {script: [x], parallel: {matrix: [{A: [${matrix}], B: [${matrix}]}]}}`)).toBe(
      "template-too-large: .gitlab-ci.yml:1: the matrix of job job has more than 200 jobs",
    );
  });

  it("ends on functions that call themselves, and says so", () => {
    const { recipes, unread } = readRecipes(
      ciTree("job:\n  script:\n    - f() { f; f; }; f\n    - docker build .\n"),
    );
    expect(recipes).toEqual([]);
    expect(unread).toEqual([
      {
        job: "job",
        file: ".gitlab-ci.yml",
        line: 3,
        command: "job",
        why: "the script has too many commands",
      },
    ]);
  });

  it("ends on variables and scripts that feed themselves", () => {
    const tree = ciTree(`
job:
  image: docker:27
  variables: {A: "$A", B: "$C", C: "$B"}
  script:
    - X=x; X=$X$X; ${"X=$X$X; ".repeat(60)}
    - docker build -t $A .
`);
    expect(readRecipes(tree).recipes[0]?.unresolved).toEqual([
      { part: "image", why: "$A is defined by itself (job job)" },
      { part: "push", why: "job job does not push $A" },
    ]);
  });
});

describe("any text at all", () => {
  const sources = ["docker", "kaniko"].map(fixtureTree);
  const bits = [
    "*a",
    "&a ",
    "<<: ",
    "!reference [x, y]",
    "$(",
    "`",
    "'",
    '"',
    "{",
    "[",
    "- ",
    "\n",
    ": ",
    "#",
    "|",
    "if ",
    "${",
    "}",
    "extends: job",
    "\\",
  ];
  const edit = fc.record({ at: fc.nat(2000), remove: fc.nat(12), insert: fc.constantFrom(...bits) });

  it("gives recipes or a Problem, and nothing else", () => {
    const run = fc.property(
      fc.constantFrom(...sources),
      fc.nat(20),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      (tree, which, edits) => {
        const paths = tree.list().filter((path) => path.endsWith(".yml"));
        const files = Object.fromEntries(tree.list().map((path) => [path, tree.read(path) ?? ""]));
        const path = paths[which % paths.length] ?? "";
        for (const { at, remove, insert } of edits) {
          const text = files[path] ?? "";
          const from = at % (text.length + 1);
          files[path] = text.slice(0, from) + insert + text.slice(from + remove);
        }
        try {
          expect(readRecipes(treeOf(files)).files.length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
        }
      },
    );
    fc.assert(run, { numRuns: 400, endOnFailure: true });
  });
});
