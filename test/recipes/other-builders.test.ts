import { describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, onlyRecipe, scriptTree } from "./trees.ts";

function parts(recipe: Recipe): string[] {
  return recipe.unresolved.map(({ part, why }) => `${part}: ${why}`);
}

const LOCAL = "--frontend dockerfile.v0 --local context=. --local dockerfile=.";

describe("buildctl build", () => {
  it.each([
    "buildctl build",
    "buildctl-daemonless.sh build",
    "buildctl --addr tcp://b:1234 --tlsdir=/c build",
  ])("reads %s", (call) => {
    const recipe = onlyRecipe([
      `${call} --progress=plain --frontend=dockerfile.v0 --local context=app --local dockerfile=images ` +
        "--opt filename=./D --opt target=t --opt build-arg:A=b=c --opt platform=linux/amd64 " +
        "--output type=image,name=r/a:1,push=true --import-cache type=registry,ref=r/c " +
        "--export-cache type=registry,ref=r/c,mode=max,ignore-error=true",
    ]);
    expect(recipe).toMatchObject({
      builder: "buildkit",
      strategy: "buildkit/registry-max",
      program: "buildctl build",
      dockerfile: "images/D",
      context: "app",
      target: "t",
      images: ["r/a:1"],
      cacheFrom: ["r/c"],
      cacheTo: ["r/c"],
      cacheToOptions: [{ mode: "max", "ignore-error": "true" }],
      buildArgs: { A: "b=c" },
      unresolved: [],
    });
  });

  it.each([
    [`${LOCAL} --output type=image,name=r,push=true`, "buildkit/none", "Dockerfile", ["r"], []],
    [
      `${LOCAL} --output 'type=image,"name=r:1,r:2",push=true' --export-cache type=inline`,
      "buildkit/inline",
      "Dockerfile",
      ["r:1", "r:2"],
      [],
    ],
    [
      `${LOCAL} --exporter image --exporter-opt name=r --exporter-opt push=true --export-cache r/c --export-cache-opt mode=max`,
      "buildkit/registry-max",
      "Dockerfile",
      ["r"],
      [],
    ],
    [
      `${LOCAL} --output type=image,name=r`,
      "buildkit/none",
      "Dockerfile",
      [],
      ["push: --output type=image without push=true and a name: nothing is pushed"],
    ],
    [
      LOCAL,
      "buildkit/none",
      "Dockerfile",
      [],
      ["push: the command names no --output: the image stays in its builder"],
    ],
    [
      `${LOCAL} --output type=image,name=$IMAGE,push=true`,
      "buildkit/none",
      "Dockerfile",
      ["$IMAGE"],
      ["image: $IMAGE is not defined in the templates (job job)"],
    ],
    [
      "--frontend gateway.v0 --opt source=x/other --output type=image,name=r,push=true",
      "buildkit/none",
      null,
      ["r"],
      ["dockerfile: the frontend x/other may not read Dockerfiles"],
    ],
    [
      "--frontend gateway.v0 --opt source=docker/dockerfile:1 --local dockerfile=d --local context=. --output type=image,name=r,push=true",
      "buildkit/none",
      "d/Dockerfile",
      ["r"],
      [],
    ],
    [
      "--frontend dockerfile.v0 --opt context=https://git.example/x.git --output type=image,name=r,push=true",
      "buildkit/none",
      null,
      ["r"],
      [
        "context: https://git.example/x.git is not in the tree",
        "dockerfile: the command names no directory for the dockerfile: --local dockerfile=",
      ],
    ],
  ])("tells of %s", (words, strategy, dockerfile, images, unresolved) => {
    const recipe = onlyRecipe([`buildctl build ${words}`]);
    expect([recipe.strategy, recipe.dockerfile, recipe.images, parts(recipe)]).toEqual([
      strategy,
      dockerfile,
      images,
      unresolved,
    ]);
  });

  it("is read through docker run with its mounts", () => {
    const recipe = onlyRecipe([
      "docker run --rm --privileged -v $PWD/sub:/src:ro -v $HOME/.docker:/root/.docker --entrypoint buildctl-daemonless.sh " +
        "moby/buildkit:v1 build --frontend dockerfile.v0 --local context=/src --local dockerfile=/src/d " +
        "--output type=image,name=r,push=true",
    ]);
    expect(recipe).toMatchObject({
      program: "buildctl build",
      runsIn: "moby/buildkit:v1",
      context: "sub",
      dockerfile: "sub/d/Dockerfile",
      images: ["r"],
      unresolved: [],
    });
    const lost = onlyRecipe([
      "docker run --entrypoint buildctl-daemonless.sh moby/buildkit build --frontend dockerfile.v0 " +
        "--local context=/w --local dockerfile=. --output type=image,name=r,push=true",
    ]);
    expect([lost.context, lost.dockerfile, parts(lost)]).toEqual([
      null,
      null,
      ["context: /w is not in the tree", "dockerfile: the working directory is one of the container"],
    ]);
  });
});

