import { describe, expect, it } from "vitest";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { onlyRecipe, scriptTree } from "./trees.ts";

/** First name that the image of a build gets after these lines, pushed or not. */
function tagAfter(lines: string[], word: string): string {
  const recipe = onlyRecipe([...lines, `docker build -t ${word} .`]);
  return recipe.flags.find((flag) => flag.startsWith("--tag="))?.slice("--tag=".length) ?? "";
}

describe("words", () => {
  it.each([
    [[], "plain", "plain"],
    [["export A=b"], "$A", "b"],
    [["A=b"], "${A}c", "bc"],
    [["A=b"], "'$A'", "$A"],
    [["A=b"], '"$A c"', "b c"],
    [["A='b c'"], '"$A"', "b c"],
    [["A=$'b\\tc'"], '"$A"', "b\tc"],
    [["A=b\\ c"], '"$A"', "b c"],
    [["A=b\"c\"'d'"], "$A", "bcd"],
    [["A=b; A+=c"], "$A", "bc"],
    [["A=b && B=$A-c"], "$B", "b-c"],
    [["A=b; export A"], "$A", "b"],
    [["A=b", "unset A"], "x$A", "x"],
    [["declare -x A=b"], "$A", "b"],
    [["A=B", "B=c"], "${!A}", "c"],
    [["A=b \\\n  B=c"], "$A$B", "bc"],
  ])("%j gives %s", (lines, word, expected) => {
    expect(tagAfter(lines, word)).toBe(expected);
  });

  it("splits what is not quoted", () => {
    const recipe = onlyRecipe(["FLAGS='--pull --build-arg A=b'", "docker build $FLAGS -t x ."]);
    expect(recipe.flags).toEqual(["--pull", "--build-arg=A=b", "--tag=x"]);
    expect(recipe.context).toBe(".");
  });

  it("drops an empty word that is not quoted", () => {
    expect(onlyRecipe(["FLAGS=", "docker build $FLAGS -t x dir"]).context).toBe("dir");
  });

  it("keeps run-time variables as written", () => {
    expect(tagAfter(["A=$CI_REGISTRY_IMAGE"], "${A}/x:${CI_COMMIT_SHA}")).toBe(
      "$CI_REGISTRY_IMAGE/x:$CI_COMMIT_SHA",
    );
    expect(tagAfter([], "${CI_COMMIT_SHA}_x")).toBe("${CI_COMMIT_SHA}_x");
  });
});

describe("parameter expansions", () => {
  it.each([
    ["${A:-x}", "a/b.c/d.e"],
    ["${EMPTY:-x}", "x"],
    ["${EMPTY-x}", ""],
    ["${NONE:-x}", "x"],
    ["${NONE-x}", "x"],
    ["${A:+x}", "x"],
    ["${NONE:=x}$NONE", "xx"],
    ["${A#*/}", "b.c/d.e"],
    ["${A##*/}", "d.e"],
    ["${A%.*}", "a/b.c/d"],
    ["${A%%.*}", "a/b"],
    ["${A#zzz}", "a/b.c/d.e"],
    ["${A/./-}", "a/b-c/d.e"],
    ["${A//./-}", "a/b-c/d-e"],
    ["${A/#a/z}", "z/b.c/d.e"],
    ["${A/%e/z}", "a/b.c/d.z"],
    ["${A//[a-c]/_}", "_/_._/d.e"],
    ["${A:2:3}", "b.c"],
    ["${A: -3}", "d.e"],
    ["${A^^}", "A/B.C/D.E"],
    ["${#A}", "9"],
    ["${T%:latest}", "$CI_REGISTRY_IMAGE/x"],
  ])("%s gives %s", (word, expected) => {
    const lines = ["A=a/b.c/d.e EMPTY=", "T=$CI_REGISTRY_IMAGE/x:latest"];
    expect(tagAfter(lines, `"${word}"`)).toBe(expected);
  });

  it.each([
    ["${CI_COMMIT_TAG:-latest}", "${CI_COMMIT_TAG:-latest} depends on what only a pipeline knows"],
    ["${CI_REGISTRY_IMAGE##*/}", "${CI_REGISTRY_IMAGE##*/} depends on what only a pipeline knows"],
    ["$(date +%F)", "$(date +%F) is known only when the job runs"],
    ["`date`", "`date` is known only when the job runs"],
    ["$((1 + 2))", "$((1 + 2)) is known only when the job runs"],
    ["$FOO", "$FOO is not defined in the templates (job job)"],
    ["${FOO:+x}", "$FOO is not defined in the templates (job job)"],
    ["${FOO:-}", "$FOO is not defined in the templates (job job)"],
    ["${FOO}", "$FOO is not defined in the templates (job job)"],
    ["$1", "$1 is known only when the job runs"],
  ])("does not guess %s", (word, why) => {
    const recipe = onlyRecipe([`docker build -t "x:${word}" .`, `docker push "x:${word}"`]);
    expect(recipe.images).toEqual([`x:${word === "${FOO}" ? "$FOO" : word}`]);
    expect(recipe.unresolved).toEqual([{ part: "image", why }]);
  });
});

