import { describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, onlyRecipe, scriptTree } from "./trees.ts";

function kaniko(line: string, files: Record<string, string> = {}): Recipe {
  return onlyRecipe([`/kaniko/executor ${line}`], files);
}

describe("docker build", () => {
  it.each([
    ["-t a -f b/D c", ["--tag=a", "--file=b/D"]],
    ["-ta -fb/D c", ["--tag=a", "--file=b/D"]],
    ["-t=a -f=b/D c", ["--tag=a", "--file=b/D"]],
    ["--tag a --file=b/D c", ["--tag=a", "--file=b/D"]],
    ["c -qt a -f b/D", ["--quiet", "--tag=a", "--file=b/D"]],
    ["--pull --rm=false -f b/D c", ["--pull", "--rm=false", "--file=b/D"]],
    ["-f b/D -- c", ["--file=b/D"]],
    [
      "-m 2g -c 512 -f b/D --add-host h:1 --ulimit x c",
      ["--memory=2g", "--cpu-shares=512", "--file=b/D", "--add-host=h:1", "--ulimit=x"],
    ],
    [
      "--secret id=a,src=b --ssh default --platform linux/amd64 -f b/D c",
      ["--secret=id=a,src=b", "--ssh=default", "--platform=linux/amd64", "--file=b/D"],
    ],
    [
      "--provenance false --progress plain --network host -f b/D c",
      ["--provenance=false", "--progress=plain", "--network=host", "--file=b/D"],
    ],
  ])("reads the flags of %s", (words, flags) => {
    const recipe = onlyRecipe([`docker build ${words}`]);
    expect([recipe.flags, recipe.dockerfile, recipe.context]).toEqual([flags, "b/D", "c"]);
    expect(recipe.unresolved.map(({ part }) => part)).toEqual(["push"]);
  });

  it.each([
    "docker image build",
    "docker builder build",
    "docker -H tcp://x:1 build",
    "docker --host=x --debug build",
    "/usr/bin/docker build",
    "docker.exe build",
  ])("knows %s", (command) => {
    expect(onlyRecipe([`${command} -t x dir`]).context).toBe("dir");
  });

  it("takes -f from the working directory, not from the context", () => {
    const recipe = onlyRecipe(["cd a", "docker build -f ../D -t x b"]);
    expect([recipe.dockerfile, recipe.context]).toEqual(["D", "a/b"]);
  });

  it("keeps and names a flag it does not know", () => {
    const recipe = onlyRecipe(["docker build --frobnicate -t x ."]);
    expect(recipe.flags).toEqual(["--frobnicate", "--tag=x"]);
    expect(recipe.unresolved[0]).toEqual({
      part: "flags",
      why: "--frobnicate is not a flag that is known of docker",
    });
  });

  it("names an unknown word that may be flags", () => {
    const recipe = onlyRecipe(["docker build $EXTRA -t x dir"]);
    expect(recipe.context).toBe("dir");
    expect(recipe.unresolved[0]).toEqual({
      part: "flags",
      why: "$EXTRA is not defined in the templates (job job)",
    });
  });

  it.each([
    ["docker build .", "docker/none", []],
    ["docker build --cache-from a .", "docker/none", ["a"]],
    ["docker build --cache-from a,b --cache-from type=registry,ref=c .", "docker/none", ["a", "b", "c"]],
    ["docker build --build-arg BUILDKIT_INLINE_CACHE=1 .", "docker/inline", []],
    ["docker build --build-arg BUILDKIT_INLINE_CACHE=0 .", "docker/none", []],
    ["docker build --cache-to type=inline --cache-from a .", "docker/inline", ["a"]],
    ["docker build --no-cache --cache-to=type=inline --cache-from a .", "docker/none", []],
    ["docker build --no-cache=false --cache-to=type=inline --cache-from a .", "docker/inline", ["a"]],
    ["export BUILDKIT_INLINE_CACHE=1; docker build --build-arg BUILDKIT_INLINE_CACHE .", "docker/inline", []],
    ["DOCKER_BUILDKIT=0 docker build --build-arg BUILDKIT_INLINE_CACHE=1 .", "docker/none", []],
  ])("tells the strategy of %s", (line, strategy, cacheFrom) => {
    const recipe = onlyRecipe([line]);
    expect([recipe.strategy, recipe.cacheFrom]).toEqual([strategy, cacheFrom]);
  });

  it("says what it leaves to the older builder, and what is no registry", () => {
    const older = onlyRecipe(["DOCKER_BUILDKIT=0 docker build --cache-to type=inline ."]);
    expect(older.environment).toEqual({ DOCKER_BUILDKIT: "0" });
    expect(older.unresolved[0]).toEqual({
      part: "strategy",
      why: "DOCKER_BUILDKIT=0 selects the older builder, which writes no inline cache",
    });
    const local = onlyRecipe(["docker build --cache-from type=local,src=/c ."]);
    expect(local.unresolved[0]).toEqual({
      part: "cache-from",
      why: "type=local,src=/c is not a reference of a registry",
    });
  });

  it("lists what the job pushes, under every name", () => {
    const recipe = onlyRecipe([
      "docker build -t app -t $CI_REGISTRY_IMAGE:a --cache-to type=inline .",
      "docker tag app:latest $CI_REGISTRY_IMAGE:b",
      "docker push -q $CI_REGISTRY_IMAGE:b",
      "docker image push $CI_REGISTRY_IMAGE:a",
      "docker push $CI_REGISTRY_IMAGE:a",
    ]);
    expect(recipe.images).toEqual(["$CI_REGISTRY_IMAGE:b", "$CI_REGISTRY_IMAGE:a"]);
    expect(recipe.cacheTo).toEqual(recipe.images);
    expect(recipe.unresolved).toEqual([]);
  });

  it("knows other ways to push", () => {
    expect(onlyRecipe(["docker build -t r:a -t r:b .", "docker push --all-tags r"]).images).toEqual([
      "r:a",
      "r:b",
    ]);
    expect(onlyRecipe(["docker build --push -t r:a ."]).images).toEqual(["r:a"]);
    expect(onlyRecipe(["docker build -o type=registry -t r:a ."]).images).toEqual(["r:a"]);
  });

  it("says when the job pushes nothing", () => {
    const recipe = onlyRecipe(["docker build -t r:a .", "docker push other"]);
    expect(recipe.images).toEqual([]);
    expect(recipe.unresolved).toEqual([{ part: "push", why: "job job does not push r:a" }]);
    expect(onlyRecipe(["docker build ."]).unresolved).toEqual([
      { part: "push", why: "the image has no name in job job" },
    ]);
  });

  it("keeps build arguments, target, logins and environment", () => {
    const tree = ciTree(`
variables: {DOCKER_BUILDKIT: 1, FF_KANIKO_X: "on", OTHER: x}
job:
  image: {name: "docker:$V", entrypoint: [""]}
  services: [{name: docker:dind, alias: docker}]
  variables: {V: "27"}
  script:
    - echo "$P" | docker login -u u --password-stdin $CI_REGISTRY
    - docker login -u u -p p
    - export BUILDKIT_PROGRESS=plain
    - docker build --build-arg A=b=c --build-arg D --target t -t x .
    - docker push x
`);
    const [recipe] = readRecipes(tree).recipes;
    expect(recipe).toMatchObject({
      runsIn: "docker:27",
      services: ["docker:dind"],
      buildArgs: { A: "b=c", D: null },
      target: "t",
      logins: ["$CI_REGISTRY", "docker.io"],
      environment: { DOCKER_BUILDKIT: "1", FF_KANIKO_X: "on", BUILDKIT_PROGRESS: "plain" },
      unresolved: [],
    });
  });
});