describe("buildah and podman", () => {
  it.each([
    "buildah bud",
    "buildah build",
    "buildah build-using-dockerfile",
    "buildah --storage-driver vfs bud",
  ])("reads %s", (call) => {
    const recipe = onlyRecipe([
      "buildah login -u u -p p $CI_REGISTRY",
      `${call} --format docker -f d/D --target t --build-arg A=1 -t r/a:1 d`,
      "buildah tag r/a:1 r/a:2 r/a:3",
      "buildah push r/a:1",
      "buildah push r/a:2 docker://r/b:2",
    ]);
    expect(recipe).toMatchObject({
      builder: "buildah",
      strategy: "buildah/none",
      program: "buildah build",
      dockerfile: "d/D",
      context: "d",
      target: "t",
      images: ["r/a:1", "r/b:2"],
      logins: ["$CI_REGISTRY"],
      unresolved: [],
    });
  });

  it("finds the file as the builder does", () => {
    const files = { "c/Containerfile": "FROM x", "c/D": "FROM x", Dockerfile: "FROM x" };
    const of = (words: string) => onlyRecipe([`buildah bud -t x ${words}`], files).dockerfile;
    expect([of("c"), of("."), of("-f D c"), of("-f Dockerfile c"), of("")]).toEqual([
      "c/Containerfile",
      "Dockerfile",
      "c/D",
      "Dockerfile",
      "Dockerfile",
    ]);
    const two = onlyRecipe(["buildah bud -f a -f b -t x ."]);
    expect([two.dockerfile, parts(two)[0]]).toEqual([null, "dockerfile: several files are put together"]);
  });

  it.each([
    ["buildah bud --layers --cache-from r/c --cache-to r/c", "buildah/layers", ["r/c"], ["r/c"], []],
    ["BUILDAH_LAYERS=true buildah bud --cache-from r/c", "buildah/layers", ["r/c"], [], []],
    ["podman build --cache-from r/c --cache-to r/d", "buildah/layers", ["r/c"], ["r/d"], []],
    [
      "podman build --layers=false --cache-to r/d",
      "buildah/none",
      [],
      [],
      ["strategy: --cache-from and --cache-to are ignored without --layers"],
    ],
    [
      "buildah bud --cache-from r/c",
      "buildah/none",
      [],
      [],
      ["strategy: --cache-from and --cache-to are ignored without --layers"],
    ],
    ["buildah bud --layers", "buildah/none", [], [], []],
    ["podman build", "buildah/none", [], [], []],
    [
      "podman build --no-cache --cache-to r/c",
      "buildah/none",
      [],
      [],
      ["strategy: --no-cache: what is written to --cache-to is not known"],
    ],
    ["buildah bud --layers --cache-from r/c:tag", "buildah/layers", ["r/c:tag"], [], []],
  ])("tells the cache of %s", (call, strategy, from, to, unresolved) => {
    const push = call.includes("podman") ? "podman push r/a" : "buildah push r/a";
    const recipe = onlyRecipe([`${call} -t r/a .`, push]);
    expect([recipe.strategy, recipe.cacheFrom, recipe.cacheTo, parts(recipe)]).toEqual([
      strategy,
      from,
      to,
      unresolved,
    ]);
    expect(recipe.cacheToOptions).toEqual(to.map(() => ({})));
  });

  it.each([
    ["podman push localhost/a docker://r/a:1", ["r/a:1"], []],
    ["podman push a r/a:1", ["r/a:1"], []],
    ["podman image push a:latest", ["a:latest"], []],
    [
      "skopeo copy containers-storage:localhost/a docker://r/a:1 --additional-tag r/a:2",
      ["r/a:1", "r/a:2"],
      [],
    ],
    ["podman push a oci:dir", [], ["push: oci:dir is no registry", "push: job job does not push a"]],
  ])("after %s it has %j", (push, images, unresolved) => {
    const recipe = onlyRecipe(["podman build -t a .", push]);
    expect([recipe.images, parts(recipe)]).toEqual([images, unresolved]);
  });

  it("takes a manifest's name for the image's", () => {
    const lines = ["podman build --manifest r/a .", "podman manifest push --all r/a docker://r/a:1"];
    expect(onlyRecipe(lines).images).toEqual(["r/a:1"]);
  });

  it("keeps the engines' stores apart from what nothing made", () => {
    const { unread } = readRecipes(scriptTree(["buildah bud -t a .", "buildah push b"]));
    expect(unread.map(({ why }) => why)).toEqual([
      "b is pushed, but no build of this job that is read makes it",
    ]);
  });
});

