import { describe, expect, it } from "vitest";
import { touchesTemplate } from "../../src/answer-forge.ts";

describe("touchesTemplate", () => {
  it.each([
    [".gitlab-ci.yml", true],
    [".github/workflows/a.yaml", true],
    [".github/actions/b/build.sh", true],
    ["deploy/docker-bake.hcl", true],
    ["docker-bake.override.json", true],
    ["package.json", false],
    ["src/main.c", false],
    ["docs/.github.md", false],
  ])("%s: %s", (path, touches) => {
    expect(touchesTemplate(["README.md", path])).toBe(touches);
  });
});
