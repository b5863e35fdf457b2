import { describe, expect, it } from "vitest";
import { assembled, inShort, START_MS, patchText, type MailFields } from "./mails.ts";

const cover = (subject: string, rest: Partial<MailFields> = {}): MailFields => ({
  subject,
  body: "This is what it is about.\n\nJane Roe (2):\n  one\n  two\n",
  ...rest,
});

/** A cover and two parts below it. */
function pair(
  mark: string,
  minute: number,
  rest: Partial<MailFields> = {},
  titles = ["kitchen", "oven", "sink"],
): MailFields[] {
  const id = (part: number) => `<${mark.replaceAll(" ", "")}.${minute}.${part}@dev.example>`;
  const space = mark === "" ? "" : ` ${mark}`;
  return [
    cover(`[PATCH${space} 0/2] ${titles[0]}`, { id: id(0), minute, ...rest }),
    { subject: `[PATCH${space} 1/2] ${titles[1]}`, id: id(1), minute, reply: id(0) },
    { subject: `[PATCH${space} 2/2] ${titles[2]}`, id: id(2), minute, reply: id(0) },
  ];
}

/** Two parts without a cover, the second below the first. */
function coverless(mark: string, minute: number, reply?: string, titles = ["oven", "sink"]): MailFields[] {
  const id = (part: number) => `<nc${mark}.${minute}.${part}@dev.example>`;
  const space = mark === "" ? "" : ` ${mark}`;
  const above = reply === undefined ? [] : [reply];
  return [
    {
      subject: `[PATCH${space} 1/2] ${titles[0]}`,
      id: id(1),
      minute,
      ...(reply === undefined ? {} : { reply }),
    },
    {
      subject: `[PATCH${space} 2/2] ${titles[1]}`,
      id: id(2),
      minute,
      reply: id(1),
      references: [...above, id(1)],
    },
  ];
}

const bare = (mails: readonly MailFields[]) =>
  mails.map(({ subject, id, minute, body }): MailFields => ({
    subject,
    ...(id === undefined ? {} : { id }),
    ...(minute === undefined ? {} : { minute }),
    ...(body === undefined ? {} : { body }),
  }));

