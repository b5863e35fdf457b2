import { describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { onlyRecipe, scriptTree } from "./trees.ts";

function conditions(recipe: Recipe): string[] {
  return recipe.unresolved.filter(({ part }) => part === "condition").map(({ why }) => why);
}

function tags(items: readonly string[], files: Record<string, string> = {}): string[][] {
  const { recipes } = readRecipes(scriptTree(items, files));
  return recipes.map((recipe) => recipe.flags.filter((flag) => flag.startsWith("--tag=")));
}

describe("functions", () => {
  it("may return early without ending the script", () => {
    expect(tags(["f() { return 0; }", "f", "docker build -t a ."])).toEqual([["--tag=a"]]);
    expect(tags(["f() { exit 0; }", "f", "docker build -t a ."])).toEqual([]);
    expect(tags(["(exit 0)", "docker build -t a ."])).toEqual([["--tag=a"]]);
  });

  it("leaves a value unknown that depends on an early return", () => {
    const recipe = onlyRecipe([
      'f() { if [ "$CI_COMMIT_BRANCH" = main ]; then T=a; return; fi; T=b; }',
      "f",
      "docker build -t $T .",
    ]);
    expect(recipe.unresolved[0]).toEqual({
      part: "image",
      why: "$T depends on a condition: commands that end early",
    });
    expect(conditions(recipe)).toEqual([]);
  });

  it("asks for what an early return would prevent", () => {
    const recipe = onlyRecipe(["f() { [ -f x ] || return 0; docker build -t a .; }", "f"]);
    expect(conditions(recipe)).toEqual(["built only if: not [ -f x ] fails"]);
    const guarded = onlyRecipe(['[ -n "$CI_COMMIT_TAG" ] || exit 1', "docker build -t a ."]);
    expect(conditions(guarded)).toEqual([]);
    const stopped = onlyRecipe(['[ -z "$CI_COMMIT_TAG" ] && exit 0', "docker build -t a ."]);
    expect(conditions(stopped)).toEqual(['built only if: not [ -z "$CI_COMMIT_TAG" ]']);
  });

  it("retries what it is given", () => {
    const retry = 'retry() { for i in 1 2 3; do "$@" && break; sleep 5; done; }';
    const recipe = onlyRecipe([retry, "retry docker build -t r:1 .", "retry docker push r:1"]);
    expect([recipe.images, recipe.unresolved]).toEqual([["r:1"], []]);
  });
});

describe("loops and cases", () => {
  it("shifts arguments as long as there are some", () => {
    const loop = "f() { while [ $# -gt 0 ]; do case $1 in -t) T=$2; shift 2;; *) C=$1; shift;; esac; done; }";
    const recipe = onlyRecipe([loop, "f -t r:1 dir", "docker build -t $T $C", "docker push r:1"]);
    expect([recipe.images, recipe.context, recipe.unresolved]).toEqual([["r:1"], "dir", []]);
  });

  it("leaves a loop at break and goes on at continue", () => {
    expect(tags(["for n in a b c; do [ $n = b ] && continue; docker build -t $n .; done"])).toEqual([
      ["--tag=a"],
      ["--tag=c"],
    ]);
    expect(tags(["for n in a b c; do [ $n = b ] && break; docker build -t $n .; done"])).toEqual([
      ["--tag=a"],
    ]);
    expect(tags(["while true; do docker build -t a . && break; done", "docker build -t b ."])).toEqual([
      ["--tag=a"],
      ["--tag=b"],
    ]);
  });

  it.each([
    ["main", ["--tag=m"]],
    ["v1.2", ["--tag=v"]],
    ["x", ["--tag=o"]],
  ])("decides a case on %s", (value, tag) => {
    const line =
      "case $K in main|master) docker build -t m .;; v[0-9]*) docker build -t v .;; *) docker build -t o .;; esac";
    expect(tags([`K=${value}`, line])).toEqual([tag]);
  });

  it("keeps values apart that a case sets", () => {
    const line = "case $CI_COMMIT_BRANCH in main) T=a;; *) T=b;; esac";
    expect(onlyRecipe([line, "docker build -t $T ."]).unresolved[0]).toEqual({
      part: "image",
      why: "$T depends on a condition: case $CI_COMMIT_BRANCH in main",
    });
  });

  it("takes a build for done where the script asks", () => {
    const recipe = onlyRecipe(["if docker build -t r:1 .; then docker push r:1; else exit 1; fi"]);
    expect([recipe.images, recipe.unresolved]).toEqual([["r:1"], []]);
  });
});

describe("arrays and expansions", () => {
  it("passes the members of arrays", () => {
    const recipe = onlyRecipe([
      "ARGS=(--pull -t r:1)",
      'ARGS+=(--build-arg "A=b c")',
      'docker build "${ARGS[@]}" "${NONE[@]}" dir',
    ]);
    expect([recipe.flags, recipe.context]).toEqual([["--pull", "--tag=r:1", "--build-arg=A=b c"], "dir"]);
    expect(recipe.unresolved[0]?.why).toBe("$NONE is an array whose members are not known");
    expect(onlyRecipe(["T=(a b)", "docker build -t ${T[1]}${#T[@]} ."]).flags).toEqual(["--tag=b2"]);
    const loop = 'for i in "${!N[@]}"; do docker build -t ${N[$i]} ${D[i]}; done';
    const { recipes } = readRecipes(scriptTree(["N=(a b)", "D=(x y)", loop]));
    expect(recipes.map((each) => [each.flags[0], each.context])).toEqual([
      ["--tag=a", "x"],
      ["--tag=b", "y"],
    ]);
  });

  it("does not guess what only bash expands", () => {
    const recipe = onlyRecipe(["for n in {1..3}; do docker build -t x:$n .; done"]);
    expect(conditions(recipe)).toEqual(["built only if: n in {1..3}"]);
  });

  it.each([
    ["$(echo a-b)", "a-b"],
    ["$(echo -n $CI_COMMIT_SHA)", "$CI_COMMIT_SHA"],
    ["$(basename images/alder.docker .docker)", "alder"],
    ["$(dirname images/alder/Dockerfile)", "images/alder"],
    ["$(cat VERSION)", "1.2"],
    ["$(printf %s x)", "x"],
  ])("knows %s", (word, tag) => {
    expect(onlyRecipe([`docker build -t ${word} .`], { VERSION: "1.2\n" }).flags).toEqual([`--tag=${tag}`]);
  });

  it("does not take a file for what it was that the job writes", () => {
    const recipe = onlyRecipe(["date > VERSION", "docker build -t x:$(cat VERSION) ."], { VERSION: "1.2\n" });
    expect(recipe.unresolved[0]?.why).toBe("$(cat VERSION) is known only when the job runs");
  });
});

describe("scripts of the repository", () => {
  const script = [
    "#!/bin/bash -e",
    'cd "$(dirname "$0")/.."',
    'NAME=$1; TAG="$CI_REGISTRY_IMAGE/$NAME:${2:-latest}"',
    'docker build -t "$TAG" -f images/$NAME.docker .',
    'docker push "$TAG"',
  ].join("\n");

  it.each([
    "./ci/build.sh alder",
    "bash -e ci/build.sh alder",
    "cd ci && ./build.sh alder",
    "sh $CI_PROJECT_DIR/ci/build.sh alder",
  ])("reads %s", (line) => {
    const recipe = onlyRecipe([line], { "ci/build.sh": script });
    expect(recipe).toMatchObject({
      file: "ci/build.sh",
      line: 4,
      dockerfile: "images/alder.docker",
      context: ".",
      images: ["$CI_REGISTRY_IMAGE/alder:latest"],
      unresolved: [],
    });
  });

  it.each([
    ["in a directory that the job changes to", ["cd ci", "cd deep && ./b.sh"], "ci/deep/b.sh"],
    ["without a word of a builder", ["ci/deep/b.sh"], "ci/deep/b.sh"],
    ["by a path of a variable", ["D=ci", "$D/deep/b.sh"], "ci/deep/b.sh"],
    ["without an ending", ["./b"], "b"],
    ["behind a pipe", ["true | sh b"], "b"],
  ])("finds a script %s", (_, items, path) => {
    const files = { [path]: "docker build -t r .\ndocker push r" };
    expect(onlyRecipe(items, files)).toMatchObject({ file: path, images: ["r"], unresolved: [] });
  });

  it("gives it what is exported, and nothing else", () => {
    const files = { "b.sh": 'docker build -t "x$A$B" .' };
    expect(onlyRecipe(["export A=a", "B=b", "./b.sh"], files).flags).toEqual(["--tag=xa$B"]);
    expect(onlyRecipe(["B=b ./b.sh", "A=c"], files).flags).toEqual(["--tag=x$Ab"]);
  });

  it("takes in what is sourced", () => {
    const files = { "ci/lib.sh": "T=r:1\nbuild() {\n  docker build -t $T $1\n  return\n}\n" };
    const recipe = onlyRecipe([". ci/lib.sh", "build dir", "docker push r:1"], files);
    expect([recipe.file, recipe.line, recipe.context, recipe.images]).toEqual([
      "ci/lib.sh",
      3,
      "dir",
      ["r:1"],
    ]);
  });

  it("follows scripts that scripts call, and ends where they call themselves", () => {
    const files = { "a.sh": "sh b.sh one\nsh b.sh two", "b.sh": "docker build -t $1 .\n./a.sh" };
    const { recipes, unread } = readRecipes(scriptTree(["./a.sh"], files));
    expect(recipes.slice(0, 2).map((recipe) => recipe.flags)).toEqual([["--tag=one"], ["--tag=one"]]);
    expect(recipes.length).toBeLessThan(5000);
    expect(unread.map(({ why }) => why)).toContain("a.sh is called too deep");
  });

  it.each([
    [
      "python3 ci/b.py",
      { "ci/b.py": 'run(["docker", "build", "."])' },
      "ci/b.py calls a builder: only shell scripts are read",
    ],
    [
      "./ci/b.py",
      { "ci/b.py": "#!/usr/bin/env python3\nos.system('docker build .')" },
      "ci/b.py is a script of python3: only shell scripts are read",
    ],
    ["./docker-build.sh", {}, "docker-build.sh is not in the tree"],
    ["./b.sh", { "b.sh": "docker build $(" }, "b.sh cannot be read as a shell script: "],
    [
      "make --eval=x image",
      { Makefile: "all:\n\techo\nimage: deps\n\tdocker build -t x .\n" },
      "Makefile calls a builder there: this call of make is not read",
    ],
    [
      "make -C sub push-a",
      { "sub/Makefile": "push-%: image\nimage:\n\t$(DOCKER) build .\n" },
      "sub/Makefile calls a builder there: this call of make is not read",
    ],
  ])("names %s", (line, files, why) => {
    const { recipes, unread } = readRecipes(scriptTree([line], files));
    expect(recipes).toEqual([]);
    expect(unread).toHaveLength(1);
    expect(unread[0]?.why).toContain(why);
  });

  it("says nothing of scripts and targets that build no image", () => {
    const files = {
      "t.sh": "echo docker; make check",
      Makefile: "test:\n\ttrue\nimage:\n\tdocker build .\n",
      "x.py": "print('docker')",
    };
    const lines = ["./t.sh", "make test", "python3 x.py", "./gone.sh", "../configure"];
    expect(readRecipes(scriptTree(lines, files))).toMatchObject({ recipes: [], unread: [] });
  });

  it("reads a shell's standard input", () => {
    expect(onlyRecipe(["bash <<'EOF'\ndocker build -t a .\nEOF"]).flags).toEqual(["--tag=a"]);
  });
});

describe("Dockerfiles that the job writes", () => {
  it.each([
    "cat > Dockerfile <<EOF\nFROM x\nEOF",
    "echo FROM x | tee Dockerfile",
    "sed -i s/a/b/ Dockerfile",
    "cp other/Dockerfile .",
    "{ echo FROM x; } > ./Dockerfile",
    "curl -o Dockerfile https://example.org/d",
  ])("are named: %s", (line) => {
    const recipe = onlyRecipe([line, "docker build -t x ."]);
    expect(recipe.dockerfile).toBeNull();
    expect(recipe.unresolved[0]?.why).toMatch(/^Dockerfile is written by the job: /);
  });

  it("are others where another file is written", () => {
    expect(onlyRecipe(["echo > Dockerfile.other", "docker build -t x . 2> log"]).dockerfile).toBe(
      "Dockerfile",
    );
  });
});
