import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMail } from "../../src/series/read-mail.ts";
import { readClaims } from "../../src/claims/read-claims.ts";
import type { ThreadText } from "../../src/claims/types.ts";
import { inShort } from "./texts.ts";

// Real mails of a public list, beside the checkout where the project is developed; a user does not have them.
const DIRECTORY = join(import.meta.dirname, "../../../shared/data/seed-thread");
const here = existsSync(DIRECTORY);
if (!here) console.log(`The real mails are not here (${DIRECTORY}): their claims are not read.`);

async function texts(numbers: string): Promise<ThreadText[]> {
  const names = readdirSync(DIRECTORY).filter((name) => new RegExp(`^000[${numbers}].*\\.eml$`).test(name));
  const mails = names.toSorted().map(async (name) => readMail(readFileSync(join(DIRECTORY, name))));
  return (await Promise.all(mails)).map(({ from, date, messageId, inReplyTo, text }) => ({
    author: from?.name ?? "",
    date: date?.toISOString() ?? null,
    messageId,
    inReplyTo,
    body: text,
  }));
}

describe.runIf(here)("the thread that this project started from", () => {
  it("makes these claims, and no others", async () => {
    const claims = readClaims(await texts("1-6"));
    const told = claims.map((claim) => [claim.author.split(" ")[0], inShort(claim), claim.quote]);
    expect(told).toStrictEqual([
      [
        "Camilla",
        "copies from the context none",
        "Does not specify a context since no Dockerfile is using COPY or ADD instructions.",
      ],
      [
        "Camilla",
        "memory of reproducible",
        "Does not enable reproducible builds as that results in builds failing with an out of memory error.",
      ],
      [
        "Daniel",
        "storage 2+",
        "By using Kaniko we would, at minimum, doubling the amount of data storage we consume in the gitlab registry.",
      ],
      [
        "Daniel",
        "compute burnt without cache",
        "This will burn through our Azure compute allowance more quickly (or our GitLab CI credits if we had to switch away from Azure).",
      ],
      [
        "Daniel",
        "login not needed",
        "I'm surprised there is no need to set provide the user/password login credentials for the registry.",
      ],
      ["Daniel", "cache in forks fails", "Caching of course fails when I'm running jobs in my fork."],
      ["Daniel", "storage 2", "The key downside is that it doubles our storage usage."],
      [
        "Thomas",
        "runners fixed?",
        "Will this patch fix the issues that we are currently seeing with the k8s runners not working in the upstream CI?",
      ],
      ["Daniel", "storage 2", "IOW, the first time we build a container we have double the usage."],
      [
        "Daniel",
        "growth 3",
        "When a dockerfile is updated changing a 'RUN' command, we now have triple the storage usage for cache.",
      ],
      ["Daniel", "growth 4", "Update the RUN command again, and we now have quadruple the storage. etc."],
      [
        "Daniel",
        "cleanup 2",
        "Cleanup stops the container usage growing without bound, but switching to Kaniko will still double our long term storage usage which is pretty undesirable IMHO.",
      ],
    ]);
  });

  it("holds one of them only as a quote, which is said", async () => {
    const claims = readClaims(await texts("1-6"));
    const quoted = claims.filter(({ quotedIn }) => quotedIn !== null);
    expect(
      quoted.map(({ author, date, messageId, quotedIn }) => ({ author, date, messageId, quotedIn })),
    ).toStrictEqual([
      {
        author: "Thomas Huth",
        date: null,
        messageId: "<771ff437-9bb2-4d4b-9397-f675d227191c@redhat.com>",
        quotedIn: "<ZkcJULpLGRuuG9K4@redhat.com>",
      },
    ]);
  });

  it("was preceded by two attempts, of which one makes the same two claims and one none", async () => {
    expect(readClaims(await texts("7")).map(inShort)).toStrictEqual([]);
    expect(readClaims(await texts("8")).map(inShort)).toStrictEqual([
      "copies from the context none",
      "memory of reproducible",
    ]);
  });
});
