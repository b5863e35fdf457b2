import { describe, expect, it } from "vitest";
import { readGitlabCi } from "../../src/recipes/gitlab-ci.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { render } from "../../src/recipes/value.ts";
import { ciTree } from "./trees.ts";

const BUILD = "script: [docker build -t $CI_REGISTRY_IMAGE/$NAME ., docker push $CI_REGISTRY_IMAGE/$NAME]";

describe("variables of rules", () => {
  function tag(rules: string, more = ""): string {
    const tree = ciTree(`${more}\njob: {${BUILD}, rules: ${rules}}`);
    const [recipe] = readRecipes(tree).recipes;
    return [...(recipe?.images ?? []), ...(recipe?.unresolved.map(({ why }) => why) ?? [])].join("; ");
  }

  it.each([
    ["[{if: $A, variables: {NAME: a}}]", "$CI_REGISTRY_IMAGE/a"],
    ["[{if: $A, variables: {NAME: a}}, {variables: {NAME: a}}]", "$CI_REGISTRY_IMAGE/a"],
    ["[{if: $A, variables: {NAME: a}}, {if: $B, when: never}]", "$CI_REGISTRY_IMAGE/a"],
    [
      "[{if: $A, variables: {NAME: a}}, {variables: {NAME: b}}]",
      "$CI_REGISTRY_IMAGE/$NAME; $NAME depends on the rules of job job",
    ],
    [
      "[{if: $A, variables: {NAME: a}}, {when: manual}]",
      "$CI_REGISTRY_IMAGE/$NAME; $NAME depends on the rules of job job",
    ],
  ])("%s: %s", (rules, expected) => {
    expect(tag(rules)).toBe(expected);
  });

  it("leaves what the template states where a rule lets the job run with it", () => {
    expect(tag("[{if: $A, variables: {NAME: a}}, {}]", "variables: {NAME: n}")).toBe("$CI_REGISTRY_IMAGE/n");
    expect(tag("[{if: $A, variables: {NAME: a}}, {variables: {NAME: b}}]", "variables: {NAME: n}")).toBe(
      "$CI_REGISTRY_IMAGE/$NAME; $NAME depends on the rules of job job",
    );
  });

  it("knows those of workflow", () => {
    const workflow = "workflow: {rules: [{if: $A, variables: {NAME: a}}, {if: $B, variables: {NAME: b}}]}";
    expect(tag("[{when: always}]", workflow)).toBe(
      "$CI_REGISTRY_IMAGE/$NAME; $NAME depends on the rules of the pipeline (workflow)",
    );
  });
});

describe("scripts beside the script", () => {
  it("reads after_script in a shell of its own", () => {
    const tree = ciTree(
      "job: {script: [cd sub, docker build -t r:1 .], after_script: [docker build -t r:2 ., docker push r:1, docker push r:2]}",
    );
    const { recipes } = readRecipes(tree);
    expect(recipes.map(({ context, images }) => [context, images])).toEqual([
      ["sub", ["r:1"]],
      [".", ["r:2"]],
    ]);
  });

  it("names hooks and steps", () => {
    const tree = ciTree(
      "a: {script: [x], hooks: {pre_get_sources_script: [docker build .]}}\nb: {run: [{name: x}]}",
    );
    expect(readRecipes(tree).unread.map(({ job, why }) => [job, why])).toEqual([
      ["b", "steps are not read"],
      ["a", "hooks:pre_get_sources_script is not read"],
    ]);
  });

  it("names a job whose script stands in an include that is not read", () => {
    const tree = ciTree(
      "include: {remote: 'https://ci.example/x.yml'}\nbuild-image: {variables: {A: b}}\nlint: {needs: []}",
    );
    expect(readRecipes(tree).unread.map(({ job, why }) => [job, why])).toEqual([
      [null, "only files of the tree are read"],
      [
        "build-image",
        "its script is in none of the files of the tree: an include that is not read may have it",
      ],
    ]);
  });
});

