import { Command, CommanderError, Option } from "commander";
import type { Secrets } from "../lib/secrets.ts";
import { Problem } from "../domain/problem.ts";
import { BUILDERS, type BuilderId } from "../domain/recipe.ts";
import { bugText, exitCodeOfError, type ExitCode } from "./exit-code.ts";
import {
  cpuCount,
  editChoices,
  instant,
  linkRate,
  memorySize,
  minutes,
  names,
  oneOf,
  projectPath,
  timeSpan,
  wholeNumber,
} from "./options.ts";
import { addOutbox } from "./outbox-options.ts";
import { typedCommand } from "./typed-command.ts";
import { TARE_VERSION } from "../version.ts";

// Commands are imported when they are called: `tare --help` reads none of them.

/** Forms of an answer. */
const FORMATS = ["mail", "markdown", "html", "json", "text"] as const;

const EXIT_CODES = `
Exit codes: 0 answered, 1 worse (with --fail-on worse), 2 your mistake, 3 infrastructure or a bug.`;

function addChange(command: Command): Command {
  return command
    .option("--patch <file>", "patch mail, git format-patch file or diff; - reads standard input")
    .option("--rev <revision>", "revision of the repository instead of a patch (default: HEAD)")
    .option("--repo <directory>", "repository that the change is for, a checkout or bare", ".")
    .option("--base <revision>", "what the change is compared with (default: HEAD, or the parent of --rev)");
}

function addTrial(command: Command): Command {
  return command
    .option("--images <names>", "images to build: names, Dockerfiles or jobs, separated by commas", names)
    .option(
      "--strategies <names>",
      "strategies to try beside the change's own: all, kaniko/layers, buildkit/registry-max+zstd …",
      names,
    )
    .option(
      "--repeats <n>",
      "timed repeats of current and proposed (default: 3; 5 with --link)",
      wholeNumber(1, 20),
    )
    .option(
      "--edits <n>",
      "edits of the Dockerfile to replay from the history; 0 for synthetic ones (default: 4)",
      wholeNumber(0, 50),
    )
    .option(
      "--edit <which>",
      "synthetic edits of these RUNs instead: first, last or numbers, separated by commas (default: first,last)",
      editChoices,
    )
    .option("--budget <time>", "sample images and repeats to fit this time, for example 60m", timeSpan)
    .option(
      "--link <rate>",
      "rate between builder and registry, for example 100mbit (default: unlimited)",
      linkRate,
    )
    .option("--thread <files>", "mails of the thread whose claims are answered, separated by commas", names)
    .addOption(
      new Option("--downloads <from>", "RUN steps download from one cache, or anew in each run")
        .choices(["cache", "direct"])
        .argParser(oneOf("cache", "direct"))
        .default("cache"),
    )
    .addOption(
      new Option("--forks <upstream>", "try a contributor's fork, upstream's registry readable to it or not")
        .choices(["none", "readable", "both"])
        .argParser(oneOf("none", "readable", "both"))
        .default("readable"),
    )
    .option(
      "--project <path>",
      "group/project whose pipeline it is (default: as the templates name it)",
      projectPath,
    )
    .option("--cpus <n>", "CPUs of a job (default: 2)", cpuCount)
    .option("--memory <size>", "memory of a job (default: 8g)", memorySize)
    .option("--timeout <minutes>", "time limit of a run in minutes (default: 60)", minutes)
    .option("-y, --yes", "make and install what set-up needs without asking");
}

type ReplayFlags = { format?: "text"; out?: string; thread?: string[]; again?: boolean };

type Flags = Record<string, unknown> & {
  patch?: string;
  rev?: string;
  repo: string;
  base?: string;
  images?: string[];
  strategies?: string[];
  repeats?: number;
  edit?: ("first" | "last" | number)[];
  edits?: number;
  budget?: number;
  link?: string;
  downloads?: "cache" | "direct";
  thread?: string[];
  forks?: "none" | "readable" | "both";
  project?: string;
  cpus?: number;
  memory?: number;
  timeout?: number;
  yes?: boolean;
};

function requested(flags: Flags) {
  if (flags.edit !== undefined && (flags.edits ?? 0) > 0) {
    throw new Problem(
      "arguments",
      "--edits replays edits from the history, --edit makes synthetic ones.",
      "Give one of them.",
    );
  }
  return {
    patch: flags.patch ?? null,
    revision: flags.rev ?? null,
    base: flags.base ?? null,
    repository: flags.repo,
    wishes: {
      images: flags.images,
      strategies: flags.strategies,
      edits: flags.edit,
      replay: flags.edits,
      repeats: flags.repeats,
      budgetMs: flags.budget,
      cpus: flags.cpus,
      memoryBytes: flags.memory,
      durationMs: flags.timeout === undefined ? undefined : Math.round(flags.timeout * 60_000),
      link: flags.link,
    },
    downloads: flags.downloads ?? "cache",
    thread: flags.thread ?? [],
    forks: flags.forks ?? "readable",
    projectPath: flags.project ?? null,
    yes: flags.yes === true,
    command: typedCommand(process.argv.slice(2)),
    argv: process.argv.slice(2),
  };
}