describe("control flow", () => {
  it("waits for a daemon", () => {
    const recipe = onlyRecipe([
      "until docker info; do sleep 1; done",
      "docker build -t x .",
      "docker push x",
    ]);
    expect(recipe.unresolved).toEqual([]);
  });

  it("finds builds in groups, subshells, functions, nested shells and substitutions", () => {
    const lines = [
      "{ docker build -t a .; }",
      "(cd sub && docker build -t b .)",
      "build() { docker build -t $1 $2; }; build c dir",
      "sh -c 'docker build -t d .'",
      'bash -ec "docker build -t e ."',
      "ID=$(docker build -q -t f .)",
      "time sudo -E env X=1 docker build -t g .",
      "echo x | docker build -t h .",
      "docker build -t i . &",
      "eval docker build -t j .",
      "timeout 5m docker build -t k .",
    ];
    const { recipes } = readRecipes(scriptTree(lines));
    expect(recipes.map((recipe) => [recipe.flags.at(-1), recipe.context])).toEqual([
      ["--tag=a", "."],
      ["--tag=b", "sub"],
      ["--tag=c", "dir"],
      ["--tag=d", "."],
      ["--tag=e", "."],
      ["--tag=f", "."],
      ["--tag=g", "."],
      ["--tag=h", "."],
      ["--tag=i", "."],
      ["--tag=j", "."],
      ["--tag=k", "."],
    ]);
  });

  it("goes through literal lists", () => {
    const { recipes } = readRecipes(
      scriptTree(["for n in a b; do docker build -t $n $n; docker push $n; done"]),
    );
    expect(recipes.map((recipe) => [recipe.images, recipe.dockerfile, recipe.unresolved])).toEqual([
      [["a"], "a/Dockerfile", []],
      [["b"], "b/Dockerfile", []],
    ]);
  });

  it("does not guess the members of other lists", () => {
    const recipe = onlyRecipe(["for n in */; do docker build -t x:1 $n; docker push x:1; done"]);
    expect(recipe.unresolved).toEqual([
      { part: "condition", why: "built only if: n in */" },
      { part: "context", why: "$n goes through */" },
      { part: "dockerfile", why: "the Dockerfile is part of a context that is not known" },
    ]);
  });

  it("decides conditions on known values", () => {
    const line = 'if [ "$KIND" = release ]; then docker build -t r .; else docker build -t d .; fi';
    expect(onlyRecipe(["KIND=release", line]).flags).toEqual(["--tag=r"]);
    expect(onlyRecipe(["KIND=other", line]).flags).toEqual(["--tag=d"]);
    expect(onlyRecipe(["X=a", "[[ $X == b ]] && docker build -t n .", "docker build -t y ."]).flags).toEqual([
      "--tag=y",
    ]);
    expect(onlyRecipe(["true || docker build -t n .", "docker build -t y ."]).flags).toEqual(["--tag=y"]);
  });

  it("names conditions that it cannot decide", () => {
    const { recipes } = readRecipes(
      scriptTree([
        'if [ "$CI_COMMIT_BRANCH" = main ]; then docker build -t a .; else docker build -t b .; fi',
        "docker pull x || docker build -t c .",
        '[ -n "$CI_COMMIT_TAG" ] && docker build -t d .',
        "docker info && docker build -t e .",
        "case $CI_COMMIT_BRANCH in main) docker build -t f .;; esac",
      ]),
    );
    const conditions = recipes.map((recipe) =>
      recipe.unresolved.filter(({ part }) => part === "condition").map(({ why }) => why),
    );
    expect(conditions).toEqual([
      ['built only if: [ "$CI_COMMIT_BRANCH" = main ]'],
      ['built only if: not [ "$CI_COMMIT_BRANCH" = main ]'],
      ["built only if: docker pull x fails"],
      ['built only if: [ -n "$CI_COMMIT_TAG" ]'],
      [],
      ["built only if: case $CI_COMMIT_BRANCH in main"],
    ]);
  });

  it("keeps a value apart that depends on a condition", () => {
    const recipe = onlyRecipe([
      'if [ "$CI_COMMIT_BRANCH" = main ]; then TAG=; else TAG=":$CI_COMMIT_REF_SLUG"; fi',
      'docker build -t "$CI_REGISTRY_IMAGE$TAG" .',
      'docker push "$CI_REGISTRY_IMAGE$TAG"',
    ]);
    expect(recipe.images).toEqual(["$CI_REGISTRY_IMAGE$TAG"]);
    expect(recipe.unresolved).toEqual([
      { part: "image", why: '$TAG depends on a condition: [ "$CI_COMMIT_BRANCH" = main ]' },
    ]);
  });

  it("stops at exit", () => {
    expect(readRecipes(scriptTree(["exit 0", "docker build ."])).recipes).toEqual([]);
    expect(onlyRecipe(['[ -z "$CI_COMMIT_TAG" ] && exit 0', "docker build ."]).context).toBe(".");
  });

  it("says which line it cannot read, and reads the others", () => {
    const { recipes, unread } = readRecipes(
      scriptTree(["docker build -t a .", "docker build $(", "docker build -t b ."]),
    );
    expect(recipes.map((recipe) => recipe.flags)).toEqual([["--tag=a"], ["--tag=b"]]);
    expect(unread).toHaveLength(1);
    expect(unread[0]).toMatchObject({
      job: "job",
      file: ".gitlab-ci.yml",
      line: 1,
      command: "docker build $(",
    });
  });
});