describe("one series", () => {
  it("is its cover and parts", async () => {
    const { series, messages } = await assembled(pair("", 0));
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({
      id: "<.0.0@dev.example>",
      title: "kitchen",
      version: 1,
      total: 2,
      missing: [],
      isComplete: true,
      state: "ready",
    });
    expect(series[0]?.parts.map(({ index, message }) => [index, message.title])).toEqual([
      [1, "oven"],
      [2, "sink"],
    ]);
    expect(series[0]?.files).toEqual(["notes/patch12oven.txt", "notes/patch22sink.txt"]);
    expect(messages.map(({ type, part }) => [type, part])).toEqual([
      ["cover", 0],
      ["patch", 1],
      ["patch", 2],
    ]);
  });

  it.each<[string, MailFields[], string[]]>([
    ["without a cover", coverless("", 0), ["v1 1,2/2 ready"]],
    ["out of order", pair("", 0).toReversed(), ["v1 0,1,2/2 ready"]],
    ["below each other", [pair("", 0)[0]!, ...coverless("", 0, "<.0.0@dev.example>")], ["v1 0,1,2/2 ready"]],
    ["without any thread", bare(pair("", 0)), ["v1 0,1,2/2 ready"]],
    ["without thread and cover", bare(coverless("", 0)), ["v1 1,2/2 ready"]],
    ["with a cover that was lost", pair("", 0).slice(1), ["v1 1,2/2 ready"]],
    ["with a part that was lost", pair("", 0).slice(0, 2), ["v1 0,1/2 ready without 2"]],
    ["with a cover alone", pair("", 0).slice(0, 1), ["v1 0/2 empty without 1,2"]],
    ["with a late part", pair("", 0).with(2, { ...pair("", 0)[2]!, minute: 3000 }), ["v1 0,1,2/2 ready"]],
    ["of one patch", [{ subject: "[PATCH] oven" }], ["v1 1/1 ready"]],
    [
      "of one patch with a cover",
      [cover("[PATCH 0/1] k", { id: "<c@x>" }), { subject: "[PATCH 1/1] o", reply: "<c@x>" }],
      ["v1 0,1/1 ready"],
    ],
    [
      "as Mercurial counts",
      pair("", 0).map((mail) => ({ ...mail, subject: mail.subject.replace("/", " of ") })),
      ["v1 0,1,2/2 ready"],
    ],
    [
      "with an extra part",
      [...pair("", 0), { subject: "[PATCH 3/n] tap", reply: "<.0.0@dev.example>", minute: 50 }],
      ["v1 0,1,2,3/2 ready"],
    ],
    [
      "with a part beyond its total",
      [...pair("", 0), { subject: "[PATCH 3/2] tap", reply: "<.0.0@dev.example>", minute: 50 }],
      ["v1 0,1,2,3/2 ready"],
    ],
    [
      "with a part in between",
      [...pair("", 0), { subject: "[PATCH 1.5/2] tap", reply: "<.0.0@dev.example>", minute: 50 }],
      ["v1 0,1,1.5,2/2 ready"],
    ],
    [
      "with the version on the cover alone",
      [
        cover("[PATCH v3 0/2] k", { id: "<c@x>" }),
        { subject: "[PATCH 1/2] o", reply: "<c@x>" },
        { subject: "[PATCH 2/2] s", reply: "<c@x>" },
      ],
      ["v3 0,1,2/2 ready"],
    ],
    [
      "with the version on the parts alone",
      [
        cover("[PATCH 0/2] k", { id: "<c@x>" }),
        { subject: "[PATCH v3 1/2] o", reply: "<c@x>" },
        { subject: "[PATCH v3 2/2] s", reply: "<c@x>" },
      ],
      ["v3 0,1,2/2 ready"],
    ],
    [
      "in somebody's thread",
      [
        { subject: "Where is the oven?", from: "Max <max@dev.example>", id: "<q@x>", body: "?\n" },
        ...pair("", 5, { reply: "<q@x>" }),
      ],
      ["v1 0,1,2/2 ready"],
    ],
    [
      "sent part by part",
      bare(pair("", 0)).map((mail, at) => ({
        ...mail,
        id: `<17095428${at}0-${at}77-1-git-send-email-jane@dev.example>`,
        minute: at * 3,
      })),
      ["v1 0,1,2/2 ready"],
    ],
  ])("%s", async (_, mails, expected) => {
    expect(inShort(await assembled(mails))).toEqual(expected);
  });

  it("has a cover whose subject does not say so", async () => {
    const { series, messages } = await assembled([
      { subject: "cleaning the kitchen", id: "<c@x>", body: "All of it.\n" },
      { subject: "[PATCH] oven", reply: "<c@x>", minute: 1 },
    ]);
    expect(series.map(({ title }) => title)).toEqual(["cleaning the kitchen"]);
    expect(messages[0]?.type).toBe("cover");
  });

  it("takes nobody else's mail for its cover", async () => {
    const { series, messages } = await assembled([
      { subject: "the oven is cold", from: "Max <max@dev.example>", id: "<c@x>", body: "It is.\n" },
      { subject: "[PATCH] oven", reply: "<c@x>", minute: 1 },
    ]);
    expect(series.map(({ title }) => title)).toEqual(["oven"]);
    expect(messages[0]?.type).toBe("other");
  });

  it("has the bases of all its mails", async () => {
    const base =
      "base-commit: 0123456789abcdef0123456789abcdef01234567\nBased-on: <dish@x>\nchange-id: 20240304-kitchen-1a2b3c\n";
    const [first, ...parts] = pair("for-3.1", 0);
    const { series } = await assembled([{ ...first!, body: `About.\n\n${base}` }, ...parts]);
    expect(series[0]?.base).toEqual({
      baseCommit: "0123456789abcdef0123456789abcdef01234567",
      basedOn: ["<dish@x>"],
      dependsOn: [],
      prerequisites: [],
      prerequisiteMessageIds: [],
      prerequisiteChangeIds: [],
      changeId: "20240304-kitchen-1a2b3c",
      subjectTags: ["for-3.1"],
    });
  });
});

