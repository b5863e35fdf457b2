import { describe, expect, it } from "vitest";
import { readDatabaseConfig } from "../../src/config/database.ts";
import { withSecretFiles } from "../../src/config/secret-files.ts";
import { secretsIn } from "../../src/config/secrets.ts";
import { faultsOf } from "./settings-faults.ts";

const files: Readonly<Record<string, string>> = {
  "/run/secrets/url": "postgresql://tare:a-password-of-some-length@database/tare\n",
  "/run/secrets/empty": "\n",
};
const readSecret = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw new Error("no such file");
  return text;
};

describe("secrets in files", () => {
  it("are read where a variable names a file, and known as secrets from then on", () => {
    const environment = withSecretFiles({ DATABASE_URL_FILE: "/run/secrets/url" }, readSecret);
    const url = "postgresql://tare:a-password-of-some-length@database/tare";
    expect(readDatabaseConfig(environment, { isRoot: true, home: "/root" })).toStrictEqual({
      kind: "operator's",
      connectionString: url,
    });
    expect(secretsIn(environment, readSecret)).toContain("a-password-of-some-length");
  });

  it("that are empty, missing or doubled are faults, a line each, without their values", () => {
    const environment = {
      DATABASE_URL: "postgresql://localhost/one",
      DATABASE_URL_FILE: "/run/secrets/url",
      GITLAB_TOKEN_FILE: "/run/secrets/empty",
      TARE_PAGES_TOKEN_FILE: "/run/secrets/none",
    };
    expect(faultsOf(() => withSecretFiles(environment, readSecret), "configuration")).toStrictEqual([
      "DATABASE_URL_FILE: DATABASE_URL is set as well",
      "GITLAB_TOKEN_FILE: is empty or cannot be read",
      "TARE_PAGES_TOKEN_FILE: is empty or cannot be read",
    ]);
  });
});
