/** What a patch mail's subject says. `part` and `total` are null where it counts no parts. */
export type PatchSubject = {
  title: string;
  version: number;
  part: number | null;
  total: number | null;
  isReply: boolean;
  isPullRequest: boolean;
};

const REPLY = /^(?:re|aw|antw|sv|vs|odp)(?:\[\d+\])?:\s*/i;
const MARK = /patch|\brfc\b|\brfr\b|\bresend\b|\d+\s*\/\s*\d+|\bv\d+\b|\bpull\b/i;

/** Reads `Re: [list] [RFC PATCH v2 3/7] title`; brackets that are part of the title stay. */
export function readPatchSubject(subject: string): PatchSubject {
  let rest = subject.replaceAll(/\s+/g, " ").trim();
  const isReply = REPLY.test(rest);
  while (REPLY.test(rest)) rest = rest.replace(REPLY, "");
  const blocks = /^(?:\[[^\]]*\]\s*)+/.exec(rest)?.[0] ?? "";
  const marks = blocks.match(/\[[^\]]*\]\s*/g) ?? [];
  const last = marks.findLastIndex((mark) => MARK.test(mark));
  const taken = marks.slice(0, last + 1).join("");
  const count = /(\d+)\s*\/\s*(\d+)/.exec(taken);
  return {
    title: rest.slice(taken.length).trim(),
    version: Number(/\bv(\d{1,4})\b/i.exec(taken)?.[1] ?? 1),
    part: count ? Number(count[1]) : null,
    total: count ? Number(count[2]) : null,
    isReply,
    isPullRequest: /\bpull\b/i.test(taken) || /^git pull\b/i.test(rest),
  };
}