describe("directories", () => {
  it.each([
    [[], ".", ".", "Dockerfile"],
    [["cd a/b"], ".", "a/b", "a/b/Dockerfile"],
    [["cd a", "cd .."], "c", "c", "c/Dockerfile"],
    [["cd $CI_PROJECT_DIR/a"], "b", "a/b", "a/b/Dockerfile"],
    [["cd a"], "$CI_PROJECT_DIR", ".", "Dockerfile"],
    [["cd a"], '"${CI_PROJECT_DIR}/b"', "b", "b/Dockerfile"],
    [["cd a"], "$PWD", "a", "a/Dockerfile"],
    [["cd a"], "$(pwd)/b", "a/b", "a/b/Dockerfile"],
    [["pushd a"], "./b/../c/", "a/c", "a/c/Dockerfile"],
  ])("after %j, %s is %s", (lines, context, expected, dockerfile) => {
    const recipe = onlyRecipe([...lines, `docker build -t x ${context}`]);
    expect([recipe.context, recipe.dockerfile]).toEqual([expected, dockerfile]);
  });

  it.each([
    ["docker build -t x /srv", "/srv is not in the tree"],
    ["docker build -t x ~/src", "~/src is not in the tree"],
    ["docker build -t x ..", ".. leads out of the tree"],
    ["docker build -t x a/../../b", "a/../../b leads out of the tree"],
    ["docker build -t x $CI_PROJECT_DIR/../y", "$CI_PROJECT_DIR/../y leads out of the tree"],
    ["docker build -t x $CI_COMMIT_BRANCH", "$CI_COMMIT_BRANCH is known only in a pipeline"],
    ["docker build -t x https://git.example/x.git#main", "https://git.example/x.git#main is not in the tree"],
    ["docker build -t x git@git.example:x.git", "git@git.example:x.git is not in the tree"],
    ["docker build -t x - < Dockerfile", "the context is read from standard input"],
    ["docker build -t x", "the command names no context"],
    ["docker build -t x a b", "several contexts: a b"],
    ["cd - && docker build -t x .", "the directory after `cd -` is known only when the job runs"],
  ])("does not guess %s", (line, why) => {
    const recipe = onlyRecipe([line]);
    expect(recipe.context).toBeNull();
    expect(recipe.dockerfile).toBeNull();
    expect(recipe.unresolved.find(({ part }) => part === "context")).toEqual({ part: "context", why });
  });
});