describe("child pipelines", () => {
  const child = `make:\n  stage: x\n  image: docker:27\n  ${BUILD}\n`;

  it.each([
    ["{include: ci/child.yml}", []],
    ["{include: [{local: /ci/child.yml}], strategy: depend}", []],
    ["{include: [ci/child.yml, {local: ci/other.yml}]}", ["start / more"]],
    ["{include: ci/$WHICH.yml}", []],
  ])("reads trigger: %s", (trigger, more) => {
    const tree = ciTree(`start: {variables: {NAME: a, WHICH: child}, trigger: ${trigger}}`, {
      "ci/child.yml": `variables: {NAME: b}\n${child}`,
      "ci/other.yml": "more: {script: [x]}",
    });
    const { recipes, jobs, files } = readRecipes(tree);
    expect(jobs).toEqual(["start / make", ...more]);
    expect(recipes.map(({ job, images, file }) => [job, images, file])).toEqual([
      ["start / make", ["$CI_REGISTRY_IMAGE/a"], "ci/child.yml"],
    ]);
    expect(files).toContain("ci/child.yml");
  });

  it("starts one for each row of a matrix", () => {
    const tree = ciTree(
      "start: {parallel: {matrix: [{NAME: [a, b]}]}, trigger: {include: c.yml}, rules: [{if: '$CI_PROJECT_PATH == \"x/y\"'}]}",
      { "c.yml": child },
    );
    const { recipes } = readRecipes(tree);
    expect(recipes.map(({ job, images, condition }) => [job, images[0], condition])).toEqual([
      ["start: [a] / make", "$CI_REGISTRY_IMAGE/a", "upstream"],
      ["start: [b] / make", "$CI_REGISTRY_IMAGE/b", "upstream"],
    ]);
  });

  it.each([
    ["{include: gone.yml}", "includes gone.yml, which is not in the tree"],
    ["{include: [{artifact: x.yml, job: make}]}", "only files of the tree are read"],
    ["{include: loop.yml}", "at most 50 child pipelines, 2 deep, are read"],
    ["{include: bad.yml}", "bad.yml:1 is not GitLab CI configuration: its top level is not a mapping"],
  ])("names trigger: %s", (trigger, why) => {
    const files = { "loop.yml": "again: {trigger: {include: loop.yml}}", "bad.yml": "- x" };
    const { unread, recipes } = readRecipes(ciTree(`start: {trigger: ${trigger}}`, files));
    expect(recipes).toEqual([]);
    expect(unread.map((each) => each.why).join("\n")).toContain(why);
  });

  it("says nothing of another project's pipeline", () => {
    expect(readRecipes(ciTree("start: {trigger: group/other}"))).toMatchObject({ unread: [], recipes: [] });
  });
});

describe("inputs", () => {
  const part = [
    "spec:",
    "  inputs:",
    "    name: {default: d}",
    "    dir: {}",
    "---",
    "$[[ inputs.name ]]-image:",
    "  image: docker:27",
    "  script:",
    "    - docker build -t r/$[[ inputs.name ]] $[[ inputs.dir ]]",
    "    - docker push r/$[[inputs.name]]",
  ].join("\n");

  it("are written in, for each include of a file", () => {
    const include = [
      { local: "p.yml", inputs: { name: "a", dir: "x" } },
      { local: "p.yml", inputs: { dir: "y" } },
    ];
    const { recipes } = readRecipes(ciTree(JSON.stringify({ include }), { "p.yml": part }));
    expect(recipes.map(({ job, images, context }) => [job, images, context])).toEqual([
      ["a-image", ["r/a"], "x"],
      ["d-image", ["r/d"], "y"],
    ]);
  });

  it("are named where nobody gives them", () => {
    const { recipes, unread } = readRecipes(ciTree("include: p.yml", { "p.yml": part }));
    expect(recipes).toEqual([]);
    expect(unread[0]).toMatchObject({
      job: "d-image",
      command: "docker build -t r/d $[[ inputs.dir ]]",
      why: "it holds inputs that are given where the file is included",
    });
    const image = readGitlabCi(ciTree("job: {image: 'x:$[[ inputs.v ]]', script: [x]}")).jobs[0]?.image ?? [];
    expect([render(image), image[1]?.kind]).toEqual(["x:$[[ inputs.v ]]", "unknown"]);
  });
});
