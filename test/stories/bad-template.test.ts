import { beforeAll, describe, expect, it } from "vitest";
import { sampleRepository, type SampleFile } from "../git/sample-repository.ts";
import { edited, exampleFiles, oneImageFiles, type Files } from "./projects.ts";
import { playTare, type Played, type PlayOptions } from "./tare-process.ts";

const ENTRY = ".gitlab-ci.yml";
const PLACE = ".gitlab-ci.yml:11 (job app-container)";
const FLAG_REMEDY = "Leave the flag out of the template, or leave this image out with --images.";
const READ_REMEDY = "Run `tare recipes` to see what was read, or name images with --images.";

let files: Files;

beforeAll(async () => {
  files = await oneImageFiles();
});

/** A mistake of the requester: said once, on standard error, with exit code 2; nothing is left behind. */
const mistake = (...lines: string[]): Played => ({
  code: 2,
  stdout: "",
  stderr: `${lines.join("\n")}\n`,
  left: [],
});

/** A command on a repository of two commits, the second of which is the change. */
async function play(
  head: Record<string, SampleFile>,
  argv: readonly string[] = ["trial"],
  options: PlayOptions = {},
): Promise<Played> {
  await using repository = await sampleRepository([files, head]);
  return await playTare([...argv, "--repo", repository.directory], options);
}

const entry = (before: string, after: string) => edited(files, ENTRY, before, after);
const building = (flag: string) => entry("docker build", `docker build ${flag}`);
/** The job with something before it. */
const preceded = (text: string) => entry("app-container:", `${text}\napp-container:`);

describe("a template that reaches for the host", () => {
  it.concurrent.each([
    [
      "--secret id=x,src=/etc/shadow",
      "--secret=id=x,src=/etc/shadow is not run: it hands a secret\nto the build.",
    ],
    [
      "--build-context host=/",
      "--build-context=host=/ is not run: it reaches for the host or\nthe network of the machine that builds.",
    ],
    [
      "--add-host r:10.0.0.1",
      "--add-host=r:10.0.0.1 is not run: it reaches for the host or\nthe network of the machine that builds.",
    ],
  ])("is refused before any engine is asked for: %s", async (flag, said) => {
    expect(await play(building(flag))).toStrictEqual(mistake(`${PLACE}: ${said}`, FLAG_REMEDY));
  });

  it.concurrent.each(["-v /:/host", "--privileged"])(
    "is refused though no builder knows it: %s",
    async (flag) => {
      const [name] = flag.split(" ");
      const played = await play(building(flag));
      expect({ ...played, stderr: played.stderr.replaceAll("\n", " ") }).toStrictEqual({
        ...mistake(),
        stderr: `No image that the change touches can be built here. job app-container: ${PLACE}: ${name} is not run: it reaches for the host or the network of the machine that builds. ${READ_REMEDY} `,
      });
    },
  );

  it("is refused by the plan in the same words, and where the image is named", async () => {
    const head = building("--privileged");
    const plan = await play(head, ["plan"]);
    expect(plan).toStrictEqual(await play(head));
    const named = mistake(
      "app cannot be tried: .gitlab-ci.yml:11 (job app-container): --privileged is not run: it reaches for",
      "the host or the network of the machine that builds.",
      "Mend the template, or name another image with --images.",
    );
    expect(await play(head, ["trial", "--images", "app"])).toStrictEqual(named);
  });

  it("is passed over where another image can be built, and the reason is kept", async () => {
    const example = await exampleFiles();
    const path = ".gitlab-ci.d/container-template.yml";
    const base = edited(example, path, "--provenance=false", "--provenance=false $MORE");
    const jobs = ".gitlab-ci.d/containers.yml";
    const head = edited(
      edited(base, jobs, "NAME: toolchain", "NAME: toolchain\n    MORE: --ssh=default"),
      jobs,
      "NAME: docs",
      "NAME: docs\n    MORE: --pull",
    );
    await using repository = await sampleRepository([
      edited(base, ".gitlab-ci.d/base.yml", "variables:", "variables:\n  MORE: --rm"),
      edited(head, ".gitlab-ci.d/base.yml", "variables:", "variables:\n  MORE: --rm"),
    ]);
    const played = await playTare(["plan", "--format", "json", "--repo", repository.directory]);
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    expect(JSON.parse(played.stdout)).toMatchObject({
      images: [{ image: "docs" }],
      notBuilt: [
        {
          what: "toolchain",
          why: `${path}:15 (job toolchain-container): --ssh=default is not run: it hands a secret to the build.`,
        },
      ],
    });
  });

  it.concurrent.each([
    [
      "kaniko",
      "/kaniko/executor --destination $TAG --dockerfile docker/app.docker --context git://example.org/x.git",
    ],
    ["docker", "docker build --tag $TAG --file docker/app.docker git://example.org/x.git"],
  ])("is refused with a context from the network: %s", async (_builder, command) => {
    const head = {
      ...files,
      [ENTRY]: `app-container:\n  script:\n    - export TAG="$CI_REGISTRY_IMAGE/app"\n    - ${command}\n    - docker push $TAG\n`,
    };
    expect(await play(head)).toStrictEqual(
      mistake(
        "No image that the change touches can be built here. job app-container: .gitlab-ci.yml:4: context:",
        "git://example.org/x.git is not in the tree.",
        READ_REMEDY,
      ),
    );
  });
});