describe("copies after a build", () => {
  it("adds a name that a pushed image is copied to", () => {
    const recipe = onlyRecipe([
      "skopeo login -u u -p p s",
      "docker build -t r/a:1 .",
      "docker push r/a:1",
      "skopeo copy --all docker://r/a:1 docker://s/a:1",
      "skopeo copy docker-daemon:r/a:1 docker://t/a:1",
    ]);
    expect([recipe.images, recipe.unresolved]).toEqual([["r/a:1", "s/a:1", "t/a:1"], []]);
    expect(recipe.logins).toEqual(["s"]);
  });

  it("names an archive of kaniko that another program pushes", () => {
    const job = (push: string) =>
      readRecipes(
        ciTree(
          JSON.stringify({
            job: {
              image: "x/kaniko",
              script: ["/kaniko/executor -c . -d r --no-push --tar-path a.tar", push],
            },
          }),
        ),
      ).recipes.map(parts)[0];
    const stays = [
      "push: --no-push: the image stays where it is built",
      "push: --tar-path: the image is left in a.tar",
    ];
    for (const push of ["crane push a.tar r:1", "skopeo copy docker-archive:a.tar docker://r:1"]) {
      const source = push.startsWith("crane") ? "a.tar" : "docker-archive:a.tar";
      expect(job(push)).toEqual([...stays, `push: r:1 is pushed from ${source} by another program: ${push}`]);
    }
  });
});

describe("kaniko", () => {
  it.each([
    ["docker:27", "/usr/local/bin/executor -d r -c ."],
    ["x/kaniko", "executor -d r"],
    ["docker:27", "executor --destination=r --dockerfile=D"],
    ["alpine", "/opt/kaniko/executor -d r"],
  ])("in %s is called by %s", (image, line) => {
    const { recipes } = readRecipes(ciTree(JSON.stringify({ job: { image, script: [line] } })));
    expect(recipes.map((recipe) => [recipe.builder, recipe.images])).toEqual([["kaniko", ["r"]]]);
  });

  it("does not take a directory for a cache repository", () => {
    const recipe = onlyRecipe(["/kaniko/executor -d r --cache --cache-repo oci:/cache"]);
    expect([recipe.cacheTo, parts(recipe)]).toEqual([
      [],
      ["cache-to: oci:/cache is a directory of the runner, not a repository"],
    ]);
  });
});

describe("builds of which one is done", () => {
  it("gives a push to each of them, and its world to each", () => {
    const { recipes } = readRecipes(
      scriptTree([
        'if test "$CI_PROJECT_NAMESPACE" = acme; then docker build --no-cache -t r:1 .; else docker build --cache-from r:1 -t r:1 .; fi',
        "docker tag r:1 r:2",
        "docker push r:1",
        "docker push r:2",
      ]),
    );
    expect(
      recipes.map((recipe) => [recipe.condition, recipe.cacheFrom, recipe.images, recipe.unresolved]),
    ).toEqual([
      ["upstream", [], ["r:1", "r:2"], []],
      ["fork", ["r:1"], ["r:1", "r:2"], []],
    ]);
  });

  it("keeps a push in the branch of its own build", () => {
    const { recipes } = readRecipes(
      scriptTree(["if $X; then docker build -t r -f A .; docker push r; else docker build -t r -f B .; fi"]),
    );
    expect(recipes.map((recipe) => recipe.images)).toEqual([["r"], []]);
  });

  it("takes a name away that another image gets", () => {
    const { recipes, unread } = readRecipes(
      scriptTree(["docker pull x", "docker build -t r:1 .", "docker tag x r:1", "docker push r:1"]),
    );
    expect([recipes[0]?.images, parts(recipes[0] as Recipe)[0]]).toEqual([
      [],
      "image: r:1 is given to another image: docker tag x r:1",
    ]);
    expect(unread.map(({ why }) => why)).toEqual([
      "r:1 is pushed, but no build of this job that is read makes it",
    ]);
  });
});

describe("what is called through another program", () => {
  it.each([
    [
      'eval "$(echo docker build . | cat) docker build -t x ."',
      {},
      "what it runs is put together when the job runs",
    ],
    [
      "with_retry ci/image.sh",
      { "ci/image.sh": "docker build ." },
      "ci/image.sh calls a builder: it is called through with_retry, which is not known",
    ],
    ["make push-image", {}, "Makefile is not in the tree: what push-image does is not known"],
    ["crane flatten -t r:1 r:1", {}, "an image is changed in the registry after it is built"],
  ])("%s", (line, files, why) => {
    const { unread } = readRecipes(scriptTree([line], files));
    expect(unread.map((each) => each.why)).toEqual([why]);
  });

  it("says what buildah does not take", () => {
    const recipe = onlyRecipe(["buildah bud --layers --cache-from=type=image,ref=r/c -t r ."]);
    expect(parts(recipe)[0]).toBe(
      "strategy: type=image,ref=r/c is no repository: buildah takes no options there",
    );
  });

  it("does not take a variable of cmd.exe for a name", () => {
    const recipe = onlyRecipe(["docker build -t %IMAGE%:1 .", "docker push %IMAGE%:1"]);
    expect(parts(recipe)).toEqual(["image: %IMAGE% is a variable of cmd.exe, which is not read"]);
  });

  it("says where a push has no name that is known", () => {
    const recipe = onlyRecipe(["docker buildx build --push $TAGS ."]);
    expect(parts(recipe)).toEqual([
      "flags: $TAGS is not defined in the templates (job job)",
      "push: the image is pushed without a name that is known",
    ]);
  });
});
