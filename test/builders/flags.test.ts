import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { BuildRun } from "../../src/builders/types.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { Problem } from "../../src/domain/problem.ts";
import { BUILDERS, type BuilderId, type Recipe } from "../../src/domain/recipe.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

function runOf(recipe: Recipe): BuildRun {
  return {
    name: "r1",
    recipe,
    images: ["127.0.0.1:5000/app:latest"],
    cacheFrom: [],
    cacheTo: [],
    files: [],
    projectDirectory: "/builds/group/project",
    dockerfile: "/builds/group/project/Dockerfile",
    context: null,
    registryHost: "127.0.0.1:5000",
    baseHost: null,
    image: "builder",
    limits: DEFAULT_LIMITS,
  };
}

const recipeOf = (builder: BuilderId, more: Partial<Recipe>) =>
  trialRecipe(`${builder}/none`, { flags: [], buildArgs: {}, environment: {}, target: null, ...more });

const jobOf = (builder: BuilderId, more: Partial<Recipe>) =>
  builders[builder].job(runOf(recipeOf(builder, more)));

/** The words that build the image. */
const argvOf = (builder: BuilderId, more: Partial<Recipe>): string[] => {
  const { job } = jobOf(builder, more);
  return job.commands[0]?.argv ?? job.main;
};