function program(finish: (code: ExitCode) => void): Command {
  const root = new Command("tare")
    .description("Weighs container caches before they are merged.")
    .version(TARE_VERSION)
    .option("--config <file>", "operator's settings instead of those of this machine (TARE_CONFIG)")
    .hook("preAction", (command) => {
      const { config } = command.opts<{ config?: string }>();
      if (config !== undefined) process.env["TARE_CONFIG"] = config;
    })
    .addHelpText("after", EXIT_CODES)
    .exitOverride();

  addTrial(addChange(root.command("trial").description("build a change with its strategies and answer it")))
    .option("--trust", "build the patch: its author is a stranger otherwise")
    .addOption(
      new Option("--format <format>", "form of the answer")
        .choices(FORMATS)
        .argParser(oneOf(...FORMATS))
        .default("text"),
    )
    .option("--out <file>", "write the answer here instead of standard output")
    .option("--report <file>", "write the answer as JSON here as well")
    .addOption(
      new Option("--fail-on <verdict>", "exit with 1 on this verdict (broken counts as worse)")
        .argParser(oneOf("worse", "never"))
        .default("never"),
    )
    .addHelpText("after", EXIT_CODES)
    .action(
      async (
        flags: Flags & { trust?: boolean; format: "text"; out?: string; report?: string; failOn: "never" },
      ) => {
        const { trialCommand } = await import("./trial-command.ts");
        finish(
          await trialCommand({
            ...requested(flags),
            trust: flags.trust === true,
            format: flags.format,
            out: flags.out ?? null,
            report: flags.report ?? null,
            failOn: flags.failOn,
          }),
        );
      },
    );

  addTrial(addChange(root.command("plan").description("print what a trial would run; build nothing")))
    .addOption(new Option("--format <format>", "form").argParser(oneOf("text", "json")).default("text"))
    .action(async (flags: Flags & { format: "text" | "json" }) => {
      const { planCommand } = await import("./plan-command.ts");
      finish(await planCommand({ ...requested(flags), format: flags.format }));
    });

  root
    .command("replay")
    .description("render the report of an earlier trial again, or repeat that trial")
    .argument("<report>", "file that `tare trial --report` wrote; - reads standard input")
    .addOption(
      new Option("--format <format>", "form of the answer (default: text; with --again the trial's own)")
        .choices(FORMATS)
        .argParser(oneOf(...FORMATS)),
    )
    .option("--out <file>", "write the answer here instead of standard output")
    .addOption(
      new Option("--thread <files>", "mails whose claims are answered from the report instead")
        .argParser(names)
        .conflicts("again"),
    )
    .option("--again", "run the trial's own command again, in this directory; its files are not written")
    .action(async (report: string, flags: ReplayFlags) => {
      const { replayCommand } = await import("./replay-command.ts");
      const { format = null, out = null, thread = [], again } = flags;
      finish(await replayCommand({ report, format, out, thread, again: again === true }));
    });

  root
    .command("recipes")
    .description("print the image builds that the templates of a tree state")
    .option("--repo <directory>", "repository, a checkout or bare", ".")
    .option("--rev <revision>", "revision to read", "HEAD")
    .addOption(new Option("--format <format>", "form").argParser(oneOf("text", "json")).default("text"))
    .action(async (flags: { repo: string; rev: string; format: "text" | "json" }) => {
      const { recipesCommand } = await import("./recipes-command.ts");
      finish(await recipesCommand(flags));
    });

  addTrial(
    root.command("mail").description("read a patch mail from standard input and print the reply, or send it"),
  )
    .option("--repo <directory>", "repository that the patch is for, a checkout or bare", ".")
    .option("--base <revision>", "what the patch is applied to (default: HEAD)")
    .option("--send", "send the reply (TARE_SMTP_URL, TARE_MAIL_FROM)")
    .option("--trust", "build the patch: its author is a stranger otherwise")
    .addHelpText("after", EXIT_CODES)
    .action(async (flags: Flags & { send?: boolean; trust?: boolean }) => {
      const { mailCommand } = await import("./mail-command.ts");
      const asked = requested({ ...flags, patch: "-" });
      finish(await mailCommand({ ...asked, send: flags.send === true, trust: flags.trust === true }));
    });

  root
    .command("series")
    .description("print what mails come to as series of patches")
    .argument("<files...>", "mails, mboxes, Maildirs; - reads standard input")
    .addOption(new Option("--format <format>", "form").argParser(oneOf("json", "text")).default("json"))
    .option("--now <time>", "what is waited for is judged at this time (default: now)", instant)
    .option("--settle <time>", "missing parts are waited for so long (default: 10m)", timeSpan)
    .action(async (files: string[], flags: { format: "text" | "json"; now?: Date; settle?: number }) => {
      const { seriesCommand } = await import("./series-command.ts");
      finish(await seriesCommand(files, flags));
    });

  root
    .command("serve")
    .description("answer webhooks of GitHub and GitLab (settings come from the environment and tare.yml)")
    .option("--no-worker", "take events in and send replies; `tare worker` does the work")
    .action(async ({ worker }: { worker: boolean }) => {
      const { serveCommand } = await import("./serve-command.ts");
      finish(await serveCommand({ works: worker }));
    });

  root
    .command("worker")
    .description("work on what `tare serve` takes in; any number of workers may run")
    .action(async () => {
      const { workerCommand } = await import("./serve-command.ts");
      finish(await workerCommand());
    });

  addOutbox(root, finish);

  root
    .command("backup")
    .description("write requests, reports and replies to a file; the service may run")
    .argument("<file>", "file that is made")
    .action(async (file: string) => {
      const { backupCommand } = await import("./backup-command.ts");
      finish(await backupCommand(file));
    });

  root
    .command("restore")
    .description("fill an empty database from such a file; open requests wait again")
    .argument("<file>", "file that `tare backup` wrote")
    .action(async (file: string) => {
      const { restoreCommand } = await import("./backup-command.ts");
      finish(await restoreCommand(file));
    });

  root
    .command("doctor")
    .description("tell what is usable on this machine, and what to do where it is not")
    .option(
      "--noise",
      "measure the same build against itself: differences below what it shows mean nothing here",
    )
    .addOption(
      new Option("--builder <name>", "builder that --noise measures with (default: kaniko)").argParser(
        oneOf(...BUILDERS),
      ),
    )
    .option("--repeats <n>", "timed repeats of --noise on each side (default: 5)", wholeNumber(3, 50))
    .option("--link <rate>", "rate between builder and registry for --noise", linkRate)
    .action(async (flags: { noise?: boolean; builder?: BuilderId; repeats?: number; link?: string }) => {
      const { noise, builder = "kaniko", repeats = 5, link } = flags;
      if (noise === true) {
        const { noiseCommand } = await import("./noise-command.ts");
        finish(await noiseCommand({ builder, repeats, ...(link === undefined ? {} : { link }) }));
        return;
      }
      const [lone] = Object.keys(flags);
      if (lone !== undefined) {
        throw new Problem(
          "arguments",
          `--${lone} says how --noise measures.`,
          `Add --noise, or leave --${lone} out.`,
        );
      }
      const { doctorCommand } = await import("./doctor-command.ts");
      finish(await doctorCommand());
    });

  root
    .command("setup")
    .description("pull or make the images of builders and registry")
    .option("-y, --yes", "do not ask")
    .action(async (flags: { yes?: boolean }) => {
      const { setupCommand } = await import("./setup-command.ts");
      finish(await setupCommand({ yes: flags.yes === true }));
    });

  root
    .command("config")
    .description("print the settings that a trial would have, and who says each")
    .option("--repo <directory>", "repository whose .tare.yml is read, a checkout or bare")
    .option("--rev <revision>", "its target branch", "HEAD")
    .option("--project <path>", "group/project whose pipeline it is", projectPath)
    .action(async (flags: { repo?: string; rev: string; project?: string }) => {
      const { configCommand } = await import("./config-command.ts");
      const { repo = null, rev, project = null } = flags;
      finish(await configCommand({ repo, rev, project }));
    });

  root
    .command("sweep")
    .description("remove what a killed Tare left behind")
    .action(async () => {
      const { sweepCommand } = await import("./setup-command.ts");
      finish(await sweepCommand());
    });
  return root;
}

/** The command line: parses the arguments, runs one command, and sets the exit code. */
export async function runCommandLine(): Promise<void> {
  try {
    await program((code) => (process.exitCode = code)).parseAsync();
  } catch (error) {
    await complain(error);
  }
}

/** Read only where something is said: most commands need none. */
async function secrets(): Promise<Secrets> {
  const { knownSecrets } = await import("./known-secrets.ts");
  return knownSecrets();
}

async function complain(error: unknown): Promise<void> {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  process.exitCode = exitCodeOfError(error);
  if (error instanceof Problem) {
    const { renderProblem } = await import("../reports/problem.ts");
    process.stderr.write((await secrets()).redact(renderProblem(error, "text")));
  } else if (error instanceof Error && error.name === "Interrupted") {
    process.exitCode = 130;
  } else process.stderr.write((await secrets()).redact(bugText(error)));
}
