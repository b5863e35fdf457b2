import { describe, expect, it } from "vitest";
import { readMailCommands } from "../../src/series/mail-commands.ts";
import { read } from "./mails.ts";

describe("readMailCommands", () => {
  it.each([
    ["tare: run", { name: "run", error: null }],
    [
      "Tare: RUN strategies=kaniko/layers,buildkit/inline images=base edits=4 repeat=5",
      {
        name: "run",
        strategies: ["kaniko/layers", "buildkit/inline"],
        images: ["base"],
        edits: 4,
        repeat: 5,
        error: null,
      },
    ],
    ["tare:rerun", { name: "rerun", error: null }],
    ["tare: cancel", { name: "cancel", error: null }],
    ["tare: status ", { name: "status", error: null }],
    ["tare: mute", { name: "mute", error: null }],
    ["tare: stop", { name: "stop", error: null }],
    ["tare: help", { name: "help", error: null }],
    ["tare: no", { name: "no", error: null }],
    [
      "tare: bake",
      {
        name: null,
        error: 'unknown command "bake": say one of run, rerun, cancel, status, mute, stop, help, no',
      },
    ],
    [
      "tare:",
      { name: null, error: "no command: say one of run, rerun, cancel, status, mute, stop, help, no" },
    ],
    [
      "tare: run speed=9",
      { name: "run", error: 'unknown option "speed=9": run takes strategies=, images=, edits=, repeat=' },
    ],
    [
      "tare: run edits=99",
      { name: "run", edits: null, error: 'edits is a whole number from 0 to 50, not "99"' },
    ],
    [
      "tare: run repeat=0",
      { name: "run", repeat: null, error: 'repeat is a whole number from 1 to 20, not "0"' },
    ],
    ["tare: run strategies=", { name: "run", error: "strategies= names nothing" }],
    ["tare: cancel all", { name: "cancel", error: "cancel takes nothing behind it" }],
  ])("%s", (line, expected) => {
    expect(readMailCommands([line])).toEqual([
      expect.objectContaining({ text: line.trimEnd(), ...expected }),
    ]);
  });

  it.each(["please tare: run", " tare: run", "tare run", "tares: run", "/tare run", ""])(
    "hears nothing in %j",
    (line) => {
      expect(readMailCommands([line])).toEqual([]);
    },
  );

  it("reads them from what a mail's sender wrote, not from what it quotes", async () => {
    const body = "Thanks.\n\n> tare: stop\ntare: run\n\n-- \ntare: mute\n";
    const { commands, optOut } = await read({ subject: "Re: [PATCH] oven", reply: "<x@x>", body });
    expect([commands.map(({ name }) => name), optOut]).toEqual([["run"], null]);
  });

  it("hears the wish to be left alone", async () => {
    const withLine = await read({ subject: "[PATCH] oven", body: "About.\n\ntare: no\n" });
    const withHeader = await read({ subject: "[PATCH] oven", headers: ["X-Patchwork-Hint: ignore"] });
    const own = await read({ subject: "[PATCH] oven", headers: ["X-Tare: ignore"] });
    expect([withLine, withHeader, own].map(({ optOut }) => optOut)).toEqual([
      "a line of it says `tare: no`",
      "X-Patchwork-Hint says ignore",
      "X-Tare says ignore",
    ]);
  });
});