function problemOf(call: () => unknown): Problem {
  try {
    call();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const HOST = "it reaches for the host or the network of the machine that builds";
const SECRET = "it hands a secret to the build";
const NOT_PUSHED = "the image is not pushed then";
const BESIDE = "it writes the image beside the registry";

const REFUSED: Record<BuilderId, [flag: string, why: string][]> = {
  docker: [
    ["-v=/:/host", HOST],
    ["--volume=/:/host", HOST],
    ["--privileged", HOST],
    ["--add-host=mirror:10.0.0.1", HOST],
    ["--allow=security.insecure", HOST],
    ["--build-context=src=/etc", HOST],
    ["--builder=remote", HOST],
    ["--cgroup-parent=/", HOST],
    ["--isolation=host", HOST],
    ["--security-opt=seccomp=unconfined", HOST],
    ["--secret=id=key,src=/root/.ssh/id_rsa", SECRET],
    ["--ssh=default", SECRET],
    ["--output=type=local,dest=/", NOT_PUSHED],
    ["-o=/", NOT_PUSHED],
    ["--squash", "it needs an experimental daemon"],
  ],
  kaniko: [
    ["--credential-helpers=ecr", HOST],
    ["--git=branch=main", HOST],
    ["--kaniko-dir=/", HOST],
    ["--registry-certificate=x=/etc/cert.pem", HOST],
    ["--registry-client-cert=x=/etc/cert.pem", HOST],
    ["--secret=id=key", SECRET],
    ["--context-sub-path=images", "Tare reads the context from the tree"],
    ["--no-push", "nothing is stored then"],
    ["--no-push-cache", "nothing is cached then"],
    ["--oci-layout-path=/out", BESIDE],
    ["--tar-path=/out.tar", BESIDE],
    ["--tarPath=/out.tar", BESIDE],
  ],
};

const UNKNOWN = ["--frobnicate", "--frobnicate=1", "--v", "-x", "--", "", "--__proto__", "--constructor"];

describe.each(BUILDERS)("flags of %s that are refused", (builder) => {
  it.each(REFUSED[builder])("%s", (flag, why) => {
    const problem = problemOf(() => jobOf(builder, { flags: ["--label=a=b", flag] }));
    expect(problem.code).toBe("flag-refused");
    expect(problem.message).toBe(`.ci/template.yml:14 (job alder-container): ${flag} is not run: ${why}.`);
    expect(problem.remedy).toBe("Leave the flag out of the template, or leave this image out with --images.");
  });

  it.each(UNKNOWN)("%j, which no rule names", (flag) => {
    const problem = problemOf(() => jobOf(builder, { flags: [flag] }));
    expect(problem.code).toBe("flag-refused");
    expect(problem.message).toBe(
      `.ci/template.yml:14 (job alder-container): ${flag} is not run: Tare does not know this flag of ${builder}.`,
    );
  });

  it.each([
    "https://example.org/src.git",
    "git://example.org/src.git#main:dir",
    "git@example.org:src.git",
    "github.com/owner/project",
    "s3://bucket/context.tar.gz",
  ])("the context %s", (context) => {
    const problem = problemOf(() => jobOf(builder, { context }));
    expect(problem.code).toBe("flag-refused");
    expect(problem.message).toBe(
      `.ci/template.yml:14 (job alder-container): the context ${context} is not fetched.`,
    );
  });
});

const LIMITS = "the limits of the job stand in for it";
const SHOWN = "it changes only what is printed";
const FILE = "it only writes a file of the job";
const LOG = "Tare reads the log in one format";
const TRIAL = "the trial has registries of its own";
const RETRY = "a trial does not retry";

const DROPPED: Record<BuilderId, [flag: string, why: string][]> = {
  docker: [
    ["--progress=plain", SHOWN],
    ["--quiet", SHOWN],
    ["-q", SHOWN],
    ["--debug", SHOWN],
    ["-D", SHOWN],
    ["--iidfile=id", FILE],
    ["--metadata-file=meta.json", FILE],
    ["--network=host", "every build of a trial uses the network of its job"],
    ["--memory=1g", LIMITS],
    ["-m=1g", LIMITS],
    ["--memory-swap=1g", LIMITS],
    ["--cpu-period=1", LIMITS],
    ["--cpu-quota=1", LIMITS],
    ["--cpu-shares=1", LIMITS],
    ["-c=1", LIMITS],
    ["--cpuset-cpus=0", LIMITS],
    ["--cpuset-mems=0", LIMITS],
  ],
  kaniko: [
    ["--digest-file=d", FILE],
    ["--image-name-with-digest-file=d", FILE],
    ["--image-name-tag-with-digest-file=d", FILE],
    ["--log-format=json", LOG],
    ["--log-timestamp", LOG],
    ["--verbosity=debug", LOG],
    ["-v=debug", LOG],
    ["--image-download-retry=3", RETRY],
    ["--image-fs-extract-retry=3", RETRY],
    ["--push-retry=3", RETRY],
    ["--insecure", TRIAL],
    ["--insecure-pull", TRIAL],
    ["--insecure-registry=x", TRIAL],
    ["--registry-map=a=b", TRIAL],
    ["--registry-mirror=x", TRIAL],
    ["--skip-default-registry-fallback", TRIAL],
    ["--skip-push-permission-check", TRIAL],
    ["--skip-tls-verify", TRIAL],
    ["--skip-tls-verify-pull", TRIAL],
    ["--skip-tls-verify-registry=x", TRIAL],
    ["--cache-dir=/cache", "the trial has no warmed directory of base images"],
  ],
};

const KEPT: Record<BuilderId, string[]> = {
  docker: [
    "--no-cache",
    "--pull",
    "--rm",
    "--force-rm",
    "--provenance=false",
    "--sbom=true",
    "--platform=linux/amd64",
    "--label=a=b",
    "--annotation=a=b",
    "--attest=type=sbom",
    "--shm-size=64m",
    "--ulimit=nofile=1024",
  ],
  kaniko: [
    "--cache",
    "--cache=true",
    "--cache-copy-layers",
    "--cache-run-layers=false",
    "--cache-ttl=24h",
    "--cleanup",
    "--compressed-caching=false",
    "--compression=zstd",
    "--compression-level=3",
    "--custom-platform=linux/amd64",
    "--customPlatform=linux/amd64",
    "--force",
    "--ignore-path=/x",
    "--ignore-var-run",
    "--label=a=b",
    "--reproducible",
    "--single-snapshot",
    "--skip-unused-stages",
    "--snapshot-mode=redo",
    "--snapshotMode=redo",
    "--use-new-run",
  ],
};

const OWN: Record<BuilderId, string[]> = {
  docker: [
    "--tag=x",
    "-t=x",
    "--file=x",
    "-f=x",
    "--cache-from=x",
    "--cache-to=x",
    "--build-arg=x",
    "--target=x",
  ],
  kaniko: [
    "--dockerfile=x",
    "-f=x",
    "--context=x",
    "-c=x",
    "--destination=x",
    "-d=x",
    "--cache-repo=x",
    "--build-arg=x",
    "--target=x",
  ],
};

describe.each(BUILDERS)("flags of %s that are allowed", (builder) => {
  it("are dropped with their reason where they do not change what is measured", () => {
    const { dropped } = jobOf(builder, { flags: DROPPED[builder].map(([flag]) => flag) });
    expect(dropped).toStrictEqual(DROPPED[builder].map(([flag, why]) => ({ flag, why })));
    expect(argvOf(builder, { flags: DROPPED[builder].map(([flag]) => flag) })).toStrictEqual(
      argvOf(builder, { flags: [] }),
    );
  });

  it("are handed on as written, in their order", () => {
    const { dropped } = jobOf(builder, { flags: KEPT[builder] });
    expect(dropped).toStrictEqual([]);
    const argv = argvOf(builder, { flags: KEPT[builder] });
    const first = argv.indexOf(KEPT[builder][0] ?? "");
    expect(argv.slice(first, first + KEPT[builder].length)).toStrictEqual(KEPT[builder]);
    expect(argv.length).toBe(argvOf(builder, { flags: [] }).length + KEPT[builder].length);
  });

  it("are stated by Tare itself where the recipe holds what they say", () => {
    expect(jobOf(builder, { flags: OWN[builder] })).toStrictEqual(jobOf(builder, { flags: [] }));
  });

  it("hand on build arguments with a value, and name those without", () => {
    const { dropped } = jobOf(builder, { buildArgs: { A: "1", TOKEN: null, B: "x y=z", EMPTY: "" } });
    expect(dropped).toStrictEqual([
      { flag: "--build-arg=TOKEN", why: "its value is known in a pipeline only" },
    ]);
    const argv = argvOf(builder, { buildArgs: { A: "1", TOKEN: null, B: "x y=z", EMPTY: "" } });
    const given = argv.flatMap((word, index) => (word === "--build-arg" ? [argv[index + 1]] : []));
    expect(given).toStrictEqual(["A=1", "B=x y=z", "EMPTY="]);
  });
});

describe("the environment of a build", () => {
  it("holds BuildKit's settings and docker's own, and nothing else of the template", () => {
    const environment = {
      BUILDKIT_COLORS: "x",
      DOCKER_BUILDKIT: "1",
      DOCKER_HOST: "tcp://docker:2375",
      PATH: "/",
    };
    expect(jobOf("docker", { environment }).job.environment).toStrictEqual({
      DOCKER_HOST: "unix:///var/run/docker.sock",
      DOCKER_TLS_CERTDIR: "",
      BUILDKIT_COLORS: "x",
    });
  });

  it("holds kaniko's feature flags, and nothing else of the template", () => {
    const environment = { FF_KANIKO_X: "1", KANIKO_DIR: "/", HTTP_PROXY: "http://x" };
    expect(jobOf("kaniko", { environment }).job.environment).toStrictEqual({ FF_KANIKO_X: "1" });
  });

  it("refuses the older builder of docker: it is another program", () => {
    const problem = problemOf(() => jobOf("docker", { environment: { DOCKER_BUILDKIT: "0" } }));
    expect(problem.code).toBe("strategy-unsupported");
    expect(problem.message).toBe(
      ".ci/template.yml:14 (job alder-container): DOCKER_BUILDKIT=0 asks for the legacy builder, which Tare does not run.",
    );
  });
});
