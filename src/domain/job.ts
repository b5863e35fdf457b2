/** A run as it is handed to an executor: one container with its limits. Plain data. */
export type Job = {
  name: string;
  /** Container image on the engine. */
  image: string;
  /** argv of the main process: the builder itself, or the daemon that `commands` talk to. */
  main: string[];
  /** Polled inside the container until it exits 0; only where `commands` need a daemon. */
  ready: string[] | null;
  /** Timed commands inside the container, in order, up to the first that fails. Empty: the main process is the command. */
  commands: JobCommand[];
  environment: Record<string, string>;
  workingDirectory: string;
  /** Put into the container before it starts. Absolute paths; never opened on the host. */
  files: JobFile[];
  /** Paths inside that get empty storage of their own, gone with the job. */
  volumes: string[];
  privileges: Privileges;
  limits: Limits;
  /** `host` if left out. */
  network?: JobNetwork;
  /** What a gated job reaches beside the hosts of the operator's list; the others reach all of loopback. */
  services?: readonly JobService[];
};

/** `host`: the machine's own, for trusted code. `gated`: a network of nothing but a gate, which leads to little. */
export type JobNetwork = "host" | "gated";

/** A server on the loopback of Tare's machine, host:port, which a gated job reaches at the same address. */
export type JobService = { host: string; readOnly: boolean };

export type JobCommand = {
  phase: Phase;
  argv: string[];
  workingDirectory: string;
  /** The template goes on where it fails (`docker pull … || true`). */
  mayFail: boolean;
};

export type Phase = "pull" | "build" | "push" | "build and push";

export type JobFile =
  | { kind: "file"; path: string; content: Uint8Array; executable: boolean }
  | { kind: "symlink"; path: string; target: string };

/** A text that nothing executes. */
export function textFile(path: string, text: string): JobFile {
  return { kind: "file", path, content: Buffer.from(text), executable: false };
}

/**
 * What a job may do beyond an ordinary container. `mounts`: it mounts file systems itself (CAP_SYS_ADMIN, no seccomp
 * filter). `daemon`: it starts containers itself (privileged, or the capabilities that this comes to).
 */
export type Privileges = "none" | "mounts" | "daemon";

/** Limits of the whole job: everything the container starts counts. Swap is off. */
export type Limits = {
  cpus: number;
  memoryBytes: number;
  processes: number;
  durationMs: number;
  logBytes: number;
  /** What the job's whole file system and its volumes may take; null: what the engine's disk has. */
  diskBytes: number | null;
};

export type Outcome = "succeeded" | "failed" | "out-of-memory" | "timed-out" | "canceled";

export type LogLine = { atMs: number; stream: "stdout" | "stderr"; line: string };

/** What an executor saw. Times are milliseconds since the job's first timed instant. */
export type JobResult = {
  outcome: Outcome;
  commands: { phase: Phase; startMs: number; endMs: number; exitCode: number }[];
  log: LogLine[];
  /** Peak of the job's cgroup in bytes, page cache included; "unknown" where the executor cannot see it. */
  memoryPeakBytes: number | "unknown";
  /** Highest sample (every 100 ms) of the memory of the processes alone, without page cache: at least this was needed. */
  anonymousPeakBytes: number | "unknown";
  /** Processes that the kernel killed for want of memory; "unknown" where the executor cannot see it. */
  memoryKills: number | "unknown";
  /** Which clock timed the commands. */
  clock: string;
};

/** Phases of one run; a phase that the builder's output does not tell apart is "unknown". Milliseconds. */
export type Phases = { buildMs: number | "unknown"; pushMs: number | "unknown"; totalMs: number };

/** A long-lived container beside the jobs: the trial's registry. Not measured, not limited. */
export type ServiceSpec = {
  name: string;
  image: string;
  main: string[];
  environment: Record<string, string>;
  files: JobFile[];
  /** Path inside with storage that goes with the service, or that a named volume keeps. */
  volumes: { path: string; name: string | null }[];
};

export type Service = {
  /** Runs a program inside; rejects with an Outage where it cannot be run or fails. */
  exec(argv: string[]): Promise<string>;
  /** Lines of standard output so far. */
  output(): Promise<string[]>;
  /** Lines of standard error so far. */
  errors(): Promise<string[]>;
  /** Last lines of everything it said, for an error message. */
  tail(): Promise<string[]>;
  running(): Promise<boolean>;
  restart(): Promise<void>;
  remove(): Promise<void>;
};

/** What GitLab's small hosted runner gives, and ceilings that only a runaway build meets. */
export const DEFAULT_LIMITS: Limits = {
  cpus: 2,
  memoryBytes: 8 * 1024 ** 3,
  processes: 4096,
  durationMs: 3_600_000,
  logBytes: 10_000_000,
  diskBytes: null,
};

/** What a job of code that is not trusted gets at most, where nobody says less. */
export function gatedLimits(limits: Limits): Limits {
  return {
    ...limits,
    processes: Math.min(limits.processes, 1024),
    diskBytes: limits.diskBytes ?? 10 * 1024 ** 3,
  };
}
