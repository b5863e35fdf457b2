import { describe, expect, it } from "vitest";
import { toldOf } from "./marked-change.ts";

const PATH = ".github/workflows/images.yml";

/** A workflow with one build; lines are marked as in a diff. */
function build(lines: readonly string[]): Record<string, string> {
  const head = [
    " on: {push: {branches: [main]}}",
    " jobs:",
    "   image:",
    "     runs-on: ubuntu-latest",
    "     steps:",
    "       - uses: docker/setup-buildx-action@v3",
    "       - name: Build",
    "         uses: docker/build-push-action@v6",
    "         with:",
    "           push: true",
    "           tags: ghcr.io/larch/app:latest",
  ];
  return {
    [PATH]: [...head, ...lines.map((line) => `${line.slice(0, 1)}          ${line.slice(1)}`)].join("\n"),
    Dockerfile: " FROM alpine AS build\n RUN make\n FROM alpine\n COPY --from=build /x /x\n CMD x",
  };
}

describe("findings on workflows", () => {
  it("stand at the input that says it", () => {
    const told = toldOf(
      build([
        "-cache-to: type=inline",
        "+cache-from: type=registry,ref=ghcr.io/larch/app:latest",
        "+cache-to: type=registry,ref=ghcr.io/larch/app:latest,mode=max",
      ]),
    );
    expect(told.map((text) => text.split(":").slice(0, 2).join(":"))).toContain(
      `${PATH}:13 head cache-over-image`,
    );
  });

  it("tell of stages that an inline cache leaves out", () => {
    const told = toldOf(
      build(["-cache-to: type=registry,ref=ghcr.io/larch/cache,mode=max", "+cache-to: type=inline"]),
    );
    expect(told.map((text) => text.split(":").slice(0, 2).join(":"))).toEqual([
      `${PATH}:12 head inline-stages`,
    ]);
  });
});
