import { callsBuilder } from "./other-builders.ts";
import { joinTreePath } from "./tree-path.ts";
import type { TreeFiles } from "./types.ts";

/** One statement of a Makefile in the order in which make reads it. */
export type MakeStatement =
  | { kind: "set"; name: string; operator: string; text: string; condition: string | null }
  | { kind: "export"; text: string }
  | { kind: "include"; text: string; isNeeded: boolean }
  | { kind: "rule"; targets: string; needs: string; condition: string | null; place: MakePlace }
  | { kind: "line"; text: string; condition: string | null; place: MakePlace }
  | { kind: "opaque"; why: string };

export type MakePlace = { file: string; line: number };

const ASSIGNMENT = /^(?:(?:export|override|private)\s+)*([\w.-]+)\s*(::?:?=|\?=|\+=|!=|=)\s*(.*)$/s;

/** Statements of one Makefile; what stands under a condition says so. Nothing is expanded. */
export function makeStatements(file: string, text: string): MakeStatement[] {
  const statements: MakeStatement[] = [];
  const open: string[] = [];
  let [inRule, defined] = [false, 0];
  for (const { text: line, line: number } of logicalLines(text)) {
    const place = { file, line: number };
    const condition = open.length === 0 ? null : open.join(", ");
    if (defined > 0) {
      if (/^\s*endef\b/.test(line)) defined -= 1;
      else if (/^\s*define\b/.test(line)) defined += 1;
      continue;
    }
    if (line.startsWith("\t") && inRule) {
      statements.push({ kind: "line", text: line.slice(1), condition, place });
      continue;
    }
    const plain = line.replace(/(^|[^\\])#.*$/s, "$1").trim();
    if (plain === "") continue;
    if (/^if(?:n?eq|n?def)\b/.test(plain)) open.push(plain);
    else if (/^else\b/.test(plain)) open.push(`not ${open.pop() ?? ""}`);
    else if (/^endif\b/.test(plain)) open.pop();
    else {
      const statement = statementOf(plain, condition, place);
      if (/^define\b/.test(plain)) defined += 1;
      if (statement.kind === "set" && /^(?:override\s+)?export\b/.test(plain))
        statements.push({ kind: "export", text: statement.name });
      inRule = statement.kind === "rule" || (inRule && condition !== null && statement.kind === "set");
      statements.push(statement);
    }
  }
  return statements;
}

function statementOf(plain: string, condition: string | null, place: MakePlace): MakeStatement {
  const define = /^(?:override\s+)?define\s+([\w.-]+)/.exec(plain);
  if (define !== null) return { kind: "set", name: define[1] ?? "", operator: "define", text: "", condition };
  if (/^export(?:\s+[\w.-]+)*$/.test(plain)) return { kind: "export", text: plain.slice("export".length) };
  const include = /^(-include|sinclude|include)\s+(.*)$/s.exec(plain);
  if (include !== null)
    return { kind: "include", text: include[2] ?? "", isNeeded: include[1] === "include" };
  const assignment = ASSIGNMENT.exec(plain);
  if (assignment !== null) {
    const [, name = "", operator = "=", text = ""] = assignment;
    return { kind: "set", name, operator, text, condition };
  }
  const rule = /^((?:[^:$=]|\$\([^)]*\)|\$\{[^}]*\})+?)::?(?!=)\s*(.*)$/s.exec(plain);
  if (rule !== null) {
    const [, targets = "", needs = ""] = rule;
    return { kind: "rule", targets: targets.trim(), needs, condition, place };
  }
  return { kind: "opaque", why: `${place.file}:${place.line} is not read: ${plain.slice(0, 60)}` };
}

/** Lines with those that a backslash continues joined; recipe lines keep the break, as a shell reads it. */
function logicalLines(text: string): { text: string; line: number }[] {
  const lines: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | null = null;
  for (const [at, line] of text.replaceAll("\r\n", "\n").split("\n").entries()) {
    const joined: { text: string; line: number } =
      open === null
        ? { text: line, line: at + 1 }
        : {
            text: open.text.startsWith("\t")
              ? `${open.text}\n${line}`
              : `${open.text.slice(0, -1)} ${line.trim()}`,
            line: open.line,
          };
    open = /(?:^|[^\\])(?:\\\\)*\\$/.test(line) ? joined : null;
    if (open === null) lines.push(joined);
  }
  if (open !== null) lines.push(open);
  return lines;
}

/** The Makefile that make takes in a directory; null where there is none. */
export function findMakefile(tree: TreeFiles, directory: string, named: string | null): string | null {
  const names = named === null ? ["GNUmakefile", "makefile", "Makefile"] : [named];
  for (const name of names) {
    const path = joinTreePath(directory, name);
    if (path !== null && tree.read(path) !== null) return path;
  }
  return null;
}

/** Whether a Makefile calls a builder, or something else that may. */
export function mayLeadToBuilder(makefile: string): boolean {
  return callsBuilder(makefile) || /\$[({]MAKE[)}]|\.sh\b/.test(makefile);
}
