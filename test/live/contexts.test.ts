import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobFile } from "../../src/domain/job.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { adapted, STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const STAGE_BYTES = 4_000_000;
const OWN_BYTES = 1_000_000;
/** Stages, a target that is not the last one, an argument, a file and a program of the context. */
const DOCKERFILE = `FROM docker.io/library/busybox:1.36 AS tool
ARG VERSION
RUN head -c ${STAGE_BYTES} /dev/urandom > /big && test "$VERSION" = "1 2" && echo "$VERSION" > /version

FROM docker.io/library/busybox:1.36 AS image
COPY --from=tool /version /version
COPY tool.sh /bin/tool
COPY data /data
RUN head -c ${OWN_BYTES} /dev/urandom > /own && tool /data/file

FROM docker.io/library/busybox:1.36 AS unwanted
RUN false
`;

const file = (path: string, content: string, executable = false): JobFile => ({
  kind: "file",
  path: `/builds/group/project/images/${path}`,
  content: Buffer.from(content),
  executable,
});
const CONTEXT: JobFile[] = [
  file("tool.sh", '#!/bin/sh\ntest "$(cat "$1")" = content\n', true),
  file("data/file", "content\n"),
  { kind: "symlink", path: "/builds/group/project/images/data/link", target: "file" },
];

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

/** The strategy's recipe with a Dockerfile and a context in a directory of their own. */
function inDirectory(recipe: Recipe): Recipe {
  return {
    ...recipe,
    dockerfile: "images/app.docker",
    context: "images",
    target: "image",
    buildArgs: { ...recipe.buildArgs, VERSION: "1 2" },
  };
}

const built = (recipe: Recipe) =>
  runLiveTrial(live, inDirectory(recipe), DOCKERFILE, { context: CONTEXT, edits: ["last"] });

describe.concurrent("an image of several stages with a context", () => {
  it.each([
    [STRATEGIES["docker/inline"], "docker/inline", [4, 0], [3, 1]],
    [STRATEGIES["buildkit/inline"], "buildkit/inline", [4, 0], [3, 1]],
    [STRATEGIES["buildah/layers"], "buildah/layers", [4, 0], [3, 1]],
    // kaniko caches RUN alone unless it is told to: each COPY is a new layer.
    [STRATEGIES["kaniko/layers"], "kaniko/layers", [1, 3], [0, 4]],
    [adapted("kaniko", "layers", "copy-layers"), "kaniko/layers+copy-layers", [4, 0], [3, 1]],
  ])("is built, found again and edited by $1", async (recipe, _, warm, edit) => {
    const { record } = await built(recipe);
    expect(record.runs.map(({ result, hits, misses }) => [result.outcome, hits, misses])).toStrictEqual([
      ["succeeded", 0, 4],
      ["succeeded", ...warm],
      ["succeeded", ...edit],
    ]);
  });

  it("has its first stage in a cache of mode max alone", async () => {
    const cacheBytes = async (recipe: Recipe) => {
      const { disk } = await built(recipe);
      return disk[0]?.repositories["group/project/image-cache"]?.bytes ?? 0;
    };
    const least = await cacheBytes(STRATEGIES["buildkit/registry-min"]);
    const most = await cacheBytes(STRATEGIES["buildkit/registry-max"]);
    expect(least).toBeGreaterThan(OWN_BYTES);
    expect(most - least).toBeGreaterThan(STAGE_BYTES);
    expect(most - least).toBeLessThan(STAGE_BYTES + 20_000);
  });
});
