import { describe, expect, it } from "vitest";
import { secretsIn } from "../../src/config/secrets.ts";

const found = (environment: Record<string, string>) =>
  secretsIn(environment, (path) => {
    if (path === "/keys/app.pem") return "the key of a file\n";
    throw new Error("not there");
  });

describe("the secrets of an environment", () => {
  it.each([
    ["a token", { GITLAB_TOKEN: "abcd" }, ["abcd"]],
    ["a list", { GITHUB_WEBHOOK_SECRET: "first, second" }, ["first, second", "first", "second"]],
    ["the password of an address", { DATABASE_URL: "postgresql://tare:p%40ss@db/tare" }, ["p%40ss", "p@ss"]],
    ["that of a proxy", { https_proxy: "http://u:letmein@proxy:3128" }, ["letmein"]],
    ["one in a query", { DATABASE_URL: "postgresql://db/tare?user=a&password=inside" }, ["inside"]],
    ["a file's", { GITHUB_PRIVATE_KEY_FILE: "/keys/app.pem" }, ["the key of a file"]],
    ["somebody else's", { NPM_TOKEN: "long-enough", SIGNING_PASSPHRASE: "true" }, ["long-enough"]],
    ["none", { HOME: "/root", GITHUB_PRIVATE_KEY_FILE: "/gone", TARE_HOST: "", PATH: "/bin" }, []],
  ])("%s", (_name, environment, secrets) => {
    expect(found(environment)).toStrictEqual(secrets);
  });
});
