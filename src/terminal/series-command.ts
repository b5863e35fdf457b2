import { plainLines } from "../reports/sanitise.ts";
import { assemble } from "../series/assemble.ts";
import { readMessage } from "../series/read-message.ts";
import { seriesJson, type Place } from "../series/series-json.ts";
import { seriesText } from "../series/series-text.ts";
import type { Message } from "../series/types.ts";
import type { ExitCode } from "./exit-code.ts";
import { readMailFiles } from "./mail-files.ts";

export type SeriesFlags = { format: "text" | "json"; now?: Date; settle?: number };

/** `tare series`: what mails come to as series of patches. Every mail is listed, with what is odd about it. */
export async function seriesCommand(files: readonly string[], flags: SeriesFlags): Promise<ExitCode> {
  const messages: Message[] = [];
  const places: Place[] = [];
  for await (const { source, number, raw, bytes } of readMailFiles(files)) {
    messages.push(await readMessage(raw, bytes));
    places.push({ source, number });
  }
  const options = {
    now: flags.now ?? new Date(),
    ...(flags.settle === undefined ? {} : { settleMs: flags.settle }),
  };
  const json = seriesJson(assemble(messages, options), places);
  if (flags.format === "json") process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  else process.stdout.write(plainLines(seriesText(json)).join("\n"));
  return 0;
}
