import { z } from "zod";
import type { Mirror } from "../domain/mirror.ts";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";
import { editorSchema } from "./editor-schema.ts";
import { OUTBOX_DEFAULTS } from "./outbox.ts";
import { readSettings, type SettingsText } from "./settings-file.ts";
import {
  cpus,
  described,
  duration,
  egress,
  imageByDigest,
  imageCount,
  link,
  memory,
  mirrorHost,
  registryHost,
  repeats,
  replay,
  secret,
} from "./value-schemas.ts";
import { wishes } from "./wishes.ts";

const text = z.string().min(1).max(2000);

const limits = z.strictObject({
  cpus: described(cpus, "CPUs of a job", 2),
  memory: described(memory, "memory of a job, swap off", "8g"),
  timeout: described(duration, "longest time of one run", "60m"),
  processes: described(z.int().min(16).max(1_000_000), "most processes of a job", 4096),
  logBytes: described(
    z.int().min(10_000).max(1_000_000_000),
    "bytes of log after which a job is ended",
    10_000_000,
  ),
  disk: described(
    memory,
    "what all files of a job may take; where it is not written, 10g behind a gate and the engine's disk elsewhere",
  ),
});

const ceilings = z.strictObject({
  repeats: described(repeats, "most timed repeats"),
  replay: described(replay, "most edits that are replayed"),
  images: described(imageCount, "most images of one change"),
  budget: described(duration, "longest time for one change"),
  cpus: described(cpus, "most CPUs of a job"),
  memory: described(memory, "most memory of a job"),
  timeout: described(duration, "longest time of one run that can be asked for"),
});

const mail = z.strictObject({
  from: described(text, "sender of the replies (TARE_MAIL_FROM)"),
  replyTo: described(text, "mailbox that a person reads (TARE_MAIL_REPLY_TO)"),
  smtpUrl: described(secret, "smtp://user:password@host:port or smtps://… (TARE_SMTP_URL)"),
});

const github = z.strictObject({
  appId: described(z.int().min(1), "number of the GitHub App (GITHUB_APP_ID)"),
  privateKey: described(secret, "its RSA key in PEM form (GITHUB_PRIVATE_KEY)"),
  webhookSecret: described(
    secret,
    "at least 32 characters; two, with a comma, while one is renewed (GITHUB_WEBHOOK_SECRET)",
  ),
  apiUrl: described(text, "for GitHub Enterprise (GITHUB_API_URL)", "https://api.github.com"),
  webhookPath: described(text, "path of the hook (GITHUB_WEBHOOK_PATH)", "/github/hooks"),
});

const gitlab = z.strictObject({
  url: described(text, "https://gitlab.example.org (GITLAB_URL)"),
  token: described(secret, "a token with scope api and the role Developer (GITLAB_TOKEN)"),
  webhookSecret: described(secret, "secret token, or whsec_… for signed hooks (GITLAB_WEBHOOK_SECRET)"),
  webhookPath: described(text, "path of the hook (GITLAB_WEBHOOK_PATH)", "/gitlab/hooks"),
});

const web = z.strictObject({
  host: described(text, "address that the web process listens on (TARE_HOST)", "127.0.0.1"),
  port: described(z.int().min(0).max(65_535), "its port (TARE_PORT)", 3000),
});

const perSpan = z.int().min(1).max(1_000_000);
const outbox = z.strictObject({
  holdFirst: described(
    z.int().min(0).max(1_000),
    "first replies of each project or list that wait for tare outbox release",
    OUTBOX_DEFAULTS.holdFirst,
  ),
  commentPauseSeconds: described(
    z.int().min(0).max(3_600),
    "seconds between two edits of one comment",
    OUTBOX_DEFAULTS.commentPauseSeconds,
  ),
  githubPerMinute: described(perSpan, "writes to GitHub in a minute", OUTBOX_DEFAULTS.githubPerMinute),
  githubPerHour: described(perSpan, "writes to GitHub in an hour", OUTBOX_DEFAULTS.githubPerHour),
  gitlabPerMinute: described(perSpan, "writes to GitLab in a minute", OUTBOX_DEFAULTS.gitlabPerMinute),
  listPerHour: described(perSpan, "mails to one list in an hour", OUTBOX_DEFAULTS.listPerHour),
  listPerDay: described(perSpan, "mails to one list in a day", OUTBOX_DEFAULTS.listPerDay),
  threadPerDay: described(perSpan, "mails to one thread in a day", OUTBOX_DEFAULTS.threadPerDay),
  authorPerDay: described(perSpan, "mails that answer one author in a day", OUTBOX_DEFAULTS.authorPerDay),
});

const projects = z.record(
  z.string().regex(/^[\w.-]+(?:\/[\w.-]+)+$/u, "must be group/project"),
  z.strictObject({ ledger: wishes.ledger }),
);