describe("kaniko", () => {
  it("never takes the next word for a switch", () => {
    const recipe = kaniko("--cache --destination r:1 --reproducible --context .");
    expect([recipe.strategy, recipe.images, recipe.context]).toEqual(["kaniko/layers", ["r:1"], "."]);
    expect(recipe.flags).toEqual(["--cache", "--destination=r:1", "--reproducible", "--context=."]);
    expect(kaniko("--cache false -d r:1").unresolved).toEqual([
      { part: "flags", why: "false belongs to no flag: kaniko does not read it" },
    ]);
  });

  it.each([
    ["-d r/i:1 --cache=true", "kaniko/layers", ["r/i/cache"], ["r/i/cache"]],
    ["-d r/i@sha256:0 --cache", "kaniko/layers", ["r/i/cache"], ["r/i/cache"]],
    ["-d h:5000/i --cache", "kaniko/layers", ["h:5000/i/cache"], ["h:5000/i/cache"]],
    ["-d r/i:1 --cache=true --cache-repo r/c", "kaniko/layers", ["r/c"], ["r/c"]],
    ["-d r/i:1 --cache=true --cache-repo=r/c --no-push-cache", "kaniko/layers", ["r/c"], []],
    ["-d r/i:1 --cache=false --cache-repo r/c", "kaniko/none", [], []],
    ["-d r/i:1", "kaniko/none", [], []],
  ])("tells the cache of %s", (words, strategy, cacheFrom, cacheTo) => {
    const recipe = kaniko(words);
    expect([recipe.strategy, recipe.cacheFrom, recipe.cacheTo]).toEqual([strategy, cacheFrom, cacheTo]);
  });

  it("looks for the Dockerfile as given, then below the context", () => {
    const files = { "sub/Dockerfile": "FROM x", "sub/D": "FROM x", E: "FROM x" };
    expect(kaniko("-d r --context $CI_PROJECT_DIR/sub", files).dockerfile).toBe("sub/Dockerfile");
    expect(kaniko("-d r -c dir://$CI_PROJECT_DIR/sub -f D", files).dockerfile).toBe("sub/D");
    expect(kaniko("-d r -c sub -f $CI_PROJECT_DIR/E", files).dockerfile).toBe("E");
    expect(kaniko("-d r -f gone", files).dockerfile).toBe("gone");
  });

  it("joins the sub path", () => {
    expect(kaniko("-d r -c . --context-sub-path a/b").context).toBe("a/b");
    expect(kaniko("-d r -c . --context-sub-path ../b").unresolved[0]?.why).toBe(
      "../b is not a path below the context",
    );
  });

  it.each(["git://git.example/x.git", "s3://bucket/x.tar.gz", "tar://stdin", "/workspace"])(
    "does not guess the context %s",
    (context) => {
      const recipe = kaniko(`-d r --context ${context}`);
      expect(recipe.context).toBeNull();
      expect(recipe.unresolved[0]).toEqual({ part: "context", why: `${context} is not in the tree` });
    },
  );

  it("pushes nothing with --no-push", () => {
    const recipe = kaniko("--no-push --cache");
    expect(recipe.images).toEqual([]);
    expect(recipe.unresolved).toEqual([
      { part: "push", why: "--no-push: the image stays where it is built" },
      { part: "cache-to", why: "neither --cache-repo nor --destination names a repository" },
    ]);
  });

  it("knows the program by its path, and by its name in a kaniko image only", () => {
    const line = "executor -d r:1 --cache --cache-ttl 24h --verbosity=debug";
    const named = readRecipes(ciTree(JSON.stringify({ job: { image: "x/kaniko:debug", script: [line] } })));
    expect(named.recipes[0]?.flags).toEqual([
      "--destination=r:1",
      "--cache",
      "--cache-ttl=24h",
      "--verbosity=debug",
    ]);
    expect(readRecipes(scriptTree([line]))).toMatchObject({ recipes: [], unread: [] });
  });
});

