import { describe, expect, it } from "vitest";
import { readGitlabCi } from "../../src/recipes/gitlab-ci.ts";
import type { GitlabJob } from "../../src/recipes/gitlab-ci.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import type { TreeFiles } from "../../src/recipes/types.ts";
import { render } from "../../src/recipes/value.ts";
import { ciTree, treeOf } from "./trees.ts";

function job(tree: TreeFiles, name = "job"): GitlabJob {
  const found = readGitlabCi(tree).jobs.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no job ${name}`);
  return found;
}

function script(tree: TreeFiles, name = "job"): string[] {
  return job(tree, name).script.map((item) => item.text);
}

function variable(tree: TreeFiles, name: string): string {
  return render(job(tree).scope(name));
}

describe("include", () => {
  const job = "job: {script: [x]}";
  it.each([
    ["a text", "include: /ci/a.yml"],
    ["a text without a slash", "include: ci/a.yml"],
    ["a list of texts", "include: ['/ci/a.yml']"],
    ["a map", "include: {local: /ci/a.yml}"],
    ["a list of maps", "include: [{local: ci/a.yml}]"],
    ["a glob", "include: /ci/*.yml"],
    ["a deep glob", "include: '**/a.yml'"],
    ["a deep glob of files", "include: 'ci/**.yml'"],
  ])("reads %s", (_, include) => {
    expect(readGitlabCi(ciTree(include, { "ci/a.yml": job })).files).toEqual([".gitlab-ci.yml", "ci/a.yml"]);
  });

  it("lets later files and the file itself win, key by key", () => {
    const tree = ciTree("include: [a.yml, b.yml]\njob: {variables: {C: own}}", {
      "a.yml": "job: {script: [x], variables: {A: a, B: a, C: a}}",
      "b.yml": "job: {variables: {B: b, C: b}}",
    });
    expect(["A", "B", "C"].map((name) => variable(tree, name))).toEqual(["a", "b", "own"]);
  });

  it("reads a file that two files include once", () => {
    const tree = ciTree("include: [a.yml, b.yml]", {
      "a.yml": "include: c.yml",
      "b.yml": "include: c.yml",
      "c.yml": job,
    });
    expect(readGitlabCi(tree).files).toEqual([".gitlab-ci.yml", "a.yml", "c.yml", "b.yml"]);
  });

  it("records what is not of the tree and goes on", () => {
    const tree = ciTree(
      [
        "include:",
        "  - project: group/shared",
        "    file: a.yml",
        "  - remote: https://ci.example/b.yml",
        "  - template: Docker.gitlab-ci.yml",
        "  - component: $CI_SERVER_FQDN/c/d@1",
        "  - local: $WHERE/x.yml",
        "  - https://ci.example/e.yml",
        "  - local: gone.yml",
        "    rules: [{if: $X}]",
        "job: {script: [x]}",
        "other: {extends: .from-shared, script: [x]}",
      ].join("\n"),
    );
    const { jobs, unread } = readGitlabCi(tree);
    expect(jobs.map((found) => found.name)).toEqual(["job"]);
    expect(unread.map(({ job: name, line, command, why }) => [name, line, command, why])).toEqual([
      [null, 2, "include: project group/shared", "only files of the tree are read"],
      [null, 4, "include: remote https://ci.example/b.yml", "only files of the tree are read"],
      [null, 5, "include: template Docker.gitlab-ci.yml", "only files of the tree are read"],
      [null, 6, "include: component $CI_SERVER_FQDN/c/d@1", "only files of the tree are read"],
      [null, 7, "include: $WHERE/x.yml", "the path holds a variable that only a pipeline knows"],
      [null, 8, "include: https://ci.example/e.yml", "only files of the tree are read"],
      [null, 9, "include: gone.yml", "the file is not in the tree and the include has rules"],
      ["other", 12, "other", '.gitlab-ci.yml:12 extends ".from-shared", which is not defined'],
    ]);
  });
});

describe("extends and references", () => {
  it("merges maps deeply and replaces lists", () => {
    const tree = ciTree(`
.a: {image: one, variables: {A: a, B: a}, script: [a1, a2]}
.b: {extends: .a, variables: {B: b}}
.c: {variables: {C: c}, script: [c]}
job: {extends: [.b, .c], variables: {D: d}}
`);
    expect(["A", "B", "C", "D"].map((name) => variable(tree, name))).toEqual(["a", "b", "c", "d"]);
    expect(script(tree)).toEqual(["c"]);
  });

  it("replaces !reference anywhere, through extends, and flattens scripts", () => {
    const tree = ciTree(`
.base: {before_script: [one, two]}
.setup: {extends: .base, variables: {A: a}}
.more:
  script:
    - !reference [.setup, before_script]
    - three
job:
  variables: !reference [.setup, variables]
  script:
    - [!reference [.more, script], four]
    - five
`);
    expect(script(tree)).toEqual(["one", "two", "three", "four", "five"]);
    expect(variable(tree, "A")).toBe("a");
  });

  it("reads anchors, aliases and merge keys", () => {
    const tree = ciTree(`
.vars: &vars {A: a, B: a}
.script: &script [one, two]
job:
  variables:
    <<: *vars
    B: b
  script:
    - *script
    - three
`);
    expect(script(tree)).toEqual(["one", "two", "three"]);
    expect(["A", "B"].map((name) => variable(tree, name))).toEqual(["a", "b"]);
  });
});

describe("defaults", () => {
  const tree = ciTree(`
default: {image: {name: base:1, entrypoint: [""]}, services: [dind, {name: db:2, alias: db}], before_script: [setup]}
variables: {A: global, B: {value: told, description: x}}
job: {script: run}
own: {image: own:1, services: [], before_script: [mine], script: [run]}
bare: {inherit: {default: false, variables: false}, script: [run]}
some: {inherit: {default: [image], variables: [A]}, script: [run]}
.hidden: {script: [run]}
`);

  it("fills in what a job leaves out", () => {
    const found = job(tree);
    expect(render(found.image ?? [])).toBe("base:1");
    expect(found.services.map(render)).toEqual(["dind", "db:2"]);
    expect(script(tree)).toEqual(["setup", "run"]);
    expect(variable(tree, "B")).toBe("told");
  });

  it("leaves alone what a job states itself", () => {
    const found = job(tree, "own");
    expect(render(found.image ?? [])).toBe("own:1");
    expect(found.services).toEqual([]);
    expect(script(tree, "own")).toEqual(["mine", "run"]);
  });

  it("follows inherit", () => {
    expect(job(tree, "bare").image).toBeNull();
    expect(job(tree, "bare").variables).toEqual([]);
    expect(script(tree, "some")).toEqual(["run"]);
    expect(job(tree, "some").variables).toEqual(["A"]);
  });

  it("knows hidden jobs and keywords from jobs", () => {
    expect(readGitlabCi(tree).jobs.map((found) => found.name)).toEqual(["job", "own", "bare", "some"]);
  });

  it("takes the older spelling at the top level", () => {
    const older = ciTree("image: old:1\nbefore_script: [setup]\njob: {script: [run]}");
    expect(render(job(older).image ?? [])).toBe("old:1");
    expect(script(older)).toEqual(["setup", "run"]);
  });
});

describe("variables", () => {
  it.each([
    ["A: 24.0", "24.0"],
    ["A: 1.10", "1.1"],
    ["A: 3", "3"],
    ["A: yes", "true"],
    ["A: y", "y"],
    ["A: 2024-01-02", "2024-01-02"],
    ["A: ~", ""],
    ["A: {value: '$B', expand: false}", "$B"],
    ["A: $B/x; B: ${C}; C: c", "c/x"],
    ["A: a$$b", "a$b"],
    ["A: $CI_REGISTRY_IMAGE/x", "$CI_REGISTRY_IMAGE/x"],
    ["A: ${CI_COMMIT_SHA}_x", "${CI_COMMIT_SHA}_x"],
    ["A: ${CI_COMMIT_SHA}/x", "$CI_COMMIT_SHA/x"],
    ["A: $CI_JOB_NAME", "job"],
    ["A: $NOWHERE", "$NOWHERE"],
    ["A: $A", "$A"],
    ["A: $B; B: $C; C: $A-x", "$A-x"],
  ])("expands %s", (variables, expected) => {
    const lines = variables.split("; ").map((line) => `    ${line}`);
    expect(variable(ciTree(["job:", "  script: [x]", "  variables:", ...lines].join("\n")), "A")).toBe(
      expected,
    );
  });

  it("does not grow without bound", () => {
    const names = Array.from({ length: 60 }, (_, at) => `V${at}: "$V${at + 1}$V${at + 1}"`).join(", ");
    const tree = ciTree(`job: {script: [x], variables: {${names}, V60: xxxxxxxx}}`);
    expect(
      job(tree)
        .scope("V0")
        .some((piece) => piece.kind === "unknown"),
    ).toBe(true);
  });
});

describe("matrix", () => {
  it("makes one job for each row, named as GitLab does", () => {
    const tree = ciTree(`
job:
  parallel:
    matrix:
      - OS: [alder, birch]
        ARCH: amd64
      - {OS: cedar}
  image: docker:27
  script:
    - docker build -t $CI_REGISTRY_IMAGE/$OS -f $OS.docker .
    - docker push $CI_REGISTRY_IMAGE/$OS
`);
    const { recipes } = readRecipes(tree);
    expect(recipes.map((recipe) => [recipe.job, recipe.dockerfile])).toEqual([
      ["job: [alder, amd64]", "alder.docker"],
      ["job: [birch, amd64]", "birch.docker"],
      ["job: [cedar]", "cedar.docker"],
    ]);
  });
});

describe("places", () => {
  it.each([
    ["a plain item", "job:\n  script:\n    - echo\n    - docker build .\n", 4],
    ["a folded plain item", "job:\n  script:\n    - echo a &&\n      echo b &&\n      docker build .\n", 5],
    ["a literal block", "job:\n  script:\n    - |\n      echo a\n\n      docker build .\n", 6],
    [
      "a folded block",
      "job:\n  script:\n    - >-\n      echo a &&\n      echo b &&\n      docker build .\n",
      6,
    ],
    ["a quoted item", 'job:\n  script:\n    - "docker build ."\n', 3],
    ["one text", "job:\n  script: docker build .\n", 2],
    [
      "a continued line",
      "job:\n  script:\n    - |\n      echo a \\\n        b\n      docker build \\\n        .\n",
      6,
    ],
    ["an alias", ".s: &s\n  - docker build .\njob:\n  script: *s\n", 2],
    ["CRLF", "job:\r\n  script:\r\n    - echo\r\n    - docker build .\r\n", 4],
  ])("finds the line of a build in %s", (_, text, line) => {
    const [recipe] = readRecipes(ciTree(text)).recipes;
    expect([recipe?.file, recipe?.line]).toEqual([".gitlab-ci.yml", line]);
  });

  it("names the file of a template that another file extends", () => {
    const tree = treeOf({
      ".gitlab-ci.yml": "include: [t.yml]\njob: {extends: .t}",
      "t.yml": "\n.t:\n  script:\n    - docker build .",
    });
    const [recipe] = readRecipes(tree).recipes;
    expect([recipe?.file, recipe?.line]).toEqual(["t.yml", 4]);
  });
});