describe("versions", () => {
  const V1 = "<.0.0@dev.example>";
  it.each<[string, MailFields[]]>([
    ["on their own", [...pair("", 0), ...pair("v2", 600)]],
    ["in reply to the first cover", [...pair("", 0), ...pair("v2", 600, { reply: V1 })]],
    ["in reply to a part", [...pair("", 0), ...pair("v2", 600, { reply: "<.0.2@dev.example>" })]],
    ["in any order", [...pair("", 0), ...pair("v2", 600, { reply: V1 })].toReversed()],
  ])("are never mixed: %s", async (_, mails) => {
    expect(inShort(await assembled(mails))).toEqual(["v1 0,1,2/2 superseded", "v2 0,1,2/2 ready"]);
  });

  it.each<[string, MailFields[], string[]]>([
    [
      "below a part, without covers",
      [...coverless("", 0), ...coverless("v2", 600, "<nc.0.2@dev.example>")],
      ["v1 1,2/2 superseded", "v2 1,2/2 ready"],
    ],
    [
      "without a word of it",
      [...pair("", 0), ...pair("", 600)],
      ["v1 0,1,2/2 superseded", "v1 0,1,2/2 ready"],
    ],
    [
      "without a word of it, cover and thread",
      [...bare(coverless("", 0)), ...bare(coverless("", 60))],
      ["v1 1,2/2 superseded", "v1 1,2/2 ready"],
    ],
    [
      "without a word of it, below the first",
      [...coverless("", 0), ...coverless("", 600, "<nc.0.1@dev.example>")],
      ["v1 1,2/2 superseded", "v1 1,2/2 ready"],
    ],
    [
      "without a cover the second time",
      [...pair("", 0), ...coverless("", 600)],
      ["v1 0,1,2/2 superseded", "v1 1,2/2 ready"],
    ],
    [
      "of one patch",
      [
        { subject: "[PATCH] o", id: "<a@x>" },
        { subject: "[PATCH v2] o", reply: "<a@x>", minute: 9 },
      ],
      ["v1 1/1 superseded", "v2 1/1 ready"],
    ],
    [
      "with a dot",
      [...pair("", 0), ...pair("v1.1", 600, { reply: V1 })],
      ["v1 0,1,2/2 superseded", "v1.1 0,1,2/2 ready"],
    ],
    [
      "of three",
      [...pair("", 0), ...pair("v3", 900), ...pair("v2", 600)],
      ["v1 0,1,2/2 superseded", "v2 0,1,2/2 superseded", "v3 0,1,2/2 ready"],
    ],
    ["again", [...pair("v2", 0), ...pair("RESEND v2", 600)], ["v2 0,1,2/2 superseded", "v2 0,1,2/2 ready"]],
    [
      "of somebody else with the same number",
      [
        ...pair("", 0),
        { subject: "[PATCH 1/2] oven", from: "Max <max@dev.example>", id: "<m@x>", reply: V1, minute: 4 },
      ],
      ["v1 0,1,2/2 ready", "v1 1/2 ready without 2"],
    ],
    [
      "three times the same part",
      [0, 1, 2].map((minute) => ({ subject: "[PATCH v2 1/4] tag", id: `<s${minute}@x>`, minute })),
      ["v2 1/4 superseded without 2,3,4", "v2 1/4 superseded without 2,3,4", "v2 1/4 ready without 2,3,4"],
    ],
    [
      "to two trees within minutes",
      [
        { subject: "[PATCH 5.15 1/2] a", id: "<a1@x>" },
        { subject: "[PATCH 6.1 2/2] b", id: "<b2@x>", minute: 1 },
      ],
      ["v1 1/2 ready without 2", "v1 2/2 ready without 1"],
    ],
    [
      "two of different things within minutes",
      [
        ...bare(coverless("", 0, undefined, ["a1", "a2"])),
        ...bare(coverless("", 5, undefined, ["b1", "b2"])),
      ],
      ["v1 1,2/2 ready", "v1 1,2/2 ready"],
    ],
  ])("%s", async (_, mails, expected) => {
    expect(inShort(await assembled(mails))).toEqual(expected);
  });

  it("lead from each to the newest", async () => {
    const { series } = await assembled([...pair("", 0), ...pair("v2", 600), ...pair("v3", 900)]);
    expect(series.map(({ supersededBy }) => supersededBy)).toEqual([
      "<v3.900.0@dev.example>",
      "<v3.900.0@dev.example>",
      null,
    ]);
  });

  it("take the parts that were not sent again from the one before", async () => {
    const { series } = await assembled([
      ...pair("v2", 0),
      { subject: "[PATCH v3 2/2] sink", id: "<r@x>", reply: "<v2.0.2@dev.example>", minute: 300 },
    ]);
    expect(series[1]).toMatchObject({
      version: 3,
      missing: [1],
      inherited: { from: "<v2.0.0@dev.example>", parts: [1] },
      isComplete: true,
      state: "ready",
    });
    expect(series[0]).toMatchObject({ version: 2, missing: [], supersededBy: "<r@x>" });
  });

  it("follow the change-id when title and thread change", async () => {
    const body = (n: number) => `${patchText(`notes/${n}.txt`)}\nchange-id: 20240304-oven-0a1b2c\n`;
    const { series } = await assembled([
      { subject: "[PATCH] oven", id: "<a@x>", body: body(1) },
      { subject: "[PATCH v2] warm things", id: "<b@x>", body: body(2), minute: 900 },
    ]);
    expect(series.map(({ supersededBy }) => supersededBy)).toEqual(["<b@x>", null]);
  });

  it("are replaced where a later mail says so", async () => {
    const { series } = await assembled([
      { subject: "[PATCH] oven", id: "<a@x>" },
      { subject: "[PATCH] stove", id: "<b@x>", minute: 900 },
      { subject: "Re: [PATCH] stove", id: "<c@x>", reply: "<b@x>", minute: 905, body: "Supersedes: <a@x>\n" },
    ]);
    expect(series.map(({ supersededBy }) => supersededBy)).toEqual(["<b@x>", null]);
  });
});

