import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mirrorsOf, readOperatorFile } from "../../src/config/operator-file.ts";
import { faultsOf } from "./settings-faults.ts";

const read = (text: string) => readOperatorFile({ path: "tare.yml", text });
const faults = (text: string) => faultsOf(() => read(text), "configuration");

describe("the operator's file", () => {
  it("is read with its units", () => {
    const text = `
privileges: capabilities
builderImages: packages
builders: {kaniko: "registry.example.org:5000/tools/kaniko:v1@sha256:DIGEST", registry: "quay.io/r@sha256:DIGEST"}
mirrors: {docker.io: mirror.example.org, "10.0.0.1:5000": {host: "localhost:5001", insecure: true}, quay.io: {host: m.org}}
limits: {cpus: 1.5, memory: 512m, timeout: 90s, processes: 1024, logBytes: 20000}
ceilings: {repeats: 5, images: 2, budget: 2h, cpus: 4, memory: 16GiB, timeout: 1.5h}
link: 100mbit
repeats: 4
budget: 45m
strategies: [kaniko/layers+redo, all]
edits: [last, 2]
thresholds: {bytes: 5, percent: 2.5, seconds: 0.5}
projects: {qemu-project/qemu: {ledger: stored}}
mail: {from: Tare <tare@example.org>, smtpUrl: {file: /run/secrets/smtp}}
github: {appId: 42, privateKey: {variable: APP_KEY}}
web: {port: 0}
`;
    const digest = "a".repeat(64);
    expect(read(text.replaceAll("DIGEST", digest))).toStrictEqual({
      privileges: "capabilities",
      builderImages: "packages",
      builders: {
        kaniko: `registry.example.org:5000/tools/kaniko:v1@sha256:${digest}`,
        registry: `quay.io/r@sha256:${digest}`,
      },
      mirrors: {
        "docker.io": "mirror.example.org",
        "10.0.0.1:5000": { host: "localhost:5001", insecure: true },
        "quay.io": { host: "m.org" },
      },
      limits: { cpus: 1.5, memory: 536_870_912, timeout: 90_000, processes: 1024, logBytes: 20_000 },
      ceilings: {
        repeats: 5,
        images: 2,
        budget: 7_200_000,
        cpus: 4,
        memory: 17_179_869_184,
        timeout: 5_400_000,
      },
      link: "100mbit",
      repeats: 4,
      budget: 2_700_000,
      strategies: ["kaniko/layers+redo", "all"],
      edits: ["last", 2],
      thresholds: { bytes: 5, percent: 2.5, seconds: 0.5 },
      projects: { "qemu-project/qemu": { ledger: "stored" } },
      mail: { from: "Tare <tare@example.org>", smtpUrl: { file: "/run/secrets/smtp" } },
      github: { appId: 42, privateKey: { variable: "APP_KEY" } },
      web: { port: 0 },
    });
  });

  it.each(["", "# nothing\n", "---\n", "{}", "---\n...\n"])("sets nothing where it is %j", (text) => {
    expect(read(text)).toStrictEqual({});
  });

  it("has all its faults told at once, where they are, in the order of the file", () => {
    const text = `privileges: root
limit: {cpus: 2}
limits:
  cpu: 3
  memory: 8
  timeout: 3
repeats: three
gitlab:
  token: {}
projects:
  solo: {}
edits: [first, middle, 0]
builderImages: docker:latest
link: fast
`;
    expect(faults(text)).toStrictEqual([
      "tare.yml:1:1: privileges: must be one of auto, privileged, capabilities",
      "tare.yml:2:1: limit: is not known; did you mean limits?",
      "tare.yml:4:3: limits.cpu: is not known; did you mean cpus?",
      "tare.yml:5:3: limits.memory: must be a size with its unit, for example 8g",
      "tare.yml:6:3: limits.timeout: must be a duration with its unit, for example 60m",
      "tare.yml:7:1: repeats: must be a number",
      "tare.yml:9:3: gitlab.token: names one of file and variable",
      "tare.yml:11:3: projects.solo: must be group/project",
      "tare.yml:12:16: edits[1]: must be first, last or the number of a RUN",
      "tare.yml:12:24: edits[2]: must be at least 1",
      "tare.yml:13:1: builderImages: must be one of auto, official, packages",
      "tare.yml:14:1: link: must be a rate, for example 100mbit, 1gbit or 12.5MB/s, or unlimited",
    ]);
  });

  it("names the file and the number of faults", () => {
    expect(() => read("a: 1\nb: 2\n")).toThrow("tare.yml has 2 faults.");
    expect(() => read("a: 1\n")).toThrow("tare.yml has one fault.");
  });

  it.each([
    ["[1, 2]", "tare.yml:1:1: must be a mapping of keys"],
    ["just text", "tare.yml:1:1: must be a mapping of keys"],
    ["limits:\n", "tare.yml:1:1: limits: must be a mapping of keys"],
    ["repeats: 2\n\nrepeats: 3\n", "tare.yml:3:1: repeats: is written twice"],
    ["limits:\n  cpus: 1\n  cpus: 2\n", "tare.yml:3:3: limits.cpus: is written twice"],
    ["web: {host: a}\nweb: {host: b}\n", "tare.yml:2:1: web: is written twice"],
    ["limits: &x {cpus: 1}\nceilings: *x\n", "tare.yml:2:11: is an alias: write the value out"],
    ["a: b: c\n", "tare.yml:1:4: is not YAML: Nested mappings are not allowed in compact mappings"],
    ["__proto__: {repeats: 1}\n", "tare.yml:1:1: __proto__: is not known; known here: "],
    ["repeats: 2\n---\nrepeats: 3\n", "tare.yml:2:1: starts a second document: a settings file is one"],
    ["? [a]\n: 1\n", "tare.yml:1:3: is a key that is not text"],
    ["repeats: !x 3\n", "tare.yml:1:10: is not YAML: Unresolved tag"],
    ["edits: []\n", "tare.yml:1:1: edits: must have at least 1 entry"],
    ["edits: [1, 2, 3, 4, 5, 6]\n", "tare.yml:1:1: edits: must have at most 5 entries"],
    ["edits: [1, 1]\n", "tare.yml:1:1: edits: names an edit twice"],
    ["strategies: [docker/layer]\n", "tare.yml:1:14: strategies[0]: must be all or builder/cache"],
    ["limits: {memory: 31m}\n", "tare.yml:1:10: limits.memory: must be at least 32m"],
    ["limits: {timeout: 169h}\n", "tare.yml:1:10: limits.timeout: must be between 6s and 168h"],
    ["gitlab: {token: {file: token}}\n", "tare.yml:1:18: gitlab.token.file: must be an absolute path"],
    ["gitlab: {token: {file: /t, variable: T}}\n", "tare.yml:1:10: gitlab.token: names one of file"],
    ["projects: {g/p: {ledger: namespaces}}\n", 'tare.yml:1:18: projects."g/p".ledger: must be one of perR'],
  ])("refuses %j", (text, fault) => {
    expect(faults(text)).toStrictEqual([expect.stringContaining(fault)]);
  });

  it("has the hosts that jobs behind a gate may reach, and refuses what is no host", () => {
    const text = 'egress: [deb.example.org, "*.example.org", "mirror.example.org:8443"]\n';
    expect(readOperatorFile({ path: "tare.yml", text }).egress).toStrictEqual([
      "deb.example.org",
      "*.example.org",
      "mirror.example.org:8443",
    ]);
    expect(faults('egress: ["*", 10.0.0.1, "*.org", "a.example:0", "http://a.example"]\n')).toStrictEqual([
      expect.stringContaining("egress[0]: must be the name of a host"),
      expect.stringContaining("egress[1]: must be the name of a host"),
      expect.stringContaining("egress[2]: names everything below a top-level domain"),
      expect.stringContaining("egress[3]: has a port that is none"),
      expect.stringContaining("egress[4]: must be the name of a host"),
    ]);
  });

  it.each([
    [
      "docker: registry.example.org/tools/docker:29",
      "docker: has no digest: what a tag names changes, and with it what is measured. Write name@sha256:…",
    ],
    ["docker: docker@sha256:1", "docker: must be a whole name with its digest, as registry.example.org/t"],
    ["buildkit: https://registry.example.org/b", "buildkit: must be a whole name with its digest, as reg"],
    ["podman: registry.example.org/podman", "podman: is not known; known here: docker, buildkit, kaniko, "],
  ])("refuses an image of one's own that is not one thing for ever: %s", (image, fault) => {
    expect(faults(`builders: {${image}}`)).toStrictEqual([
      expect.stringContaining(`tare.yml:1:12: builders.${fault}`),
    ]);
  });

  const bare = '"docker.io": must be host or host:port, with nothing before or after';
  const form = '"docker.io": must be host or host:port, or {host: …, insecure: true}';
  it.each([
    ["docker.io: https://mirror.example.org", bare],
    ["docker.io: mirror.example.org/hub", bare],
    ["docker.io: me:secret@mirror.example.org", bare],
    ["docker.io: {host: m.org, insecure: 1}", form],
    ["docker.io: {}", form],
    ["docker: mirror.example.org", "docker: must be the host of a registry, as docker.io or quay.io"],
    ["index.docker.io: mirror.example.org", '"index.docker.io": is called docker.io in image names'],
  ])("refuses a mirror that builders would not find: %s", (mirror, fault) => {
    expect(faults(`mirrors: {${mirror}}`)).toStrictEqual([`tare.yml:1:11: mirrors.${fault}`]);
  });

  it("has its mirrors in one form", () => {
    const text = "mirrors: {quay.io: mirror.example.org, docker.io: {host: localhost:5001, insecure: true}}";
    expect(mirrorsOf(read(text))).toStrictEqual([
      { registry: "quay.io", host: "mirror.example.org", insecure: false },
      { registry: "docker.io", host: "localhost:5001", insecure: true },
    ]);
    expect(mirrorsOf(read("mirrors: {quay.io: {host: m.org}}"))).toStrictEqual([
      { registry: "quay.io", host: "m.org", insecure: false },
    ]);
    expect(mirrorsOf({})).toStrictEqual([]);
  });

  it.each([
    ["ceilings: {cpus: 1}\nlimits: {cpus: 2}\n", "tare.yml:2:10: limits.cpus: is above ceilings.cpus"],
    ["repeats: 5\nceilings: {repeats: 4}\n", "tare.yml:1:1: repeats: is above ceilings.repeats"],
    ["budget: 2h\nceilings: {budget: 90m}\n", "tare.yml:1:1: budget: is above ceilings.budget"],
  ])("takes a value above its own ceiling for a slip: %j", (text, fault) => {
    expect(faults(text)).toStrictEqual([fault]);
  });

  it("tells a value above its ceiling beside other faults", () => {
    const text = "repeats: 5\nceilings: {repeats: 4, cpu: 1, budget: 1}\nlimits: none\nbudget: 2h\n";
    expect(faults(text)).toStrictEqual([
      "tare.yml:1:1: repeats: is above ceilings.repeats",
      "tare.yml:2:24: ceilings.cpu: is not known; did you mean cpus?",
      "tare.yml:2:32: ceilings.budget: must be a duration with its unit, for example 60m",
      "tare.yml:3:1: limits: must be a mapping of keys",
    ]);
  });

  it("shows no value: a secret may stand in its place", () => {
    const secret = "glpat-canary1234567890";
    const text = `gitlab: {token: ${secret}, url: 5}\nmail: {smtpUrl: {file: ${secret}}}\nrepeats: ${secret}\n`;
    expect(faults(text)).toStrictEqual([
      "tare.yml:1:10: gitlab.token: is a secret: write {file: /…} or {variable: NAME}",
      "tare.yml:1:41: gitlab.url: must be text",
      "tare.yml:2:18: mail.smtpUrl.file: must be an absolute path",
      "tare.yml:3:1: repeats: must be a number",
    ]);
    for (const broken of [`token: "${secret}`, `token: [${secret}`, `${secret}\nb: 1`, `a: *${secret}`]) {
      expect(faults(broken).join("\n")).not.toContain("canary");
    }
  });

  it("is read up to 64 kB", () => {
    const comment = (bytes: number) => `#${"x".repeat(bytes - 2)}\n`;
    expect(read(comment(65_536))).toStrictEqual({});
    expect(faults(comment(65_537))).toStrictEqual(["tare.yml:1:1: is larger than 64 kB"]);
  });

  it("is refused where it is deep beyond reason, and a long list of faults is cut", () => {
    const deep = `edits: ${"[".repeat(32_000)}${"]".repeat(32_000)}`;
    expect(faults(deep)).toContainEqual(
      expect.stringMatching(/^tare\.yml:1:\d+: is nested too deeply to be read$/),
    );
    const many = faults(Array.from({ length: 60 }, (_, index) => `key${index}: 1`).join("\n"));
    expect(many).toHaveLength(51);
    expect(many.at(-1)).toBe("tare.yml: and 10 more");
    expect(faults("repeats: 2\n".repeat(5000)).at(-1)).toBe("tare.yml: and 4949 more");
  });

  it("is read or refused, whatever it holds", () => {
    const line = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom(
        "limits:",
        "  cpus: 1",
        "? [a]",
        "- x",
        "&a b: *a",
        "<<: {cpus: 1}",
        "%YAML 1.1",
        "!!int: 3",
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const found = faults(lines.join("\n"));
        for (const fault of found) expect(fault).toMatch(/^tare\.yml:\d+:\d+: \S|^tare\.yml: and \d+ more$/u);
      }),
      { numRuns: 500 },
    );
  });
});
