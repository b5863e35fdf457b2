import { describe, expect, it } from "vitest";
import { readPatchSubject } from "../../src/series/patch-subject.ts";

/** `title | v2 3/7 | tags`, with `re` or `fwd` in front and what else is said behind. */
function inShort(subject: string): string {
  const read = readPatchSubject(subject);
  const count = read.part === null ? "" : ` ${read.part}/${read.total ?? "?"}`;
  const flags = Object.entries(read).flatMap(([key, value]) =>
    value === true && key !== "hasVersion" ? [key.slice(2).toLowerCase()] : [],
  );
  return `${read.title} | v${read.version}${count} | ${read.tags.join(" ")} | ${flags.join(" ")}`
    .replaceAll(/ +/g, " ")
    .trim();
}

describe("readPatchSubject", () => {
  it.each([
    ["[PATCH] oven", "oven | v1 | | marked"],
    ["[PATCH v2 3/7] oven: warm", "oven: warm | v2 3/7 | | marked"],
    ["[PATCH1/8] oven", "oven | v1 1/8 | | marked"],
    ["[PATCHv3 1/8] oven", "oven | v3 1/8 | | marked"],
    ["[PATCH-v3 1/8] oven", "oven | v3 1/8 | | marked"],
    ["[PATCHv21/8] oven", "oven | v2 1/8 | | marked"],
    ["[PATCH V3 01/08] oven", "oven | v3 1/8 | | marked"],
    ["[PATCH 1/8 v3] oven", "oven | v3 1/8 | | marked"],
    ["[PATCH,v3,1/8] oven", "oven | v3 1/8 | | marked"],
    ["[v3,1/8] oven", "oven | v3 1/8 | | marked"],
    ["[1/8] oven", "oven | v1 1/8 | | marked"],
    ["[PATCH v2] [1/8] oven", "oven | v2 1/8 | | marked"],
    ["[PATCH] [V2] oven", "oven | v2 | | marked"],
    ["[PATCH v1.1 3/7] oven", "oven | v1.1 3/7 | | marked"],
    ["[PATCH v2 2.5/7] oven", "oven | v2 2.5/7 | | marked"],
    ["[PATCH v5.10 1/3] oven", "oven | v1 1/3 | v5.10 | marked"],
    ["[PATCH v5.10 v2 1/3] oven", "oven | v2 1/3 | v5.10 | marked"],
    ["[PATCH 5.15 012/189] oven", "oven | v1 12/189 | 5.15 | marked"],
    ["[PATCH for-9.0 v3 02/10] oven", "oven | v3 2/10 | for-9.0 | marked"],
    ["[PATCH net-next v3 0/4] oven", "oven | v3 0/4 | net-next | marked"],
    ["[PATCH 1 of 8] oven", "oven | v1 1/8 | | marked"],
    ["[PATCH 1 of 8 STABLE v2] oven", "oven | v2 1/8 | STABLE | marked"],
    ["[PATCH 3/n] oven", "oven | v1 3/? | | marked"],
    ["[PATCH take 2] oven", "oven | v2 | | marked"],
    ["[PATCH version 4] oven", "oven | v4 | | marked"],
    ["[PATCH (v2)] oven", "oven | v2 | | marked"],
    ["[PATCH] oven (v2)", "oven (v2) | v2 | | marked"],
    ["[RFC PATCH v2 1/2] oven", "oven | v2 1/2 | RFC | rfc marked"],
    ["[RFC][PATCH 1/2] oven", "oven | v1 1/2 | RFC | rfc marked"],
    ["[PATCH/RFC] oven", "oven | v1 | RFC | rfc marked"],
    ["[RFC v2] oven", "oven | v2 | RFC | rfc marked"],
    ["[RFCv2 0/3] oven", "oven | v2 0/3 | | rfc marked"],
    ["[PATCH RESEND v2 1/2] oven", "oven | v2 1/2 | RESEND | resend marked"],
    ["[RESEND][PATCH] oven", "oven | v1 | RESEND | resend marked"],
    ["[REPOST PATCH] oven", "oven | v1 | REPOST | resend marked"],
    ["[PATCH [1/2]] oven", "oven | v1 1/2 | | marked"],
    ["[[PATCH v2] 1/2] oven", "oven | v2 1/2 | | marked"],
    ["[PATCH 1/2 oven", "oven | v1 1/2 | | marked"],
    ["[PATCH] [oven] warm", "[oven] warm | v1 | | marked"],
    ["[oven] [PATCH] warm", "warm | v1 | oven | marked"],
    ["[kitchen-list] [PATCH 1/2] warm", "warm | v1 1/2 | kitchen-list | marked"],
    ["[kitchen] Re: [PATCH 1/2] warm", "warm | v1 1/2 | kitchen | marked reply"],
    ["Re: [PATCH 1/2] warm", "warm | v1 1/2 | | marked reply"],
    ["RE: re: Re[2]: [PATCH] warm", "warm | v1 | | marked reply"],
    ["AW: [PATCH] warm", "warm | v1 | | marked reply"],
    ["回复: [PATCH] warm", "warm | v1 | | marked reply"],
    ["回复：[PATCH] warm", "warm | v1 | | marked reply"],
    ["Fwd: [PATCH] warm", "warm | v1 | | marked forward"],
    ["[PATCH] Re: warm", "Re: warm | v1 | | marked"],
    ["PATCH v2 1/3: warm", "warm | v2 1/3 | | marked"],
    ["PATCH: warm", "warm | v1 | | marked"],
    ["patch that warms: it", "patch that warms: it | v1 | | "],
    ["warm [1/3]", "warm | v1 1/3 | | marked"],
    ["[PATCH] warm (1/3)", "warm | v1 1/3 | | marked"],
    ["warm (1/3)", "warm (1/3) | v1 | | "],
    ["[GIT PULL] warm", "warm | v1 | GIT | pullrequest marked"],
    ["[PULL 3/9] warm", "warm | v1 3/9 | | pullrequest marked"],
    ["GIT PULL: warm", "GIT PULL: warm | v1 | | pullrequest"],
    ["[DISPATCH] warm", "[DISPATCH] warm | v1 | | "],
    ["[2024/03/04] warm", "[2024/03/04] warm | v1 | | "],
    ["[PATCH]warm", "warm | v1 | | marked"],
    ["[PATCH 1/2]", "| v1 1/2 | | marked"],
    ["  [PATCH\t1/2]  warm \n it ", "warm it | v1 1/2 | | marked"],
    ["", "| v1 | |"],
  ])("%j", (subject, expected) => expect(inShort(subject)).toBe(expected.trim()));

  it("reads a long one in time", () => {
    const start = performance.now();
    for (const piece of ["[", "Re: ", "[PATCH ", "1/", "[1/2]", "("]) readPatchSubject(piece.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