describe("copies", () => {
  it("of a mail are told and counted once", async () => {
    const mails = pair("", 0);
    const { series, messages } = await assembled([
      ...mails,
      { ...mails[1]!, headers: ["List-Id: <other.example>"] },
    ]);
    expect(series).toHaveLength(1);
    expect(messages[3]).toMatchObject({ type: "patch", part: 1, flaws: [{ code: "duplicate" }] });
    expect(series[0]?.parts[0]?.again).toEqual([]);
  });

  it("with a footer of another list are copies", async () => {
    const body = "Fine with me.\n";
    const footer = "_______________________________________________\nkitchen mailing list\n";
    const one = { subject: "Re: oven", id: "<a@x>", reply: "<b@x>" };
    const { messages } = await assembled([
      { ...one, body },
      { ...one, body: body + footer },
    ]);
    expect(messages[1]?.flaws.map(({ code }) => code)).toEqual(["duplicate"]);
  });

  it("of an id with other content are kept apart", async () => {
    const { series, messages } = await assembled([
      { subject: "[PATCH] oven", id: "<a@x>" },
      { subject: "[PATCH] sink", id: "<a@x>", minute: 1 },
    ]);
    expect(messages.map(({ flaws }) => flaws.map(({ code }) => code))).toEqual([[], ["message-id-reused"]]);
    expect(series.map(({ title }) => title)).toEqual(["oven", "sink"]);
  });

  it("of a part with a new id do not count twice", async () => {
    const again = { subject: "[PATCH 2/2] sink", id: "<again@x>", reply: "<.0.0@dev.example>", minute: 90 };
    const { series } = await assembled([...pair("", 0), again]);
    expect(series).toHaveLength(1);
    expect(series[0]?.parts[1]).toMatchObject({ again: ["<again@x>"], others: [] });
    const other = await assembled([...pair("", 0), { ...again, body: patchText("notes/tap.txt") }]);
    expect(other.series[0]?.parts[1]).toMatchObject({ again: [], others: ["<again@x>"] });
    expect(other.series[0]?.flaws.map(({ code }) => code)).toEqual(["part-again"]);
  });
});

describe("state", () => {
  const at = (minutes: number) => new Date(START_MS + minutes * 60_000);

  it("waits for parts until nothing more came for ten minutes", async () => {
    const mails = pair("", 0).slice(0, 2);
    expect(inShort(await assembled(mails, at(9)))).toEqual(["v1 0,1/2 waiting without 2"]);
    expect(inShort(await assembled(mails, at(11)))).toEqual(["v1 0,1/2 ready without 2"]);
    expect(inShort(await assembled(pair("", 0), at(1)))).toEqual(["v1 0,1,2/2 ready"]);
  });

  it("does not wait where no date is believable", async () => {
    const mails = [{ subject: "[PATCH 1/2] oven", date: "Thu, 1 Jan 1970 00:00:00 +0000" }];
    const { messages, ...rest } = await assembled(mails, at(0));
    expect(inShort({ messages, ...rest })).toEqual(["v1 1/2 ready without 2"]);
    expect(messages[0]?.flaws.map(({ code }) => code)).toEqual(["date-implausible"]);
  });
});

