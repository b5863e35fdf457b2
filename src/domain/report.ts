import type { Person, Trust } from "./change.ts";
import type { Claim } from "./claim.ts";
import type { DiffExcerpt, Finding } from "./finding.ts";
import type { Outcome, Privileges } from "./job.ts";
import type { Recipe, SourceLine, Strategy } from "./recipe.ts";
import type { CleanupOutcome, Denial, Holding, Ledgers, RepositoryUse } from "./registry.ts";

/** `Report.machine.link` where nothing slows the link to the registry: time then decides nothing. */
export const UNLIMITED_LOOPBACK = "loopback, no limit";

/** `cold`: the registry holds base images only. `warm`: the same source again. `edit n`: the nth edit of the Dockerfile. */
export type Scenario = "cold" | "warm" | `edit ${number}`;

/** One scenario of one strategy over all repeats. Times in milliseconds, one figure per timed run, in order. */
export type RunReport = {
  scenario: Scenario;
  outcome: Outcome;
  /** Last lines of the log of the first run that did not succeed. */
  failure: string[] | null;
  /** "unknown" within a run where the builder's output does not tell the phases apart: then the array is empty. */
  buildMs: number[];
  pushMs: number[];
  totalMs: number[];
  /** Highest peak of the job's cgroup over all timed runs. */
  memoryPeakBytes: number | "unknown";
  /** Highest sample of the memory of the processes alone, without page cache, over all timed runs. */
  anonymousPeakBytes: number | "unknown";
  memoryLimitBytes: number;
  /** Rule 7: the untimed run with more memory that storage was taken from; null where the timed run gave it. */
  storageRun: {
    outcome: Outcome;
    memoryPeakBytes: number | "unknown";
    anonymousPeakBytes: number | "unknown";
    memoryLimitBytes: number;
  } | null;
  /** Layer-making instructions whose layer the registry held before, by digest; "unknown" where no image came out. */
  hits: number | "unknown";
  misses: number | "unknown";
  pulledBytes: number | "unknown";
  pushedBytes: number | "unknown";
  /** null where no run of this scenario left anything to charge. */
  ledgers: Ledgers | null;
  repositories: RepositoryUse[];
  /** What is held by role, and what keeps superseded layers; null where `ledgers` is. */
  holding: Holding | null;
};

/** Whether a contributor may read what upstream's project keeps in the registry. */
export type UpstreamAccess = "readable" | "unreadable";

/** One pipeline of a contributor's fork, run once. Times in milliseconds. */
export type ForkRun = {
  outcome: Outcome;
  /** The job's own: that of the command which ended it; null where none was run. */
  exitCode: number | null;
  /** Last lines of its log where it did not succeed. */
  failure: string[] | null;
  buildMs: number | "unknown";
  pushMs: number | "unknown";
  totalMs: number;
  /** Layers told apart by digest, as in a run of upstream's, by what the contributor could read before. */
  hits: number | "unknown";
  misses: number | "unknown";
  pulledBytes: number;
  pushedBytes: number;
  /** What its credentials were refused. */
  denied: Denial[];
  /** What the contributor's namespace holds afterwards, by two ledgers. */
  namespaceBytes: number;
  perRepositoryBytes: number;
};

/** What became of a push to the cache. `none`: no cache is pushed beside the image, or the job ended before that. */
export type ForkCachePush = "allowed" | "denied: the job goes on" | "denied: the job fails" | "none";

/**
 * The contributor's first pipeline and the second with the same edit, from where upstream stood before it; one run where
 * an image that this one starts from could not be built.
 */
export type ForkReport = { upstream: UpstreamAccess; runs: ForkRun[]; cachePush: ForkCachePush };

export type StrategyReport = {
  strategy: Strategy;
  /** Id of the variant of the strategy that was tried, `redo` for example; null for the strategy itself. */
  variant: string | null;
  /** `other`: neither of the change's own, tried to compare. */
  role: "current" | "proposed" | "other";
  job: string;
  recipe: Recipe;
  /** Flags of the template that were left out, and why; they do not change what is measured. */
  droppedFlags: { flag: string; why: string }[];
  privileges: Privileges;
  /** The privileges in words, as a maintainer must grant them; null where none are needed. */
  needs: string | null;
  runs: RunReport[];
  /** The contributor's pipelines; empty where they were not asked for or the job does not run in forks. */
  forks: ForkReport[];
  /** GitLab's cleanup of old tags, simulated after the last run; empty where no run left anything. */
  cleanup: CleanupOutcome[];
};

