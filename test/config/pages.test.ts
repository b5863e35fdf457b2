import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operatorJsonSchema, readOperatorFile } from "../../src/config/operator-file.ts";
import { projectJsonSchema, readProjectFile } from "../../src/config/project-file.ts";

const docs = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const page = docs("configure.md");

type Schema = {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  description?: string;
  default?: string | number | string[];
};

/** Keys that hold a value, with their schemas; a secret is one, however it is named. */
function valuesOf(schema: Schema, path = ""): [string, Schema][] {
  const below = schema.properties;
  if (typeof schema.additionalProperties === "object") {
    const names = { projects: "group/project", mirrors: "registry" } as Record<string, string>;
    return valuesOf(schema.additionalProperties, `${path}.<${names[path]}>`);
  }
  if (below === undefined || "variable" in below) return [[path, schema]];
  return Object.entries(below).flatMap(([key, value]) =>
    valuesOf(value, path === "" ? key : `${path}.${key}`),
  );
}

function everyKey(schema: Schema, path = ""): [string, Schema][] {
  const below = Object.entries(schema.properties ?? {});
  return below.flatMap(([key, value]) => [[`${path}${key}`, value], ...everyKey(value, `${path}${key}.`)]);
}

/** Key and default of each line of the tables that list keys. */
function tableRows(section: string): [string, string][] {
  return [...section.matchAll(/^\| `([^`]+)` \|.*\| ([^|]*) \|$/gmu)].map(([, key = "", value = ""]) => [
    key,
    value,
  ]);
}

const sectionOf = (title: string) => page.split(/^## /mu).find((part) => part.startsWith(title)) ?? "";
const exampleOf = (title: string) => /```yaml\n([\s\S]*?)```/u.exec(sectionOf(title))?.[1] ?? "";

const FILES = [
  ["The operator's file", "tare.schema.json", operatorJsonSchema() as Schema],
  ["The project's file", "tare-project.schema.json", projectJsonSchema() as Schema],
] as const;

describe("the examples of docs/configure.md", () => {
  it("are files that Tare reads", () => {
    const operator = readOperatorFile({ path: "tare.yml", text: exampleOf("The operator's file") });
    expect(operator).toMatchObject({
      limits: { cpus: 2, memory: 8 * 1024 ** 3, timeout: 3_600_000 },
      ceilings: { repeats: 5 },
      gitlab: { token: { file: "/run/secrets/tare-gitlab-token" } },
    });
    const project = readProjectFile({ path: ".tare.yml", text: exampleOf("The project's file") });
    expect(project).toMatchObject({ repeats: 5, budget: 5_400_000, ledger: "namespace" });
  });

  it.each(FILES)("show an editor the schema: %s", (title, file) => {
    expect(exampleOf(title)).toContain(`# yaml-language-server: $schema=./${file}\n`);
  });
});

describe("the tables of docs/configure.md", () => {
  it.each(FILES)("list every key with its default: %s", (title, _, schema) => {
    const expected = valuesOf(schema).map(([key, value]) => [
      key,
      [value.default ?? []].flat().join(", ") || "none",
    ]);
    expect(tableRows(sectionOf(title))).toStrictEqual(expected);
  });
});

describe("the JSON Schemas of docs", () => {
  it.each(FILES)("are those of the program: %s (`npm run schema` writes them)", (_, file, schema) => {
    expect(docs(file)).toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  it.each(FILES)("describe every key, and refuse others: %s", (_, file, schema) => {
    const bare = everyKey(schema).filter(([, { description }]) => !description);
    expect(bare).toStrictEqual([]);
    expect(JSON.parse(docs(file))).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      additionalProperties: false,
    });
  });

  it("give the defaults of values with units as they are written", () => {
    const limits = (operatorJsonSchema() as Schema).properties?.["limits"]?.properties;
    expect(limits).toMatchObject({ memory: { default: "8g" }, timeout: { default: "60m" } });
  });
});
