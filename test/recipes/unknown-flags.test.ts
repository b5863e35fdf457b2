import { describe, expect, it } from "vitest";
import { onlyRecipe } from "./trees.ts";

const FILES = { "app/Dockerfile": "FROM scratch\n", "app/Containerfile": "FROM scratch\n" };

describe("flags of the program behind its command", () => {
  it.each([
    "buildah build --log-level error -t r/a app",
    "buildah bud --root /r --storage-driver vfs -t r/a app",
    "podman build --log-level=debug --cgroup-manager cgroupfs -t r/a app",
  ])("takes their values from no context: %s", (line) => {
    const recipe = onlyRecipe([line], FILES);
    expect(recipe.context).toBe("app");
    expect(recipe.unresolved.map(({ part }) => part)).toEqual(["push"]);
  });

  it("knows them of a push", () => {
    const lines = ["buildah build -t r/a app", "buildah push --log-level error r/a r/b"];
    expect(onlyRecipe(lines, FILES).images).toEqual(["r/b"]);
  });
});

describe("a flag that no table knows", () => {
  it.each([
    ["docker build --frob app", "--frob"],
    ["docker buildx build --push -t r/a --frob app", "--frob"],
    ["buildah build -t r/a --frob app", "--frob"],
    ["podman build -Z app", "-Z"],
  ])("leaves the context open where one word follows: %s", (line, flag) => {
    const { context, dockerfile, unresolved } = onlyRecipe([line], FILES);
    expect([context, dockerfile]).toEqual([null, null]);
    expect(unresolved).toContainEqual({
      part: "context",
      why: `app may be the value of ${flag}, which is not known`,
    });
  });

  it.each(["docker build --frob x app", "docker build --frob=x app", "docker build app --frob x"])(
    "does not hide a context that stands apart: %s",
    (line) => {
      expect(onlyRecipe([line], FILES).context).toBe("app");
    },
  );
});
