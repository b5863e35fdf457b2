import { describe, expect, it } from "vitest";
import { readMailConfig } from "../../src/config/mail.ts";
import { fillEnvironment, operatorEnvironment } from "../../src/config/operator-environment.ts";
import { readOperatorFile } from "../../src/config/operator-file.ts";
import { readServeConfig } from "../../src/config/serve.ts";
import { faultsOf } from "./settings-faults.ts";

const operator = readOperatorFile({
  path: "tare.yml",
  text: `
privileges: capabilities
builderImages: auto
mail: {from: Tare <tare@example.org>, smtpUrl: {file: /run/secrets/smtp}}
gitlab:
  url: https://gitlab.example.org
  token: {variable: SITE_TOKEN}
  webhookSecret: {file: /run/secrets/hook}
github: {privateKey: {file: /run/secrets/app.pem}}
web: {port: 8080}
`,
});

const secrets: Readonly<Record<string, string>> = {
  "/run/secrets/smtp": "smtps://user:pass@mail.example.org\n",
  "/run/secrets/hook": "a-webhook-secret-of-32-characters\n",
};

const readSecret = (path: string): string => {
  const text = secrets[path];
  if (text === undefined) throw new Error(`no such file: ${path}`);
  return text;
};

describe("the operator's file as environment", () => {
  it("gives the mail door its settings", () => {
    const environment = operatorEnvironment(operator, { PATH: "/bin" }, ["mail"], readSecret);
    expect(environment).toStrictEqual({
      PATH: "/bin",
      TARE_MAIL_FROM: "Tare <tare@example.org>",
      TARE_SMTP_URL: "smtps://user:pass@mail.example.org",
    });
    expect(readMailConfig(environment, true)).toMatchObject({
      domain: "example.org",
      smtpUrl: "smtps://user:pass@mail.example.org",
    });
  });

  it("gives the web process its settings, secrets from files and variables", () => {
    const environment = operatorEnvironment(
      operator,
      { SITE_TOKEN: "glpat-x" },
      ["gitlab", "web"],
      readSecret,
    );
    expect(readServeConfig(environment, () => "")).toStrictEqual({
      host: "127.0.0.1",
      port: 8080,
      pagesToken: null,
      github: null,
      gitlab: {
        url: "https://gitlab.example.org",
        token: "glpat-x",
        webhookSecrets: ["a-webhook-secret-of-32-characters"],
        webhookPath: "/gitlab/hooks",
      },
    });
  });

  it("gives way to variables that are set, and not to empty ones", () => {
    const set = { TARE_MAIL_FROM: "other@example.org", TARE_SMTP_URL: "", TARE_PRIVILEGES: "privileged" };
    const filled = fillEnvironment(operator, set, ["mail", "privileges", "builderImages"], readSecret);
    expect(filled).toStrictEqual({
      environment: { ...set, TARE_SMTP_URL: "smtps://user:pass@mail.example.org" },
      origins: {
        TARE_PRIVILEGES: { key: "privileges", from: "TARE_PRIVILEGES" },
        TARE_MAIL_FROM: { key: "mail.from", from: "TARE_MAIL_FROM" },
        TARE_SMTP_URL: { key: "mail.smtpUrl", from: "/run/secrets/smtp" },
      },
      faults: [],
    });
  });

  it("gives way to a variable that says the same in another way", () => {
    const set = { GITHUB_PRIVATE_KEY_FILE: "/etc/other.pem" };
    expect(operatorEnvironment(operator, set, ["github"], readSecret)).toStrictEqual(set);
  });

  it("has every secret told that is not where the file says, without a value", () => {
    const fill = () => operatorEnvironment(operator, { SITE_TOKEN: " " }, ["github", "gitlab"], readSecret);
    expect(faultsOf(fill, "configuration")).toStrictEqual([
      "github.privateKey: /run/secrets/app.pem is not there, is empty, or cannot be read",
      "gitlab.token: the variable SITE_TOKEN is not there, is empty, or cannot be read",
    ]);
  });

  it("reads no secret that is not asked for", () => {
    const refuse = (): string => {
      throw new Error("a secret was read");
    };
    expect(operatorEnvironment(operator, {}, ["privileges", "mail.from"], refuse)).toStrictEqual({
      TARE_PRIVILEGES: "capabilities",
      TARE_MAIL_FROM: "Tare <tare@example.org>",
    });
  });
});