describe("a template that cannot be followed", () => {
  const bomb = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`);
  it.concurrent.each<[string, () => Record<string, SampleFile>, string[]]>([
    [
      "an alias bomb",
      () => preceded(["a0: &a0 [x]", ...bomb].join("\n")),
      [
        ".gitlab-ci.yml:6 grows to more than 100000 values when its aliases are written out",
        "Mend the file; GitLab's CI lint shows the same fault.",
      ],
    ],
    [
      "a cycle of extends",
      () => preceded(".a:\n  extends: .b\n.b:\n  extends: .a\nother:\n  extends: .a\n"),
      [".gitlab-ci.yml:4 extends itself: .a -> .b -> .a", "Mend the template; GitLab refuses it, too."],
    ],
    [
      "a cycle of include",
      () => ({
        ...preceded("include: ci/a.yml"),
        "ci/a.yml": "include: ci/b.yml\n",
        "ci/b.yml": "include: ci/a.yml\n",
      }),
      ["ci/b.yml:1 includes itself: ci/a.yml -> ci/b.yml -> ci/a.yml", "Remove one of the includes."],
    ],
    [
      "an include above the root",
      () => preceded("include: ../outside.yml"),
      [
        '.gitlab-ci.yml:1 includes "../outside.yml", which is not a path below the root of the tree',
        "Name the file from the root of the repository, without `..`.",
      ],
    ],
    [
      "an include that is a symlink",
      () => ({ ...preceded("include: ci/a.yml"), "ci/a.yml": { symlink: "/etc/passwd" } }),
      [
        ".gitlab-ci.yml:1 includes ci/a.yml, which cannot be read: it is a symlink, and links are not",
        "followed",
        "Add the file, or remove the include.",
      ],
    ],
    [
      "an entry file that is a symlink",
      () => ({ ...files, [ENTRY]: { symlink: "/etc/passwd" } }),
      [
        ".gitlab-ci.yml cannot be read: it is a symlink, and links are not followed.",
        "Make it a regular file of the repository.",
      ],
    ],
    [
      "NUL bytes",
      () => ({ ...files, [ENTRY]: "\0\0\0" }),
      [
        ".gitlab-ci.yml:1 is not GitLab CI configuration: its top level is not a mapping",
        "Mend the file; GitLab's CI lint shows the same fault.",
      ],
    ],
    [
      "a variable that leads back to itself",
      () => entry("NAME: app", 'NAME: "$NAME-x"'),
      [
        "No image that the change touches can be built here. job app-container: .gitlab-ci.yml:11:",
        "dockerfile: $NAME is defined by itself (job app-container).",
        READ_REMEDY,
      ],
    ],
    [
      "a Dockerfile above the root",
      () => entry("docker/$NAME.docker", "../$NAME.docker"),
      [
        "No image that the change touches can be built here. job app-container: .gitlab-ci.yml:11:",
        "dockerfile: ../app.docker leads out of the tree.",
        READ_REMEDY,
      ],
    ],
  ])("is refused with its place: %s", async (_name, head, said) => {
    expect(await play(head())).toStrictEqual(mistake(...said));
  });
});

describe("an image that cannot be built", () => {
  const pulled = () => building("--pull");
  it.concurrent.each<[string, () => Record<string, SampleFile>, string[]]>([
    [
      "no Dockerfile",
      () => Object.fromEntries(Object.entries(pulled()).filter(([path]) => path === ENTRY)),
      [
        ".gitlab-ci.yml:11 (job app-container) builds docker/app.docker, which cannot be read: there is no",
        "such file in the tree.",
        "Look at the path in the template, or leave this image out with --images.",
      ],
    ],
    [
      "a Dockerfile that is a symlink",
      () => ({ ...pulled(), "docker/app.docker": { symlink: "/etc/shadow" } }),
      [
        ".gitlab-ci.yml:11 (job app-container) builds docker/app.docker, which cannot be read: it is a",
        "symlink, and links are not followed.",
        "Look at the path in the template, or leave this image out with --images.",
      ],
    ],
    [
      "a base image that no package makes",
      () => ({ ...pulled(), "docker/app.docker": "FROM quay.io/centos/centos:stream9\nRUN true\n" }),
      [
        "app cannot be built here: no package makes its base image quay.io/centos/centos:stream9, and no",
        "public registry is in reach.",
        "Name another image with --images, or use a container engine that can pull public images.",
      ],
    ],
    [
      "no recipe that changes",
      () => entry("- docker push", "- echo pushing\n    - docker push"),
      [
        "The change touches no recipe: the image builds of the templates are the same on both sides.",
        READ_REMEDY,
      ],
    ],
  ])("says why: %s", async (_name, head, said) => {
    const packages = { environment: { TARE_IMAGES: "packages" } };
    expect(await play(head(), ["trial"], packages)).toStrictEqual(mistake(...said));
  });
});
