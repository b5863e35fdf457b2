import { Problem } from "../domain/problem.ts";
import type { GitlabVariable } from "./gitlab-variables.ts";
import { placeOf } from "./yaml-source.ts";
import type { YamlNode } from "./yaml-source.ts";

/** One job of a matrix: its name as GitLab shows it, and its variables. */
export type MatrixRow = { job: string; variables: ReadonlyMap<string, GitlabVariable> };

/** GitLab refuses larger matrices, too. */
const MOST_ROWS = 200;

/** Jobs that `parallel: matrix` makes of one job; just the job itself where there is no matrix. */
export function matrixOf(job: string, parallel: YamlNode | null): MatrixRow[] {
  const matrix = parallel?.kind === "map" ? parallel.entries.get("matrix") : undefined;
  if (matrix?.kind !== "list") return [{ job, variables: new Map() }];
  const rows: [string, string][][] = [];
  for (const item of matrix.items) {
    let combined: [string, string][][] = [[]];
    for (const [name, node] of item.kind === "map" ? item.entries : []) {
      const texts = textsOf(node);
      if (combined.length * texts.length + rows.length > MOST_ROWS) throw tooMany(job, node);
      combined = combined.flatMap((row) =>
        texts.map((text): [string, string][] => row.concat([[name, text]])),
      );
    }
    rows.push(...combined);
    if (rows.length > MOST_ROWS) throw tooMany(job, matrix);
  }
  return rows.map((row) => ({
    job: `${job}: [${row.map(([, text]) => text).join(", ")}]`,
    variables: new Map(row.map(([name, text]) => [name, { text, expand: true }])),
  }));
}

function textsOf(node: YamlNode): string[] {
  const nodes = node.kind === "list" ? node.items : [node];
  return nodes.flatMap((item) => (item.kind === "scalar" ? [item.text] : []));
}

function tooMany(job: string, node: YamlNode): Problem {
  return new Problem(
    "template-too-large",
    `${placeOf(node)}: the matrix of job ${job} has more than ${MOST_ROWS} jobs`,
    "Use fewer values; GitLab refuses it, too.",
  );
}
