import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parsePatchMail } from "../../src/series/parse-patch-mail.ts";
import { readMail } from "../../src/series/read-mail.ts";
import { shouldAnswer } from "../../src/channels/mail/should-answer.ts";
import { Problem } from "../../src/domain/problem.ts";

// Real mails of a public list, beside the checkout where the project is developed; a user does not have them.
const DIRECTORY = join(dirname(fileURLToPath(import.meta.url)), "../../../shared/data/seed-thread");
const here = existsSync(DIRECTORY);
if (!here) console.log(`The real mails are not here (${DIRECTORY}): they are not read.`);

describe.runIf(here)("the thread that this project started from", () => {
  const mails = here ? readdirSync(DIRECTORY).filter((name) => name.endsWith(".eml")) : [];
  const read = (name: string) => readFileSync(join(DIRECTORY, name));

  it("holds three patches, and replies that are none", async () => {
    const kinds: Record<string, string> = {};
    for (const name of mails.toSorted()) {
      try {
        const { title, author } = await parsePatchMail(read(name));
        kinds[name.slice(0, 4)] = `${title} by ${author.address}`;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        kinds[name.slice(0, 4)] = error.code;
      }
    }
    expect(kinds).toEqual({
      "0001": "gitlab-ci: Replace Docker with Kaniko by cconte@redhat.com",
      "0002": "change-empty",
      "0003": "change-empty",
      "0004": "change-empty",
      "0005": "change-empty",
      "0006": "change-empty",
      "0007": expect.stringContaining("by alex.bennee@linaro.org") as string,
      "0008": expect.stringContaining("by cconte@redhat.com") as string,
    });
  });

  it("has only its patches answered", async () => {
    const answered: string[] = [];
    for (const name of mails.toSorted()) {
      const { answer } = shouldAnswer(await readMail(read(name)), ["tare@example.org"]);
      if (answer) answered.push(name.slice(0, 4));
    }
    expect(answered).toEqual(expect.arrayContaining(["0001", "0007", "0008"]));
    expect(answered).not.toContain("0002");
  });
});
