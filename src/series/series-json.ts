import type { Assembled, Listed } from "./assemble.ts";
import type { Series, SeriesPart } from "./series-of.ts";
import { seriesSchema, type SeriesJson } from "./series-schema.ts";

/** Where a mail was read. */
export type Place = { source: string; number: number };

/** The assembled mails as plain data; `places` are theirs, in the same order. */
export function seriesJson(assembled: Assembled, places: readonly Place[]): SeriesJson {
  return seriesSchema.parse({
    messages: assembled.messages.map((listed, at) =>
      messageJson(listed, places[at] ?? { source: "", number: at + 1 }),
    ),
    series: assembled.series.map(oneSeries),
  });
}

function messageJson({ message, type, series, part, flaws }: Listed, { source, number }: Place) {
  return {
    id: message.id,
    derivedId: message.isDerivedId,
    source,
    number,
    type,
    subject: message.subject,
    title: message.title,
    date: iso(message.date),
    author: message.author,
    sender: message.sender,
    inReplyTo: message.inReplyTo,
    series,
    part,
    tags: message.tags,
    commands: message.commands,
    robot: message.robot,
    optOut: message.optOut,
    flaws,
  };
}

function oneSeries(series: Series) {
  const { id, title, version, total, state, missing, inherited, tags, files, base, subjectTags } = series;
  const first = series.parts[0]?.message ?? series.cover;
  return {
    id,
    title,
    version,
    total,
    state,
    complete: series.isComplete,
    author: series.cover?.author ?? first?.author ?? series.sender,
    date: iso(series.date),
    cover: series.cover?.id ?? null,
    parts: series.parts.map(partJson),
    missing,
    inherited,
    tags,
    files,
    base,
    subjectTags,
    rfc: series.isRfc,
    resend: series.isResend,
    pullRequest: series.isPullRequest,
    supersededBy: series.supersededBy,
    optOut: series.optOut,
    replies: series.replies,
    flaws: series.flaws,
  };
}

function partJson({ index, message, again, others }: SeriesPart) {
  const files = (message.patch?.files ?? []).flatMap(({ oldPath, newPath }) => newPath ?? oldPath ?? []);
  return {
    index,
    id: message.id,
    subject: message.subject,
    title: message.title,
    author: message.author,
    date: iso(message.date),
    patchId: message.patch?.id ?? null,
    files: [...new Set(files)],
    trailers: message.trailers,
    again,
    others,
  };
}

function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