describe("tags of replies", () => {
  const RITA = "Rita <rita@dev.example>";
  const TAG = "Reviewed-by: Rita <rita@dev.example>";
  const answer = (subject: string, reply: string, rest: Partial<MailFields> = {}): MailFields => ({
    subject: `Re: ${subject}`,
    from: RITA,
    reply,
    minute: 700,
    body: `> a line of the patch\n\n${TAG}\n`,
    ...rest,
  });
  const tagsOf = async (mails: MailFields[]) =>
    (await assembled(mails)).series.map(({ version, tags }) => [
      version,
      tags.map(({ name, parts }) => `${name} ${parts.join(",")}`),
    ]);
  const both = [...pair("", 0), ...pair("v2", 600, { reply: "<.0.0@dev.example>" })];

  it.each<[string, MailFields[], unknown]>([
    [
      "a part",
      [answer("[PATCH 1/2] oven", "<.0.1@dev.example>")],
      [
        [1, ["Reviewed-by 1"]],
        [2, []],
      ],
    ],
    [
      "the cover, for all parts",
      [answer("[PATCH 0/2] kitchen", "<.0.0@dev.example>")],
      [
        [1, ["Reviewed-by 1,2"]],
        [2, []],
      ],
    ],
    [
      "the version that they answer",
      [
        answer("[PATCH v2 2/2] sink", "<v2.600.2@dev.example>", {
          references: ["<.0.0@dev.example>", "<v2.600.0@dev.example>", "<v2.600.2@dev.example>"],
        }),
      ],
      [
        [1, []],
        [2, ["Reviewed-by 2"]],
      ],
    ],
    [
      "a reply to a part",
      [
        answer("[PATCH 1/2] oven", "<.0.1@dev.example>", { id: "<q@x>", body: "Why?\n" }),
        answer("[PATCH 1/2] oven", "<q@x>", { references: ["<q@x>"] }),
      ],
      [
        [1, ["Reviewed-by 1"]],
        [2, []],
      ],
    ],
    [
      "a reply that was lost",
      [
        answer("[PATCH v2 1/2] oven", "<lost@x>", {
          references: ["<.0.0@dev.example>", "<v2.600.0@dev.example>", "<v2.600.1@dev.example>", "<lost@x>"],
        }),
      ],
      [
        [1, []],
        [2, ["Reviewed-by 1"]],
      ],
    ],
    [
      "nothing known but a subject",
      [answer("[PATCH v2 1/2] oven", "<lost@x>")],
      [
        [1, []],
        [2, ["Reviewed-by 1"]],
      ],
    ],
  ])("are for %s", async (_, mails, expected) => {
    expect(await tagsOf([...both, ...mails])).toEqual(expected);
  });

  it("are found in a reply whose Re: was lost", async () => {
    const mails = [
      { subject: "[PATCH] oven", id: "<a@x>" },
      answer("[PATCH] oven", "<a@x>", { subject: "[PATCH] oven", id: "<b@x>" }),
    ];
    expect(await tagsOf(mails)).toEqual([[1, ["Reviewed-by 1"]]]);
  });

  it("are for a lost part where the cover is all that is left", async () => {
    const [first, second] = pair("", 0);
    const mail = answer("[PATCH 2/2] sink", "<.0.2@dev.example>", {
      references: ["<.0.0@dev.example>", "<.0.2@dev.example>"],
    });
    expect(await tagsOf([first!, second!, mail])).toEqual([[1, ["Reviewed-by 2"]]]);
  });
});

describe("hostile threads", () => {
  it("with cycles end", async () => {
    const { series } = await assembled([
      { subject: "[PATCH 1/2] a", id: "<a@x>", reply: "<b@x>" },
      { subject: "[PATCH 2/2] b", id: "<b@x>", reply: "<a@x>" },
      { subject: "Re: c", id: "<c@x>", reply: "<d@x>", body: "c\n" },
      { subject: "Re: d", id: "<d@x>", reply: "<c@x>", body: "d\n" },
    ]);
    expect(series.map(({ parts }) => parts.length)).toEqual([2]);
  });

  it("with 1,000 references and 500 parts are put together in time", async () => {
    const references = Array.from({ length: 1000 }, (_, n) => `<r${n}@x>`);
    const parts = Array.from({ length: 500 }, (_, n) => ({
      subject: `[PATCH ${n + 1}/500] part`,
      id: `<p${n}@x>`,
      references: [...references, "<c@x>"],
      minute: 1,
    }));
    const start = performance.now();
    const { series } = await assembled([cover("[PATCH 000/500] all", { id: "<c@x>" }), ...parts]);
    expect(series.map((one) => one.parts.length)).toEqual([500]);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it("of mails without ids have the same ids each time", async () => {
    const mails = [
      { subject: "[PATCH 1/2] a", id: null },
      { subject: "[PATCH 2/2] b", id: null },
    ];
    const [first, second] = [await assembled(mails), await assembled(mails)];
    expect(first.messages.map(({ message }) => message.id)).toEqual(
      second.messages.map(({ message }) => message.id),
    );
    expect(new Set(first.messages.map(({ message }) => message.id)).size).toBe(2);
    expect(inShort(first)).toEqual(["v1 1,2/2 ready"]);
  });

  it("do not list a million missing parts", async () => {
    const { series } = await assembled([{ subject: "[PATCH 1/99999] a" }]);
    expect(series[0]?.missing.length).toBeLessThan(5001);
  });
});
