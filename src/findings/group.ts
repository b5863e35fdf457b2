import type { Finding } from "../domain/finding.ts";
import type { Remark } from "./types.ts";

/** Most subjects that are all named; of more only the first is. */
const NAMED = 3;

/** Findings of one check: equal remarks become one, with their jobs counted and their subjects listed. */
export function groupRemarks(id: string, remarks: readonly Remark[]): Finding[] {
  const groups = Map.groupBy(remarks, ({ place, say, why }) => JSON.stringify([place, say("*"), why]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { file, line, side, elsewhere } = first.place;
    const said = first.say(listed(group.flatMap(({ subject }) => subject ?? [])));
    const where = elsewhere === null ? "" : `; ${elsewhere}`;
    return [{ id, file, line, side, text: `${said}${where} (${who(group)}).`, why: first.why }];
  });
}

function who(group: readonly Remark[]): string {
  const jobs = new Set(group.map(({ job }) => job));
  const [only = ""] = jobs;
  return jobs.size === 1 ? `job ${only}` : `${jobs.size} jobs`;
}

function listed(subjects: readonly string[]): string {
  const all = [...new Set(subjects)];
  if (all.length > NAMED) return `${all[0]} and ${all.length - 1} others`;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
