import type { z } from "zod";

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping of keys",
  record: "a mapping of keys",
  array: "a list",
};

/** What a fault of a settings file is called. Never shows the value: it may be a secret in the wrong place. */
export function faultWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === "invalid_value") {
    return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(String).join(", ")}`;
  }
  if (issue.code === "too_small") {
    return `${least(issue.origin)} at least ${issue.minimum}${unit(issue.origin, issue.minimum)}`;
  }
  if (issue.code === "too_big") {
    return `${least(issue.origin)} at most ${issue.maximum}${unit(issue.origin, issue.maximum)}`;
  }
  return issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
}

function least(origin: string): string {
  return origin === "array" || origin === "string" ? "must have" : "must be";
}

function unit(origin: string, count: number | bigint): string {
  if (origin === "array") return Number(count) === 1 ? " entry" : " entries";
  if (origin === "string") return Number(count) === 1 ? " character" : " characters";
  return "";
}