const own = (of: string) => described(imageByDigest, `image of one's own for ${of}, by digest`);
const builders = z.strictObject({
  docker: own("docker"),
  buildkit: own("BuildKit"),
  kaniko: own("kaniko"),
  buildah: own("buildah"),
  registry: own("the trial's registry"),
});

const mirrors = z.record(
  registryHost,
  z.union(
    [
      mirrorHost,
      z.strictObject({
        host: mirrorHost.meta({ description: "host or host:port" }),
        insecure: described(z.boolean(), "it speaks HTTP", false),
      }),
    ],
    { error: "must be host or host:port, or {host: …, insecure: true}" },
  ),
);

const keys = z.strictObject({
  privileges: described(
    z.enum(["auto", "privileged", "capabilities"]),
    "how jobs with a daemon get their rights; auto: as this machine allows (TARE_PRIVILEGES)",
    "auto",
  ),
  builderImages: described(
    z.enum(["auto", "official", "packages"]),
    "where the images of builders and registry come from; auto: official, else packages (TARE_IMAGES)",
    "auto",
  ),
  builders: described(builders, "images of one's own for builders and registry"),
  mirrors: described(mirrors, "where base images of a registry are pulled, by its host in image names"),
  egress: described(egress, "hosts that jobs of changes that are not trusted may reach; all else is denied"),
  limits: described(limits, "limits of every job"),
  ceilings: described(
    ceilings,
    "what neither a command nor a project's file may exceed; none where not written",
  ),
  link: described(
    link,
    "rate of the link between builder and registry, for example 100mbit; where it is unlimited, time decides nothing",
    "unlimited",
  ),
  repeats: wishes.repeats,
  budget: wishes.budget,
  strategies: wishes.strategies,
  edits: wishes.edits,
  replay: wishes.replay,
  thresholds: wishes.thresholds,
  projects: described(projects, "what differs for a project, by group/project"),
  mail: described(mail, "the mail door"),
  github: described(github, "the GitHub App"),
  gitlab: described(gitlab, "the GitLab hook"),
  web: described(web, "the web process"),
  outbox: described(outbox, "how replies leave `tare serve`"),
});

/** An operator's own value above his own ceiling is a slip of the pen; it is told beside other faults. */
const schema = (
  [
    ["repeats", ["repeats"]],
    ["replay", ["replay"]],
    ["budget", ["budget"]],
    ["cpus", ["limits", "cpus"]],
    ["memory", ["limits", "memory"]],
    ["timeout", ["limits", "timeout"]],
  ] as const
).reduce(
  (checked, [name, path]) =>
    checked.refine((settings) => !exceeds(valueAt(settings, path), valueAt(settings, ["ceilings", name])), {
      path: [...path],
      message: `is above ceilings.${name}`,
      // A value with a fault of its own is not compared.
      when: ({ issues }) =>
        !issues.some((issue) => [path, ["ceilings", name]].some((key) => isAt(issue, key))),
    }),
  keys,
);

function isAt(issue: { path?: PropertyKey[] | undefined }, path: readonly string[]): boolean {
  return path.every((key, depth) => issue.path?.[depth] === key);
}

function exceeds(value: unknown, most: unknown): boolean {
  return typeof value === "number" && typeof most === "number" && value > most;
}

/** What stands at a path of settings that may have other faults, so that anything may stand there. */
function valueAt(settings: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined,
    settings,
  );
}

/** The operator's settings as written: what is not written is undefined, and `effectiveSettings` has its default. */
export type OperatorSettings = z.output<typeof schema>;

/** Keys that would promise what nothing enforces. */
const REFUSED = {
  secrets: "is not accepted: a secret stands where it is used, see gitlab.token",
};

/** The mirrors of the operator's file, in its order. */
export function mirrorsOf({ mirrors: written = {} }: OperatorSettings): Mirror[] {
  return Object.entries(written).map(([registry, mirror]) => {
    const { host, insecure = false } = typeof mirror === "string" ? { host: mirror } : mirror;
    return { registry, host, insecure };
  });
}

/** Reads the operator's file. Problem `configuration` with every fault, one a line. */
export function readOperatorFile(source: SettingsText): OperatorSettings {
  // The message has the whole path; lines that start with it would be cut where they get interesting.
  const name = source.path.slice(source.path.lastIndexOf("/") + 1);
  const { settings, faults } = readSettings({ schema, refused: REFUSED }, { ...source, path: name });
  if (faults === null) return settings;
  throw new Problem(
    "configuration",
    `${source.path} has ${formatCount(faults.length, "fault")}.`,
    "Mend the lines below; docs/configure.md lists every key.",
    faults,
  );
}

/** JSON Schema (draft 2020-12) of the operator's file, for editors. */
export function operatorJsonSchema(): object {
  return editorSchema(schema, "Tare: the operator's file (tare.yml)");
}

/** The keys of the operator's file. */
export const OPERATOR_KEYS: readonly string[] = Object.keys(schema.shape);
