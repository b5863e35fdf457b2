import { posix } from "node:path";
import type { Recipe } from "../domain/recipe.ts";
import { formatCount } from "../domain/quantities.ts";
import { notTested } from "./charges.ts";
import type { Judged } from "./charges.ts";
import type { DockerfileCopies } from "../domain/report.ts";
import type { ClaimFacts } from "./facts.ts";
import type { Assertion } from "./types.ts";

type Of<Kind extends Assertion["kind"]> = Extract<Assertion, { kind: Kind }>;

/** Lines that are named before the rest is counted. */
const NAMED = 4;

/** `no Dockerfile is using COPY or ADD` */
export function answerCopies({ says }: Of<"copies from the context">, facts: ClaimFacts): Judged {
  const all = facts.dockerfiles ?? [];
  const built = all.filter(({ jobs }) => jobs.length > 0);
  if (built.length === 0) return notTested("no Dockerfile that a job builds was read.");
  const copying = built.filter(({ fromContext }) => fromContext.length > 0);
  if (copying.length > 0) {
    const sentence = `${builtText(built, copying.length)}: ${linesText(copying)}.`;
    return { mark: says === "none" ? "refuted" : "confirmed", sentence };
  }
  const others = all.filter(({ jobs, fromContext }) => jobs.length === 0 && fromContext.length > 0);
  const none = `${builtText(built, 0)}${elsewhereText(built)}${othersText(others)}`;
  const unread = built.flatMap(({ unread: why }) => (why === null ? [] : [why]));
  if (unread.length > 0)
    return { mark: "depends", sentence: `${none}; not read: ${unread.length} of them (${unread[0]}).` };
  if (says === "none") return { mark: "confirmed", sentence: `${none}.` };
  return { mark: others.length > 0 ? "depends" : "refuted", sentence: `${none}.` };
}

/** `none of the 24 Dockerfiles that 24 jobs build takes files from the context` */
function builtText(built: readonly DockerfileCopies[], copying: number): string {
  const jobs = new Set(built.flatMap((each) => each.jobs)).size;
  const which = `that ${formatCount(jobs, "job")} build${jobs === 1 ? "s" : ""}`;
  if (built.length === 1)
    return `the one Dockerfile ${which} takes ${copying === 0 ? "no " : ""}files from the context`;
  const some = copying === 0 ? "none" : String(copying);
  return `${some} of the ${built.length} Dockerfiles ${which} ${copying > 1 ? "take" : "takes"} files from the context`;
}

/** `COPY --from` copies, and needs no context. */
function elsewhereText(built: readonly DockerfileCopies[]): string {
  const from = built.filter(({ fromElsewhere }) => fromElsewhere.length > 0);
  const lines = from.map((each) => ({ ...each, fromContext: each.fromElsewhere }));
  return from.length === 0 ? "" : ` (from a stage, an image or an address: ${linesText(lines)})`;
}

function othersText(others: readonly DockerfileCopies[]): string {
  if (others.length === 0) return "";
  const count = others.length === 1 ? "one Dockerfile" : `${others.length} Dockerfiles`;
  return `; ${count} beside them ${others.length === 1 ? "does, and no job of these builds it" : "do, and none of these jobs builds them"}: ${linesText(others)}`;
}

const LONGEST_TEXT = 30;

