import { describe, expect, it } from "vitest";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { onlyRecipe, scriptTree } from "./trees.ts";

const MAKEFILE = `include config.mk
ENGINE ?= docker
NAME = $(REGISTRY)/app
TAG := v1
.PHONY: image push
help:
	@echo nothing
image: prepare
	@$(ENGINE) build -t $(NAME):$(TAG) \\
	  -f images/$(strip  main ).Dockerfile images
push: image
	$(ENGINE) push $(NAME):$(TAG)
prepare:
	mkdir -p out
`;
const FILES = { Makefile: MAKEFILE, "config.mk": "REGISTRY = r\n" };

describe("targets of a Makefile", () => {
  it("are read with their variables, includes and prerequisites, at their own lines", () => {
    const recipe = onlyRecipe(["make push"], FILES);
    expect(recipe).toMatchObject({
      file: "Makefile",
      line: 9,
      dockerfile: "images/main.Dockerfile",
      context: "images",
      images: ["r/app:v1"],
      unresolved: [],
    });
  });

  it.each([
    ["make -s push TAG=v2", ["r/app:v2"]],
    ["make push TAG=$CI_COMMIT_SHA", ["r/app:$CI_COMMIT_SHA"]],
    ["TAG=x make push", ["r/app:v1"]],
    ["cd sub && make -C .. push REGISTRY=s", ["s/app:v1"]],
  ])("take what the command line gives: %s", (line, images) => {
    expect(onlyRecipe([line], FILES).images).toEqual(images);
  });

  it("take an engine from the environment only where the file asks", () => {
    expect(onlyRecipe(["ENGINE=podman make image"], FILES).builder).toBe("buildah");
  });

  it("are followed through $(MAKE) with what was given", () => {
    const files = {
      Makefile: "all:\n\t$(MAKE) -C sub image\n",
      "sub/Makefile": "TAG = one\nimage:\n\tdocker build -t r:$(TAG) .\n\tdocker push r:$(TAG)\n",
    };
    expect(onlyRecipe(["make TAG=two"], files)).toMatchObject({
      file: "sub/Makefile",
      context: "sub",
      images: ["r:two"],
    });
  });

  it("are found through a script", () => {
    const recipe = onlyRecipe(["sh ci.sh"], {
      ...FILES,
      "ci.sh": "set -e\nmake push TAG=v3\nmake image-clean || true\n",
    });
    expect(recipe.images).toEqual(["r/app:v3"]);
  });

  it("hand on what the file exports", () => {
    const makefile = "export DOCKER_BUILDKIT = 1\nimage:\n\tdocker build -t r . && docker push r\n";
    expect(onlyRecipe(["make"], { Makefile: makefile }).environment).toEqual({ DOCKER_BUILDKIT: "1" });
  });

  it("leave open what only make can tell", () => {
    const makefile =
      "V = $(shell git describe)\nifdef X\nC = a\nendif\nimage:\n\tdocker build -t r:$(V) $(C)\n\tdocker push r:$(V)\n";
    const { unresolved, context } = onlyRecipe(["make image"], { Makefile: makefile });
    expect(context).toBeNull();
    expect(unresolved.map(({ why }) => why)).toEqual(
      expect.arrayContaining([
        "$(shell git describe) is what a command prints",
        "$(C) of make depends on ifdef X",
      ]),
    );
  });

  it.each([
    [
      "make image",
      "image:\n\t$(call build,docker build .)\n\tdocker build .\n",
      /put together by a function/,
    ],
    ["make image", "image: A = b\nimage:\n\tdocker build $(A)\n", /variables of its own/],
    ["make image-x", "image-%:\n\tdocker build $*\n", /calls a builder there/],
    ["make image", "image:\n\tdocker build a\nimage:\n\tdocker build b\n", /several recipes/],
    ["make image", "ifdef A\nimage:\n\tdocker build a\nendif\n", /depend on ifdef A/],
  ])("are named where they are not read: %s %j", (line, makefile, why) => {
    const { recipes, unread } = readRecipes(scriptTree([line], { Makefile: makefile }));
    expect(recipes).toEqual([]);
    expect(unread.map((each) => each.why)).toEqual([expect.stringMatching(why)]);
  });
});
