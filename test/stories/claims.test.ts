import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ledgers } from "../../src/domain/registry.ts";
import type { Report, StrategyReport } from "../../src/domain/report.ts";
import { renderJson } from "../../src/reports/json.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { forkRun } from "../fixtures/report/forks.ts";
import { dockerRecipe } from "../fixtures/report/recipes.ts";
import { playTare } from "./tare-process.ts";

/** Nine things that a thread says of such a change, each a mail of its own. */
const SAID = [
  "By using kaniko we would, at minimum, be doubling the amount of data storage in the registry.",
  "When a Dockerfile is edited in a RUN, we have triple the storage for the cache.",
  "Cleanup stops the registry growing, but it will still double our storage.",
  "Caching of course fails when I build in my fork.",
  "We can run without a cache. That burns through our CI credits.",
  "Reproducible builds fail with an out of memory error.",
  "No Dockerfile is using COPY or ADD instructions.",
  "I'm surprised there is no need to provide login credentials.",
  "It no longer needs privileged mode.",
];

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-claims-"));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

/** The mails are read as they arrive, and held against the report. */
async function answers(report: Report): Promise<string[]> {
  const path = join(directory, "report.json");
  await writeFile(path, renderJson(report));
  const mails = SAID.map(async (body, index) => {
    const mail = join(directory, `${index}.eml`);
    const head = `From: "Eve" <eve@example.org>\nMessage-ID: <${index}@example.org>\nSubject: Re: [PATCH] ci\n\n`;
    await writeFile(mail, `${head}> It is only the CI.\n\n${body}\n`);
    return mail;
  });
  const thread = (await Promise.all(mails)).join(",");
  const { code, stdout } = await playTare(["replay", path, "--thread", thread, "--format", "json"]);
  expect(code).toBe(0);
  const { claims } = JSON.parse(stdout) as Report;
  return claims.map(({ kind, mark, sentence }) => `${kind}: ${mark}: ${sentence}`);
}

type Sides = { report: Report; current: StrategyReport; proposed: StrategyReport };

function example(): Sides {
  const report = structuredClone(exampleReport());
  const [current, proposed] = report.images[0]?.strategies ?? [];
  if (!current || !proposed) throw new Error("The example has two strategies.");
  report.machine.link = "1gbit";
  return { report, current, proposed };
}

/** The proposed side is charged so many times what the current one is, in the order of the runs. */
function multiply({ current, proposed }: Sides, ...factors: number[]): void {
  for (const [index, run] of proposed.runs.entries()) {
    const charged = current.runs[index]?.ledgers;
    if (!charged) throw new Error("Each run of the example is charged.");
    run.ledgers = Object.fromEntries(
      Object.entries(charged).map(([ledger, bytes]) => [ledger, Number(bytes) * (factors[index] ?? 1)]),
    ) as Ledgers;
  }
}

function cleaned({ current, proposed }: Sides, factor: number): void {
  const [outcome] = current.cleanup;
  if (!outcome) throw new Error("The example was cleaned up.");
  const { perRepository, namespace, stored } = outcome.ledgers;
  proposed.cleanup = [
    {
      ...outcome,
      ledgers: {
        perRepository: factor * perRepository,
        namespace: factor * namespace,
        stored: factor * Number(stored),
      },
    },
  ];
}

const NO_COPY = { path: "docker/app.docker", jobs: ["app-container"], fromElsewhere: [], unread: null };

describe("nine statements of a thread", () => {
  it("are confirmed where they are true, each with its figure or its line", async () => {
    const sides = example();
    const { report, proposed } = sides;
    multiply(sides, 2, 2, 3);
    cleaned(sides, 2);
    const reused = forkRun({ hits: 0, misses: 3 });
    proposed.forks = [{ upstream: "readable", runs: [reused, reused], cachePush: "denied: the job goes on" }];
    const [cold] = proposed.runs;
    if (!cold) throw new Error("The example has a cold run.");
    report.images[0]?.strategies.push({
      ...proposed,
      role: "other",
      variant: "reproducible",
      runs: [{ ...cold, outcome: "out-of-memory", totalMs: [], ledgers: null }],
      forks: [],
      cleanup: [],
    });
    report.dockerfiles = [{ ...NO_COPY, fromContext: [] }];
    expect(await answers(report)).toStrictEqual([
      expect.stringMatching(/^storage multiplied: confirmed: .* 2\.00 times counted per repository/u),
      expect.stringMatching(/^growth by edits: confirmed: .* 3 times after one edit/u),
      expect.stringMatching(/^cleanup: confirmed: .* 2\.00 times counted per repository/u),
      expect.stringMatching(/^cache in forks: confirmed: .* the second reuses 0 of 3/u),
      expect.stringMatching(
        /^compute: confirmed: kaniko\/layers with an empty cache 2\.7 s against .*, none on a runner of one's own\.$/u,
      ),
      expect.stringMatching(/^memory: confirmed: kaniko\/layers\+reproducible is killed at 8 GiB/u),
      expect.stringMatching(/^copies from the context: confirmed: the one Dockerfile that one job builds/u),
      expect.stringMatching(/^login: confirmed: .* since v1\.9\.0: ci\/containers\.yml:\d+/u),
      expect.stringMatching(/^runners: confirmed: .* kaniko needs no privileges/u),
    ]);
  });

  it("are refuted where they are false, each with its figure or its line", async () => {
    const sides = example();
    const { report, proposed } = sides;
    multiply(sides, 1, 1, 1);
    cleaned(sides, 1);
    const found = forkRun({ hits: 3, misses: 0 });
    proposed.forks = [{ upstream: "readable", runs: [found, found], cachePush: "allowed" }];
    // A warm build that takes longer than a cold one: the cache costs more than it saves.
    for (const run of proposed.runs) if (run.scenario === "warm") run.totalMs = [9_000];
    report.images[0]?.strategies.push({ ...proposed, role: "other", variant: "reproducible", forks: [] });
    const copied = [{ line: 4, text: "COPY . /src" }];
    report.dockerfiles = [{ ...NO_COPY, fromContext: copied }];
    const docker = { ...dockerRecipe("app", "ci/containers.yml"), flags: ["--pull"] };
    report.recipes.head = [{ ...docker, logins: ["$CI_REGISTRY"] }];
    expect(await answers(report)).toStrictEqual([
      expect.stringMatching(/^storage multiplied: refuted: .* 1\.00 times counted per repository/u),
      expect.stringMatching(/^growth by edits: refuted: .* so 3 times never/u),
      expect.stringMatching(/^cleanup: refuted: .* 1\.00 times counted per repository/u),
      expect.stringMatching(/^cache in forks: refuted: .* the second reuses 3 of 3/u),
      expect.stringMatching(/^compute: refuted: kaniko\/layers with an empty cache 2\.7 s against/u),
      expect.stringMatching(/^memory: refuted: kaniko\/layers\+reproducible is not killed/u),
      expect.stringMatching(/^copies from the context: refuted: .* docker\/app\.docker:4 \(COPY \. \/src\)/u),
      expect.stringMatching(/^login: refuted: docker finds no credentials .* logs in to \$CI_REGISTRY/u),
      expect.stringMatching(/^runners: refuted: .* docker needs a daemon in the job/u),
    ]);
  });
});
