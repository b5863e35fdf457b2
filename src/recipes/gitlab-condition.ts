import type { Recipe } from "../domain/recipe.ts";
import { evaluateExpression } from "./gitlab-expression.ts";
import type { ExpressionContext, Truth, World } from "./gitlab-expression.ts";
import type { Scope } from "./gitlab-variables.ts";
import type { YamlMap, YamlNode } from "./yaml-source.ts";

/** What decides whether a job is in a pipeline. */
export type JobRules = {
  workflow: YamlNode | null;
  rules: YamlNode | null;
  only: YamlNode | null;
  except: YamlNode | null;
};

/** Pipelines in which a job runs, as far as its rules tell upstream from forks: "both" where they do not. */
export function conditionOf(job: JobRules, scope: Scope, names: ReadonlySet<string>): Recipe["condition"] {
  const compared = new Map<string, Set<string>>();
  const runs = (world: World) => mayRun(job, { scope, names, world, compared });
  const [upstream, fork] = [runs("upstream"), runs("fork")];
  // Several names of one kind: which of them is upstream's is not told.
  const ambiguous = [...compared.values()].some((texts) => texts.size > 1);
  if (ambiguous || upstream === fork) return "both";
  return upstream ? "upstream" : "fork";
}

function mayRun(job: JobRules, context: ExpressionContext): boolean {
  const workflow = job.workflow?.kind === "map" ? (job.workflow.entries.get("rules") ?? null) : null;
  if (!rulesLetRun(workflow, context) || !rulesLetRun(job.rules, context)) return false;
  return onlyLetsRun(job.only, context) && !exceptForbids(job.except, context);
}

/** Rules of a list, nested lists flattened. */
export function rulesOf(node: YamlNode | null): YamlMap[] {
  if (node?.kind === "list") return node.items.flatMap((item) => rulesOf(item));
  return node?.kind === "map" ? [node] : [];
}

/** Whether a rule, where it applies, lets the job run. */
export function isRunning(rule: YamlMap): boolean {
  const when = rule.entries.get("when");
  return !(when?.kind === "scalar" && when.text === "never");
}

function rulesLetRun(node: YamlNode | null, context: ExpressionContext): boolean {
  const rules = rulesOf(node);
  if (rules.length === 0) return true;
  for (const rule of rules) {
    const applies = ruleApplies(rule, context);
    if (applies === false) continue;
    if (isRunning(rule)) return true;
    if (applies === true) return false;
  }
  return false;
}

function ruleApplies(rule: YamlMap, context: ExpressionContext): Truth {
  const condition = rule.entries.get("if");
  const further = rule.entries.has("changes") || rule.entries.has("exists");
  const holds =
    condition === undefined
      ? true
      : condition.kind === "scalar"
        ? evaluateExpression(condition.text, context)
        : null;
  return holds === false ? false : further ? null : holds;
}

/** Texts of a node that is one text or a list of them. */
function textsOf(node: YamlNode | undefined): string[] {
  if (node?.kind === "list") return node.items.flatMap((item) => textsOf(item));
  return node?.kind === "scalar" && node.text !== "" ? [node.text] : [];
}

function partsOf(node: YamlNode): { refs: string[]; variables: string[] } {
  if (node.kind !== "map") return { refs: textsOf(node), variables: [] };
  return { refs: textsOf(node.entries.get("refs")), variables: textsOf(node.entries.get("variables")) };
}

/** `only`: one of its references and one of its expressions must hold. */
function onlyLetsRun(node: YamlNode | null, context: ExpressionContext): boolean {
  if (node === null) return true;
  const { refs, variables } = partsOf(node);
  // `main@group/project` is a branch of that project alone.
  if (context.world === "fork" && refs.length > 0 && refs.every(isOfProject)) return false;
  return variables.length === 0 || variables.some((text) => evaluateExpression(text, context) !== false);
}

function isOfProject(ref: string): boolean {
  return /@[\w.-]+\/[\w./-]+$/.test(ref);
}

function exceptForbids(node: YamlNode | null, context: ExpressionContext): boolean {
  if (node === null) return false;
  return partsOf(node).variables.some((text) => evaluateExpression(text, context) === true);
}