function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 3)}...` : text;
}

/** `a.docker:9 (ADD . /), b.docker:30 (…) and 3 more` */
function linesText(dockerfiles: readonly DockerfileCopies[]): string {
  const folder = posix.dirname(dockerfiles[0]?.path ?? "");
  const all = dockerfiles.flatMap(({ path, fromContext }, index) => {
    // A folder that was named is not again.
    const name = index > 0 && posix.dirname(path) === folder ? posix.basename(path) : path;
    return fromContext.map(({ line, text }) => `${name}:${line} (${shortened(text)})`);
  });
  const rest = all.length > NAMED ? ` and ${all.length - NAMED} more` : "";
  return `${all.slice(0, NAMED).join(", ")}${rest}`;
}

const CI_REGISTRY = /^\$\{?CI_REGISTRY(?:_IMAGE)?\}?(?:[/:]|$)/;
/** kaniko, pkg/creds/creds.go: the last of its keychain answers for the host of CI_REGISTRY. */
const HELPER =
  "kaniko takes CI_REGISTRY_USER and CI_REGISTRY_PASSWORD by itself for the host of $CI_REGISTRY (docker-credential-gitlabci)";

/** `surprised there is no need to provide login credentials` */
export function answerLogin({ says }: Of<"login">, facts: ClaimFacts): Judged {
  const recipe = facts.recipes?.head.find(({ images }) => images.length > 0);
  if (recipe === undefined) return notTested("no changed job pushes an image.");
  const at = `${recipe.file}:${recipe.line}`;
  const truth = (isNeeded: boolean) => (isNeeded === (says === "needed") ? "confirmed" : "refuted");
  if (recipe.builder === "kaniko") {
    const strange = [...recipe.images, ...recipe.cacheTo].find((reference) => !CI_REGISTRY.test(reference));
    if (strange !== undefined)
      return { mark: "depends", sentence: `${HELPER}, and ${at} pushes to ${strange}.` };
    const version = /:v?1\.(\d+)\b/.exec(recipe.runsIn ?? "")?.[1];
    const isOld = version !== undefined && Number(version) < 9;
    const said = isOld
      ? `only since v1.9.0, and ${at} names ${recipe.runsIn ?? ""}`
      : `since v1.9.0: ${at}${loginBefore(facts, recipe.file)}`;
    return { mark: truth(isOld), sentence: `${HELPER}, ${said}.` };
  }
  const none = `${recipe.builder} finds no credentials for a registry by itself`;
  if (recipe.logins.length > 0)
    return {
      mark: truth(true),
      sentence: `${none}: the job of ${at} logs in to ${recipe.logins.join(", ")}.`,
    };
  return {
    mark: "depends",
    sentence: `${none}, and the job of ${at} logs in nowhere: its runner must bring them.`,
  };
}

function loginBefore({ recipes }: ClaimFacts, named: string): string {
  const before = recipes?.base.find(({ logins }) => logins.length > 0);
  if (before === undefined) return "";
  const place = before.file === named ? `line ${before.line}` : `${before.file}:${before.line}`;
  return `; ${before.builder} has no such helper, so ${place} logged in before`;
}

type Needs = { needs: string | null; recipe: Recipe };

/** `will it fix the k8s runners?` */
export function answerRunners({ says }: Of<"runners">, facts: ClaimFacts): Judged {
  const before = needsOf(facts.recipes?.base, facts);
  const after = needsOf(facts.recipes?.head, facts);
  if (after === null)
    return notTested(
      "what the proposed builder needs of a runner is not known; another site's runners cannot be tried.",
    );
  const now = `after it, ${needsText(after, before?.recipe.file)}`;
  const was = before === null ? "" : `before the change, ${needsText(before)}; `;
  if (says === "no privileges")
    return { mark: after.needs === null ? "confirmed" : "refuted", sentence: `${was}${now}.` };
  const own = "another site's runners cannot be tried";
  if (before === null || before.needs === after.needs)
    return notTested(`${was}${now}, so nothing is known to change for a runner; ${own}.`);
  const decides =
    after.needs === null
      ? "it helps where the privileges were what failed"
      : "it helps only where these needs are met";
  return { mark: "depends", sentence: `${was}${now}: ${decides}; ${own}.` };
}

function needsOf(recipes: readonly Recipe[] | undefined, facts: ClaimFacts): Needs | null {
  const recipe = recipes?.[0];
  const needs = recipe && facts.needs[recipe.builder];
  if (recipe === undefined || needs === undefined) return null;
  return { needs, recipe };
}

/** `docker needs a daemon in the job: a privileged runner (service docker:dind, x.yml:14)`; a file that was named is not again. */
function needsText({ needs, recipe }: Needs, named?: string): string {
  const { builder, services } = recipe;
  const service = services.length > 0 ? `service ${services.join(", ")}, ` : "";
  const what = needs === null ? "needs no privileges" : `needs ${needs}`;
  const place = recipe.file === named ? `line ${recipe.line}` : `${recipe.file}:${recipe.line}`;
  return `${builder} ${what} (${service}${place})`;
}