export type VerdictWord =
  | "better"
  | "worse"
  | "mixed"
  | "no change"
  | "broken"
  | "infrastructure"
  | "not measured";

/** A figure that decides, or one that would but may not. `change` is proposed minus current. */
export type DecidingFigure = {
  figure: string;
  unit: "bytes" | "ms";
  current: number | null;
  proposed: number | null;
  /** Both must be passed for the figure to decide. */
  thresholdRatio: number;
  thresholdAbsolute: number;
  judgement: "better" | "worse" | "no change" | "does not decide";
  why: string;
};

export type ImageReport = {
  /** Short name: the Dockerfile's file name without its ending, or the job's. */
  image: string;
  dockerfile: string;
  /** FROM lines of the Dockerfile. */
  bases: { name: string; digest: string | null; from: string }[];
  /** Where the nth edit was made, for example `RUN 1 of 3, line 7`, and whether it is synthetic. In order. */
  edits: { description: string; synthetic: boolean; line: number }[];
  strategies: StrategyReport[];
  verdict: VerdictWord;
  figures: DecidingFigure[];
};

/** The program that stood in for what a template names. */
export type Part = {
  part: string;
  version: string;
  image: string;
  digest: string | null;
  /** What the template names, where it names anything. */
  named: string | null;
  /** True where `version` is known not to be what the template names. */
  differs: boolean;
  /** How it was had: "official image", "made from packages", "named by the operator". */
  origin: string;
};

/** A Dockerfile, and what it copies from its context. */
export type DockerfileCopies = {
  path: string;
  /** Jobs that build it; empty where none does. */
  jobs: string[];
  /** COPY, ADD and bind mounts that read the context; lines are 1-based, texts cut at 80 characters. */
  fromContext: { line: number; text: string }[];
  /** COPY and ADD of other stages, images and addresses: they need no context. */
  fromElsewhere: { line: number; text: string }[];
  /** Why it could not be read; null where it was. */
  unread: string | null;
};

/** The answer to one change. Public format: report.json. */
export type Report = {
  schemaVersion: 2;
  tare: string;
  change: {
    id: string;
    title: string;
    author: Person;
    trust: Trust;
    base: { commit: string | null; tree: string; chosenBy: string };
    head: { commit: string | null; tree: string };
    files: string[];
  };
  /** What the change does, in one sentence. */
  sentence: string;
  /** Lines of the change that the answer speaks of. */
  quoted: SourceLine[];
  recipes: { base: Recipe[]; head: Recipe[] };
  /** What can be told without a build, in the order of the diff. */
  findings: Finding[];
  /** The diff around each place that findings name; empty in reports of an older version. */
  excerpts: DiffExcerpt[];
  /** Dockerfiles in the folders of those that the jobs build; null where they were not read. */
  dockerfiles: DockerfileCopies[] | null;
  /** Statements of the thread, each with what was measured. */
  claims: Claim[];
  verdict: VerdictWord;
  /** One sentence with the two numbers that matter. */
  headline: string;
  images: ImageReport[];
  /** What was not built, and why. */
  notBuilt: { what: string; why: string }[];
  /** Ledger that the project's forge charges by, and why it is that one. */
  ledger: { id: keyof Ledgers; why: string };
  limits: { cpus: number; memoryBytes: number };
  repeats: number;
  machine: {
    cpus: number;
    memoryBytes: number;
    kernel: string;
    cgroup: "v1" | "v2";
    link: string;
    clock: string;
  };
  parts: Part[];
  /** Assumptions and remarks that a reader must know. */
  notes: string[];
  /** Command that repeats it. */
  command: string;
  startedAt: string;
  wallMs: number;
  /** Time for which the machine was taken by jobs, timed or not, in milliseconds. */
  machineMs: number;
  /** What was expected before the first build; `basis` says of what. */
  estimate: Estimate;
  /** What RUN steps downloaded. */
  downloads: Downloads;
  /** Arguments of `command`, from which `tare replay --again` repeats it. */
  argv: string[];
};

/** Time and bytes of a trial before it is run. `bytes` are those of the images, once each. */
export type Estimate = { wallMs: number; bytes: number; basis: string };

/** Downloads of RUN steps over all runs. `tunnels` are HTTPS connections, which are not cached. */
export type Downloads = {
  /** `cache`: from one cache, filled by untimed runs; `direct`: anew in each run. */
  from: "cache" | "direct";
  bytesFromCache: number;
  bytesFetched: number;
  tunnelBytes: number;
  tunnelHosts: string[];
};
