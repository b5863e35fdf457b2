import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MAIL_FIXTURES,
  mailBase,
  sampleRepository,
  type SampleRepository,
} from "../git/sample-repository.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { playTare, type Played } from "./tare-process.ts";

let example: SampleRepository;
let mailed: SampleRepository;
let patch: string;

beforeAll(async () => {
  [example, mailed, patch] = await Promise.all([
    exampleFiles().then((files) => sampleRepository([files])),
    mailBase().then((files) => sampleRepository([files])),
    readFile(EXAMPLE_MAIL, "utf8"),
  ]);
});

afterAll(async () => {
  await Promise.all([example[Symbol.asyncDispose](), mailed[Symbol.asyncDispose]()]);
});

const plan = (input: string | Uint8Array, repository = example): Promise<Played> =>
  playTare(["plan", "--patch", "-", "--repo", repository.directory], { input });

const trial = (input: string | Uint8Array, repository = example): Promise<Played> =>
  playTare(["trial", "--patch", "-", "--trust", "--repo", repository.directory], { input });

const mistake = (...lines: string[]): Played => ({
  code: 2,
  stdout: "",
  stderr: `${lines.join("\n")}\n`,
  left: [],
});

describe("a patch that fits in spite of its looks", () => {
  it("applies with the line ends of another system", async () => {
    const [plain, crlf] = await Promise.all([plan(patch), plan(patch.replaceAll("\n", "\r\n"))]);
    expect(plain).toMatchObject({ code: 0, stderr: "", left: [] });
    expect(crlf).toStrictEqual(plain);
  });
});

describe("a mail whose patch cannot be tried", () => {
  const unfit = (base: string, ...errors: string[]) => [
    `The patch does not apply to commit ${base}, not even with a three-way merge.`,
    "Name the commit it was made on with --base, or check that --repo is its repository.",
    "",
    ...errors.map((line) => `  ${line}`),
  ];
  const base = () => mailed.commits[0]?.slice(0, 12) ?? "";
  const leave =
    "Leave this file out of the patch; Tare builds only from regular files inside of the repository.";
  const give = "Give the mail that carries the patch itself, as `git send-email` sends it.";
  it.concurrent.each<[string, () => string[]]>([
    [
      "binary.eml",
      () => [
        "The change touches no recipe: the image builds of the templates are the same on both sides.",
        "Run `tare recipes` to see what was read, or name images with --images.",
      ],
    ],
    [
      "binary-left-out.eml",
      () =>
        unfit(
          base(),
          "error: cannot apply binary patch to 'logo.bin' without full index line",
          "error: logo.bin: patch does not apply",
        ),
    ],
    ["foreign.eml", () => unfit(base(), "error: src/net.c: does not exist in index")],
    ["symlink.eml", () => ["The patch makes images/link.docker a symlink.", leave]],
    ["dot-git.eml", () => ['The patch writes to ".git/hooks/x", outside of the repository\'s files.', leave]],
    [
      "empty.eml",
      () => ['The mail "[PATCH] nothing here" holds no patch.', give, "", "  Parts found: text/plain."],
    ],
    [
      "damaged.eml",
      () => [
        "The patch is damaged: git cannot read it.",
        "Send it again as `git format-patch` wrote it; mail programs that wrap lines or change spaces break",
        "patches.",
        "",
        "  error: corrupt patch at line 21",
      ],
    ],
  ])("is refused with the reason: %s", async (name, said) => {
    expect(await trial(await readFile(join(MAIL_FIXTURES, name)), mailed)).toStrictEqual(mistake(...said()));
  });

  it("shows git's lines and the base where the files are other ones", async () => {
    const other = patch.replaceAll("docker login", "docker logon");
    expect(await trial(other)).toStrictEqual(
      mistake(
        ...unfit(
          example.commits[0]?.slice(0, 12) ?? "",
          "error: patch failed: .gitlab-ci.d/container-template.yml:1",
          "error: .gitlab-ci.d/container-template.yml: patch does not apply",
        ),
      ),
    );
  });
});

describe("an input that is no patch", () => {
  const raw = [
    "The input is neither a mail nor a patch.",
    "Give the raw message (headers included), a `git format-patch` file or a diff.",
  ];
  it.concurrent.each<[string, () => string | Uint8Array, string[]]>([
    ["nothing", () => "", ["The input is empty.", "Give a mail with a patch, or a patch file."]],
    ["NUL bytes", () => new Uint8Array(2000), raw],
    ["prose", () => "How are you?\n", raw],
    [
      "a letter",
      () => "From: ada@example.org\nSubject: hello\n\nHow are you?\n",
      [
        'The mail "hello" holds no patch.',
        "Give the mail that carries the patch itself, as `git send-email` sends it.",
        "",
        "  Parts found: text/plain.",
      ],
    ],
    [
      "30 MB",
      () => `From: ada@example.org\n\n${"x".repeat(30_000_000)}`,
      [
        "The mail has 30000023 bytes; the limit is 26000000.",
        "Send a smaller patch, or name a revision of the repository.",
      ],
    ],
    [
      "half of a patch",
      () => patch.slice(0, patch.indexOf("-    - docker build")),
      [
        "The patch is damaged: git cannot read it.",
        "Send it again as `git format-patch` wrote it; mail programs that wrap lines or change spaces break",
        "patches.",
        "",
        "  error: corrupt patch at line 26",
      ],
    ],
  ])("is refused in a sentence: %s", async (_name, input, said) => {
    expect(await trial(input())).toStrictEqual(mistake(...said));
  });

  it("is refused where the file is not there", async () => {
    expect(
      await playTare(["plan", "--patch", "/nonexistent.eml", "--repo", example.directory]),
    ).toStrictEqual(
      mistake(
        "/nonexistent.eml cannot be read.",
        "Name a file, or - for standard input.",
        "",
        "  ENOENT: no such file or directory, open '/nonexistent.eml'",
      ),
    );
  });
});
