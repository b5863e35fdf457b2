import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { BuildRun } from "../../src/builders/types.ts";
import { Problem } from "../../src/domain/problem.ts";
import type { BuilderId, Recipe } from "../../src/domain/recipe.ts";
import { buildRun } from "../fixtures/trial/build-run.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

/** A builder with the words that a template calls it by. */
const WORDS = {
  docker: ["docker", "docker build"],
  buildx: ["buildkit", "docker buildx build"],
  buildctl: ["buildkit", "buildctl build"],
  kaniko: ["kaniko", "/kaniko/executor"],
  buildah: ["buildah", "buildah build"],
} as const satisfies Record<string, [BuilderId, string]>;
type Words = keyof typeof WORDS;
const ALL = Object.keys(WORDS) as Words[];

const recipeOf = (words: Words, more: Partial<Recipe>) => {
  const [builder, program] = WORDS[words];
  const plain = { program, flags: [], buildArgs: {}, environment: {}, target: null };
  return trialRecipe(`${builder}/none`, { ...plain, ...more });
};

const jobOf = (words: Words, more: Partial<Recipe>, run: Partial<BuildRun> = {}) =>
  builders[WORDS[words][0]].job({ ...buildRun(recipeOf(words, more)), ...run });

/** The words that build the image. */
const argvOf = (words: Words, more: Partial<Recipe>, run: Partial<BuildRun> = {}): string[] => {
  const { job } = jobOf(words, more, run);
  return job.commands.find(({ phase }) => phase.startsWith("build"))?.argv ?? job.main;
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

/** A flag that goes before the one that is refused. */
const KNOWN: Record<Words, string[]> = {
  docker: ["--label=a=b"],
  buildx: ["--label=a=b"],
  buildctl: ["--opt=label:a=b"],
  kaniko: ["--label=a=b"],
  buildah: ["--label=a=b"],
};

const REFUSED: Record<Words, [flag: string, why: string][]> = {
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
  buildx: [
    ["--add-host=mirror:10.0.0.1", HOST],
    ["--allow=security.insecure", HOST],
    ["--build-context=src=/etc", HOST],
    ["--cgroup-parent=/", HOST],
    ["--isolation=host", HOST],
    ["--security-opt=seccomp=unconfined", HOST],
    ["--volume=/:/host", HOST],
    ["--secret=id=key,src=/root/.ssh/id_rsa", SECRET],
    ["--ssh=default", SECRET],
    ["--output=type=local,dest=/", NOT_PUSHED],
    ["--output=/", NOT_PUSHED],
    ["--output=type=tar,dest=x", NOT_PUSHED],
    [
      "--output=type=image,push-by-digest=true",
      "Tare does not know the option push-by-digest of its exporter",
    ],
    ["--shm-size=64m", "Tare has no words of buildctl for it"],
    ["--ulimit=nofile=1024", "Tare has no words of buildctl for it"],
    ["--attest=mode=max", "it names no type of attestation"],
    ["--annotation=x", "it is no annotation that Tare can read"],
    ["--squash", "it needs an experimental daemon"],
  ],
  buildctl: [
    ["--allow=network.host", HOST],
    ["--oci-layout=x=/etc", HOST],
    ["--source-policy-file=x", HOST],
    ["--opt=add-hosts=mirror=10.0.0.1", HOST],
    ["--opt=cgroup-parent=/", HOST],
    ["--opt=context=https://example.org/src.git", HOST],
    ["--opt=context:src=local:etc", HOST],
    ["--opt=source=docker.io/x/frontend", HOST],
    ["--opt=cmdline=x", "Tare does not know the option cmdline of the frontend"],
    ["--frontend=gateway.v0", "only the frontend dockerfile.v0 is run"],
    ["--secret=id=key", SECRET],
    ["--ssh=default", SECRET],
    ["--output=type=local,dest=out", NOT_PUSHED],
    ["--output=type=oci,dest=x.tar", NOT_PUSHED],
    ["--exporter=oci", NOT_PUSHED],
    ["--exporter-opt=push-by-digest=true", "Tare does not know the option push-by-digest of its exporter"],
  ],
  buildah: [
    ["--add-host=mirror:10.0.0.1", HOST],
    ["--build-context=src=/etc", HOST],
    ["--cap-add=SYS_ADMIN", HOST],
    ["--device=/dev/kvm", HOST],
    ["--hooks-dir=/x", HOST],
    ["--pid=host", HOST],
    ["--security-opt=label=disable", HOST],
    ["--userns=host", HOST],
    ["--volume=/:/host", HOST],
    ["--url=tcp://x", HOST],
    ["--secret=id=key", SECRET],
    ["--ssh=default", SECRET],
    ["--sign-by=key", SECRET],
    ["--output=out", NOT_PUSHED],
    ["--from=alpine", "it takes another base image than the Dockerfile names"],
    ["--manifest=list", "it makes a list of images"],
    ["--all-platforms", "it builds for machines other than this one"],
    ["--squash-all", "buildah has no such flag"],
  ],
};

const UNKNOWN = ["--frobnicate", "--frobnicate=1", "--v", "-x", "--", "", "--__proto__", "--constructor"];

describe.each(ALL)("flags of %s that are refused", (builder) => {
  it.each(REFUSED[builder])("%s", (flag, why) => {
    const problem = problemOf(() => jobOf(builder, { flags: [...KNOWN[builder], flag] }));
    expect(problem.code).toBe("flag-refused");
    expect(problem.message).toBe(`.ci/template.yml:14 (job alder-container): ${flag} is not run: ${why}.`);
    expect(problem.remedy).toBe("Leave the flag out of the template, or leave this image out with --images.");
  });

  it.each(UNKNOWN)("%j, which no rule names", (flag) => {
    const problem = problemOf(() => jobOf(builder, { flags: [flag] }));
    expect(problem.code).toBe("flag-refused");
    expect(problem.message).toBe(
      `.ci/template.yml:14 (job alder-container): ${flag} is not run: Tare does not know this flag of ${WORDS[builder][0]}.`,
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

const DROPPED: Record<Words, [flag: string, why: string][]> = {
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
  buildx: [
    ["--progress=plain", SHOWN],
    ["--quiet", SHOWN],
    ["--metadata-file=meta.json", FILE],
    ["--iidfile=id", FILE],
    ["--network=host", "every build of a trial uses the network of its job"],
    ["--memory=1g", LIMITS],
    ["--load", "the image is pushed from where it was built"],
    ["--output=type=docker", "the image is pushed from where it was built"],
    ["--builder=remote", "the job has a daemon of its own"],
    ["--force-rm", "BuildKit does nothing with it"],
  ],
  buildctl: [
    ["--progress=plain", SHOWN],
    ["--trace=x", SHOWN],
    ["--metadata-file=meta.json", FILE],
    ["--addr=tcp://buildkitd:1234", "the job has a daemon of its own"],
    ["--tlscacert=ca.pem", "the job has a daemon of its own"],
    ["--opt=force-network-mode=host", "every build of a trial uses the network of its job"],
  ],
  buildah: [
    ["--quiet", SHOWN],
    ["--iidfile=id", FILE],
    ["--network=host", "every build of a trial uses the network of its job"],
    ["--memory=1g", LIMITS],
    ["--tls-verify=false", TRIAL],
    ["--authfile=x", TRIAL],
    ["--retry=3", RETRY],
    ["--isolation=chroot", "every RUN of the job is run in a chroot"],
    ["--storage-driver=vfs", "the job has storage of its own"],
    ["--compress", "it is without effect"],
  ],
};

const KEPT: Record<"docker" | "kaniko" | "buildah", string[]> = {
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
  buildah: [
    "--layers",
    "--layers=false",
    "--no-cache",
    "--cache-ttl=24h",
    "--squash",
    "--format=docker",
    "--timestamp=0",
    "--label=a=b",
    "--layer-label=a=b",
    "--annotation=a=b",
    "--env=A=1",
    "--unsetenv=A",
    "--platform=linux/amd64",
    "--pull=always",
    "--jobs=2",
    "--skip-unused-stages=false",
    "--shm-size=64m",
    "--ulimit=nofile=1024",
    "--omit-history",
  ],
};

/** Flags whose words differ, and the words of buildctl. */
const TRANSLATED: Record<"buildx" | "buildctl", [flag: string, words: string[]][]> = {
  buildx: [
    ["--no-cache", ["--no-cache"]],
    ["--no-cache=false", []],
    ["--no-cache-filter=tool,base", ["--opt", "no-cache=tool,base"]],
    ["--platform=linux/amd64,linux/arm64", ["--opt", "platform=linux/amd64,linux/arm64"]],
    ["--label=a=b=c d", ["--opt", "label:a=b=c d"]],
    ["--label=empty", ["--opt", "label:empty="]],
    ["--pull", ["--opt", "image-resolve-mode=pull"]],
    ["--sbom=true", ["--opt", "attest:sbom=type=sbom,disabled=false"]],
    ["--sbom=false", []],
    ["--attest=type=sbom,generator=x", ["--opt", "attest:sbom=type=sbom,generator=x"]],
    ["--attest=type=sbom,disabled=true", []],
    ["--output=type=registry", []],
  ],
  buildctl: [
    ["--no-cache", ["--no-cache"]],
    ["--opt=platform=linux/amd64", ["--opt", "platform=linux/amd64"]],
    ["--opt=label:a=b", ["--opt", "label:a=b"]],
    ["--opt=no-cache=", ["--opt", "no-cache="]],
    ["--opt=image-resolve-mode=pull", ["--opt", "image-resolve-mode=pull"]],
    ["--opt=attest:provenance=mode=max", ["--opt", "attest:provenance=mode=max"]],
  ],
};

const OWN: Record<Words, string[]> = {
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
  buildx: [
    "--tag=x",
    "--file=x",
    "--cache-from=x",
    "--cache-to=x",
    "--build-arg=x",
    "--target=x",
    "--push",
    "--output=type=image,name=x,push=true",
  ],
  buildctl: [
    "--frontend=dockerfile.v0",
    "--local=context=.",
    "--opt=filename=x",
    "--opt=build-arg:A=1",
    "--opt=target=x",
    "--output=type=image,name=x,push=true,registry.insecure=true",
    "--export-cache=x",
    "--export-cache-opt=mode=max",
    "--import-cache=x",
    "--exporter=image",
    "--exporter-opt=name=x",
    "--frontend-opt=filename=x",
  ],
  buildah: ["--tag=x", "--file=x", "--cache-from=x", "--cache-to=x", "--build-arg=x", "--target=x"],
};

describe.each(ALL)("flags of %s that are allowed", (builder) => {
  it("are dropped with their reason where they do not change what is measured", () => {
    const { dropped } = jobOf(builder, { flags: DROPPED[builder].map(([flag]) => flag) });
    expect(dropped).toStrictEqual(DROPPED[builder].map(([flag, why]) => ({ flag, why })));
    expect(argvOf(builder, { flags: DROPPED[builder].map(([flag]) => flag) })).toStrictEqual(
      argvOf(builder, { flags: [] }),
    );
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
    const given = argv.flatMap((word) => /^(?:build-arg:)?(?:A|B|EMPTY)=.*$/.exec(word)?.[0] ?? []);
    expect(given.map((word) => word.replace("build-arg:", ""))).toStrictEqual(["A=1", "B=x y=z", "EMPTY="]);
  });

  it("give RUN steps the proxy of the trial, unless the recipe names its own", () => {
    const proxiesOf = (buildArgs: Record<string, string>) =>
      argvOf(builder, { buildArgs }, { proxy: "http://127.0.0.1:3128" }).flatMap(
        (word) => /(?:https?|no)_proxy=.*$/.exec(word)?.[0] ?? [],
      );
    expect(proxiesOf({})).toStrictEqual([
      "http_proxy=http://127.0.0.1:3128",
      "https_proxy=http://127.0.0.1:3128",
      "no_proxy=localhost,127.0.0.1,::1",
    ]);
    expect(proxiesOf({ http_proxy: "http://own" })).toStrictEqual([
      "http_proxy=http://own",
      "https_proxy=http://127.0.0.1:3128",
      "no_proxy=localhost,127.0.0.1,::1",
    ]);
  });
});

describe.each(["docker", "kaniko", "buildah"] as const)("flags of %s that are its own", (builder) => {
  it("are handed on as written, in their order", () => {
    const { dropped } = jobOf(builder, { flags: KEPT[builder] });
    expect(dropped).toStrictEqual([]);
    const argv = argvOf(builder, { flags: KEPT[builder] });
    const first = argv.indexOf(KEPT[builder][0] ?? "");
    expect(argv.slice(first, first + KEPT[builder].length)).toStrictEqual(KEPT[builder]);
    expect(argv.length).toBe(argvOf(builder, { flags: [] }).length + KEPT[builder].length);
  });
});

describe.each(["buildx", "buildctl"] as const)("flags of %s in BuildKit's words", (builder) => {
  it.each(TRANSLATED[builder])("%s", (flag, words) => {
    expect(jobOf(builder, { flags: [flag] }).dropped).toStrictEqual([]);
    const argv = argvOf(builder, { flags: [flag] });
    const plain = argvOf(builder, { flags: [] });
    const at = plain.indexOf("filename=Dockerfile") + 1;
    expect(argv.slice(at, at + words.length)).toStrictEqual(words);
    expect(argv.toSpliced(at, words.length)).toStrictEqual(plain);
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
      DOCKER_CONFIG: "/root/.docker",
      BUILDKIT_COLORS: "x",
    });
  });

  it("holds kaniko's feature flags, and nothing else of the template", () => {
    const environment = { FF_KANIKO_X: "1", KANIKO_DIR: "/", HTTP_PROXY: "http://x" };
    expect(jobOf("kaniko", { environment }).job.environment).toStrictEqual({
      DOCKER_CONFIG: "/kaniko/.docker",
      FF_KANIKO_X: "1",
    });
  });
});
