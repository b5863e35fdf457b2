import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { BuilderId } from "../../src/domain/recipe.ts";
import { openTestbed, type Testbed } from "../../src/images/testbed.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

/** How each builder is asked for its version. */
const ASKED = {
  docker: ["dockerd", "--version"],
  buildkit: ["buildkitd", "--version"],
  kaniko: ["/kaniko/executor", "version"],
  buildah: ["buildah", "--version"],
} as const satisfies Record<BuilderId, readonly string[]>;

const builders = Object.keys(ASKED) as BuilderId[];

let testbed: Testbed;
beforeAll(async () => {
  testbed = await openTestbed({
    cacheDirectory: cacheDirectory(process.env),
    environment: process.env,
    dialogue: { say: () => {}, ask: async () => true },
    builders,
    archivedKaniko: true,
  });
});
afterAll(async () => {
  await testbed.close();
});

const say = async (builder: BuilderId, main: readonly string[]) =>
  testbed.executor.run(
    {
      name: `version-${builder}-${process.pid}`,
      image: testbed.tools.builders[builder]?.image ?? "",
      main: [...main],
      ready: null,
      commands: [],
      environment: {},
      workingDirectory: "/",
      files: [],
      volumes: [],
      privileges: "none",
      limits: { ...DEFAULT_LIMITS, durationMs: 60_000 },
    },
    new AbortController().signal,
  );

it.each(builders)("%s is the version that Tare says, by its own word", async (builder) => {
  const version = testbed.tools.builders[builder]?.version ?? "";
  expect(version).toMatch(/^v?\d+\.\d+\.\d+$/);
  const result = await say(builder, ASKED[builder]);
  expect(result.outcome).toBe("succeeded");
  expect(result.log.map(({ line }) => line).join("\n")).toMatch(
    new RegExp(`(?<![\\d.])${version.replaceAll(".", "\\.")}(?![\\d.])`),
  );
});

it("BuildKit's image has what its daemon starts with: a shell, sed, xargs and runc", async () => {
  const result = await say("buildkit", ["sh", "-c", "runc --version && echo x | sed s/x/y/ | xargs echo"]);
  expect(result.outcome).toBe("succeeded");
  expect(result.log.at(-1)?.line).toBe("y");
});
