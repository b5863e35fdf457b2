import type { Recipe } from "../domain/recipe.ts";
import { placeOfCommand, placeOfText } from "./places.ts";
import type { Check, Pair, Reading, Remark } from "./types.ts";
import { splitReference } from "../domain/image-reference.ts";

const LOGIN = /\b(?:docker|podman|buildah|skopeo|crane|oras)\s+login\b/;
const CI_REGISTRY = /^\$CI_REGISTRY(?:_IMAGE)?(?:[/:]|$)/;
/** Credentials that a job may have without a login. */
const CREDENTIALS =
  /config\.json|auth\.json|DOCKER_AUTH_CONFIG|DOCKER_CONFIG|REGISTRY_AUTH_FILE|--authfile|--creds|cred(?:ential|s)[-_]?(?:helper|store)/i;

const HELPER =
  "kaniko, pkg/creds/creds.go: since v1.9.0 its keychain ends with docker-credential-gitlabci, which answers for the host CI_REGISTRY";
const NONE =
  "docker, buildah and buildctl read credentials from a file that a login writes; none of them reads CI_REGISTRY_USER by itself.";

/**
 * A login to GitLab's own registry that goes, or that is missing. kaniko finds `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`
 * by itself for the host `CI_REGISTRY` (pkg/creds/creds.go, docker-credential-gitlabci, since v1.9.0); docker, buildah and
 * buildctl have no such helper.
 */
export const login: Check = {
  id: "login",
  remarks: (reading) => reading.pairs.flatMap((pair) => removed(reading, pair) ?? missing(reading, pair)),
};

/** Null where the change removes no login. */
function removed(reading: Reading, { base, head }: Pair): Remark[] | null {
  const logsIn = (recipe: Recipe) => recipe.logins.some((reference) => CI_REGISTRY.test(reference));
  if (base === null || !logsIn(base) || logsIn(head)) return null;
  const place = placeOfText(reading, base, "base", LOGIN);
  if (place === null || !pushesHere(head) || isUnsure(head)) return [];
  const said = head.builder === "kaniko" ? ofKaniko(reading, head) : ofOthers(reading, head);
  return said === null ? [] : [{ job: head.job, place, subject: null, say: () => said.text, why: said.why }];
}

function ofKaniko(reading: Reading, head: Recipe): { text: string; why: string } | null {
  const version = /^v?1\.(\d+)\b/.exec(splitReference(head.runsIn ?? "").tag ?? "")?.[1];
  if (version === undefined || Number(version) >= 9) {
    return {
      text: "kaniko can do without this login: it takes CI_REGISTRY_USER and CI_REGISTRY_PASSWORD by itself for the host of $CI_REGISTRY",
      why: `${HELPER}; docker needs the login because it has no such helper.`,
    };
  }
  if (hasCredentials(reading, head)) return null;
  return {
    text: `kaniko 1.${version} needs this login or a config.json: only from 1.9.0 on it takes CI_REGISTRY_USER by itself`,
    why: `${HELPER}.`,
  };
}

function ofOthers(reading: Reading, head: Recipe): { text: string; why: string } | null {
  if (hasCredentials(reading, head)) return null;
  const program = head.program.split(" ")[0] ?? head.builder;
  return {
    text: `${program} finds no credentials for $CI_REGISTRY by itself: without this login its push is denied`,
    why: NONE,
  };
}

/** A job that pushes and logs in nowhere, where other builds of the project do log in or need not. */
function missing(reading: Reading, { base, head }: Pair): Remark[] {
  const comesFromKaniko = base?.builder === "kaniko";
  const othersLogIn = reading.base.some((recipe) => recipe.logins.some((each) => CI_REGISTRY.test(each)));
  if (head.builder === "kaniko" || !pushesHere(head) || head.logins.length > 0 || isUnsure(head)) return [];
  if (!(comesFromKaniko || (base === null && othersLogIn)) || hasCredentials(reading, head)) return [];
  const place = placeOfCommand(reading, head);
  if (place === null) return [];
  const program = head.program.split(" ")[0] ?? head.builder;
  const say = () =>
    `This job logs in nowhere, and ${program} finds no credentials for $CI_REGISTRY by itself: its push is denied`;
  return [{ job: head.job, place, subject: null, say, why: NONE }];
}

/** Whether all that a build pushes goes to GitLab's own registry. */
function pushesHere({ images, cacheTo }: Recipe): boolean {
  return images.length > 0 && [...images, ...cacheTo].every((reference) => CI_REGISTRY.test(reference));
}

function isUnsure(recipe: Recipe): boolean {
  return recipe.unresolved.some(({ part }) => part === "logins");
}

function hasCredentials(reading: Reading, recipe: Recipe): boolean {
  const files = new Set([recipe.file, ".gitlab-ci.yml"]);
  return [...files].some((file) => CREDENTIALS.test(reading.read("head", file) ?? ""));
}
