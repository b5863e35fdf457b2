import { describe, expect, it } from "vitest";
import { readGitlabCi } from "../../src/recipes/gitlab-ci.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree } from "./trees.ts";

function condition(job: object, top: object = {}): string | undefined {
  const tree = ciTree(JSON.stringify({ ...top, job: { script: ["x"], ...job } }));
  return readGitlabCi(tree).jobs[0]?.condition();
}

const never = { when: "never" };

describe("rules that tell upstream from forks", () => {
  it.each([
    [[{ if: '$CI_PROJECT_NAMESPACE == "acme"' }], "upstream"],
    [[{ if: '"acme/lab" == $CI_PROJECT_PATH && $CI_COMMIT_BRANCH == "main"' }], "upstream"],
    [[{ if: '$CI_PROJECT_PATH != "acme/lab"' }], "fork"],
    [[{ if: "$CI_PROJECT_PATH =~ /^acme\\/lab$/" }], "upstream"],
    [[{ if: "$CI_PROJECT_PATH !~ /^acme\\//" }], "fork"],
    [[{ if: '$CI_PROJECT_PATH != "acme/lab"', ...never }, {}], "upstream"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab"', ...never }, { when: "manual" }], "fork"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab" || $CI_COMMIT_TAG' }], "both"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab" && ($CI_COMMIT_TAG || $CI_COMMIT_BRANCH)' }], "upstream"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab"' }, { if: "$CI_COMMIT_TAG" }], "both"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab"', changes: ["x"], ...never }, {}], "both"],
    [[{ if: '$CI_PROJECT_PATH == "acme/lab"', changes: ["x"] }], "upstream"],
    [[{ if: '$CI_PROJECT_NAMESPACE == "a"' }, { if: '$CI_PROJECT_NAMESPACE == "b"' }], "both"],
    [[{ if: "$CI_PROJECT_NAMESPACE == $UP" }], "upstream"],
    [[{ if: '$CI_PROJECT_NAMESPACE == $UP && $KIND == "image"' }], "upstream"],
    [[{ if: '$CI_PROJECT_NAMESPACE == $UP && $KIND != "image"' }, {}], "both"],
    [[{ if: "$CI_PROJECT_NAMESPACE == $ELSEWHERE" }], "both"],
    [[{ if: "$CI_PROJECT_NAMESPACE =~ /acme|other/" }], "both"],
    [[{ if: "$CI_PROJECT_NAMESPACE ==" }], "both"],
    [[{ if: "(((" }], "both"],
    [[{ if: "$CI_PROJECT_PATH == null", ...never }, {}], "both"],
    [[{ if: "$CI_COMMIT_BRANCH" }], "both"],
    [[], "both"],
    [[never], "both"],
  ])("%j: %s", (rules, expected) => {
    expect(condition({ rules, variables: { UP: "acme", KIND: "image" } })).toBe(expected);
  });

  it("takes workflow into account", () => {
    const workflow = { rules: [{ if: '$CI_PROJECT_PATH == "acme/lab"' }] };
    expect(condition({}, { workflow })).toBe("upstream");
    expect(condition({ rules: [{ if: '$CI_PROJECT_PATH != "acme/lab"' }] }, { workflow })).toBe("both");
  });

  it.each([
    [{ only: ["main@acme/lab"] }, "upstream"],
    [{ only: ["main@acme/lab", "/^v.*/@acme/lab"] }, "upstream"],
    [{ only: ["main@acme/lab", "tags"] }, "both"],
    [{ only: "main" }, "both"],
    [{ only: { variables: ['$CI_PROJECT_PATH == "acme/lab"'] } }, "upstream"],
    [{ only: { refs: ["branches@acme/lab"], changes: ["x"] } }, "upstream"],
    [{ only: { variables: ['$CI_PROJECT_PATH == "acme/lab"', "$FORCE"] } }, "both"],
    [{ except: { variables: ['$CI_PROJECT_NAMESPACE != "acme"'] } }, "upstream"],
    [{ except: ["main@acme/lab"] }, "both"],
    [{ except: ["tags"] }, "both"],
  ])("%j: %s", (job, expected) => {
    expect(condition(job)).toBe(expected);
  });

  it("is said by the recipe", () => {
    const tree = ciTree(
      "job: {only: [main@acme/lab], script: [docker build -t x ., docker push x]}\nother: {script: [docker build -t y .]}",
    );
    expect(readRecipes(tree).recipes.map((recipe) => recipe.condition)).toEqual(["upstream", "both"]);
  });
});