describe("what is not read", () => {
  it.each([
    ["docker buildx bake", "there is no bake file in the tree"],
    ["docker bake app", "there is no bake file in the tree"],
    ["docker compose build", "docker compose build is not read yet: its images stand in its own file"],
    [
      "docker compose up -d --build",
      "docker compose up --build is not read yet: its images stand in its own file",
    ],
    [
      "docker-compose -f c.yml build",
      "docker-compose build is not read yet: its images stand in its own file",
    ],
    ["podman compose push", "podman compose push is not read yet: its images stand in its own file"],
    ["docker run --rm x/kaniko -d r", "a builder run by docker run is not read yet"],
    ["docker run x sh -c 'docker build -t y .'", "a builder run by docker run is not read yet"],
    ["docker commit c r:1", "docker commit makes an image without a Dockerfile"],
    ["docker import x.tar r:1", "docker import makes an image without a Dockerfile"],
    ["buildah from alpine", "an image that is made step by step has no Dockerfile"],
    ["buildah commit c r:1", "an image that is made step by step has no Dockerfile"],
    ["podman commit c r:1", "an image that is made without a Dockerfile is not read"],
    ["nerdctl build -t x .", "the builder nerdctl is not read yet"],
    ["img build -t x .", "the builder img is not read yet"],
    ["pack build x --builder y", "the builder pack is not read yet"],
    ["ko build ./cmd/x", "the builder ko is not read yet"],
    ["earthly +image", "the builder earthly is not read yet"],
    ["devcontainer build --image-name r", "the builder devcontainer is not read yet"],
    ["skaffold build", "the builder skaffold is not read yet"],
    ["./gradlew jib -Dx=y", "the builder gradlew is not read yet"],
    ["gcloud builds submit --tag x", "the builder gcloud is not read yet"],
    ["ssh host docker build -t x .", "a builder that is called through ssh is not read"],
    ["xargs -n1 docker push", "a builder that is called through xargs is not read"],
    ["kaniko-build --destination r", "kaniko-build may build an image: it is no builder that is read"],
    ["docker push r:1", "r:1 is pushed, but no build of this job that is read makes it"],
    ["docker manifest push r:1", "an image index is put together of images that are pushed already"],
    [
      "docker buildx imagetools create -t r:1 r:a r:b",
      "an image index is put together of images that are pushed already",
    ],
  ])("%s", (line, why) => {
    const { recipes, unread } = readRecipes(scriptTree(["echo docker", line]));
    expect(recipes).toEqual([]);
    expect(unread).toEqual([{ job: "job", file: ".gitlab-ci.yml", line: 1, command: line, why }]);
  });

  it("is nothing that only mentions a builder", () => {
    const lines = [
      "docker info",
      "docker run x",
      "docker run -d moby/buildkit",
      "echo docker build .",
      "podman pull x",
      "buildah login x",
      "docker buildx ls",
      "docker compose up -d",
      "grep -q 'docker build' file",
      "skopeo copy docker://a/b docker://c/d",
      "buildctl du",
    ];
    expect(readRecipes(scriptTree(lines))).toMatchObject({ recipes: [], unread: [] });
  });
});
