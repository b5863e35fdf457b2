import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Service } from "../../src/domain/job.ts";
import { Problem } from "../../src/domain/problem.ts";
import { chargeAll } from "../../src/registry/ledgers.ts";
import { startRegistry } from "../../src/registry/trial-registry.ts";
import { fakeRegistryServices, type FakeServices } from "../fakes/registry-service.ts";
import { pushImage, TYPES } from "../fakes/registry-content.ts";

let services: FakeServices = fakeRegistryServices();

afterEach(() => services.close());

async function started(
  dead?: (index: number) => boolean,
  lateOutput = false,
  users: { contributor?: string } = {},
) {
  services = fakeRegistryServices({ lateOutput, ...(dead === undefined ? {} : { dead }) });
  const trial = await startRegistry({
    name: "r1",
    image: "registry",
    volume: null,
    ...users,
    startService: (spec) => services.startService(spec),
  });
  const fake = services.started.at(-1)?.registry;
  if (fake === undefined || fake === null) throw new Error("no registry runs");
  return { trial, fake };
}

describe("the registry of a trial", () => {
  it("is a service on loopback with a configuration and storage of its own", async () => {
    const { trial, fake } = await started();
    expect(trial.host).toBe(`127.0.0.1:${fake.port}`);
    const [service] = services.started;
    const [file] = service?.spec.files ?? [];
    expect(file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : null).toBe(
      [
        "version: 0.1",
        "log: {level: warn}",
        "storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}",
        'validation: {manifests: {urls: {allow: ["^https?://"]}}}',
        `http: {addr: "127.0.0.1:${fake.port}"}`,
        "",
      ].join("\n"),
    );
    expect({ ...service?.spec, files: service?.spec.files.map(({ path }) => path) }).toStrictEqual({
      name: "r1-1",
      image: "registry",
      main: ["registry", "serve", "/etc/tare/registry.yml"],
      environment: { OTEL_TRACES_EXPORTER: "none" },
      files: ["/etc/tare/registry.yml"],
      volumes: [{ path: "/var/lib/registry", name: null }],
    });
    await trial.remove();
    expect(service?.removed).toBe(true);
  });

  it("is charged with every blob file, also what no tag reaches any more", async () => {
    const { trial, fake } = await started();
    pushImage(fake, "group/app", "latest", ["base", "old"]);
    const before = chargeAll(await trial.snapshot());
    pushImage(fake, "group/app", "latest", ["base", "new layer"]);
    const after = chargeAll(await trial.snapshot());
    const disk = Object.values(fake.stored()).reduce((sum, bytes) => sum + bytes, 0);
    expect(before.stored).toBe(before.perRepository);
    expect(after.stored).toBe(disk);
    expect(after.namespace).toBe(4 + 9);
    expect(disk - after.perRepository).toBe(before.perRepository - 4);
  });

  it("counts bytes over the link since it was asked last", async () => {
    const { trial, fake } = await started();
    for (const layer of ["base", "layer"]) fake.blob("group/app", layer);
    const body = { schemaVersion: 2 };
    fake.manifest("group/app", "latest", { body, mediaType: TYPES.manifest });
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 4 + 5, serverErrors: 0 });
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
    await (await fetch(`http://${trial.host}/v2/group/app/tags/list`)).text();
    const answer = '{"name":"group/app","tags":["latest"]}';
    expect(await trial.traffic()).toMatchObject({
      pulledBytes: answer.length,
      pushedBytes: 0,
      serverErrors: 0,
    });
  });

  it("lists its files for traffic only where a blob has come that it does not know yet", async () => {
    services = fakeRegistryServices();
    let listings = 0;
    const trial = await startRegistry({
      name: "r1",
      image: "registry",
      volume: null,
      async startService(spec) {
        const service = await services.startService(spec);
        return { ...service, exec: (argv) => service.exec(argv).finally(() => (listings += 1)) };
      },
    });
    const fake = services.started[0]?.registry;
    fake?.blob("group/app", "layer");
    expect(await trial.traffic()).toMatchObject({ pushedBytes: 5 });
    expect(listings).toBe(1);
    expect(await trial.traffic()).toMatchObject({ pushedBytes: 0 });
    // Another builder's push of the same blob, to another repository.
    fake?.blob("group/other", "layer");
    expect(await trial.traffic()).toMatchObject({ pushedBytes: 5 });
    expect(listings).toBe(1);
    fake?.blob("group/other", "another layer");
    expect(await trial.traffic()).toMatchObject({ pushedBytes: 13 });
    expect(listings).toBe(2);
  });

  it("counts what was answered before it was asked, although the engine hands the log on late", async () => {
    const { trial, fake } = await started(undefined, true);
    fake.blob("group/app", "layer");
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 5, serverErrors: 0 });
    fake.blob("group/app", "another layer");
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 13, serverErrors: 0 });
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
  });

  it("goes back to what it held when it was marked", async () => {
    const { trial, fake } = await started();
    pushImage(fake, "group/app", "latest", ["base", "old"]);
    const marked = await trial.snapshot();
    await trial.mark();
    pushImage(fake, "group/app", "latest", ["base", "half of a build"]);
    fake.blob("group/app-cache", "pushed before the kill");
    expect(await trial.snapshot()).not.toStrictEqual(marked);
    await trial.rollBack();
    expect(await trial.snapshot()).toStrictEqual(marked);
    expect(services.started[0]?.restarts).toBe(1);
  });

  it("can be read after a push that was killed before its manifest", async () => {
    const { trial, fake } = await started();
    fake.blob("group/app-cache", "a layer");
    const snapshot = await trial.snapshot();
    expect(snapshot.repositories).toStrictEqual([]);
    expect(chargeAll(snapshot)).toStrictEqual({ perRepository: 0, namespace: 0, stored: 7 });
  });
});

describe("a registry with users", () => {
  const textOf = (path: string) => {
    const file = services.started.at(-1)?.spec.files.find((candidate) => candidate.path === path);
    return file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : "";
  };
  const realm = () =>
    /realm: "(http:\/\/127\.0\.0\.1:\d+\/token)"/.exec(textOf("/etc/tare/registry.yml"))?.[1] ?? "";

  it("is configured with the token server and its certificate, and holds no key and no password", async () => {
    const { trial } = await started(undefined, false, { contributor: "contributor" });
    expect(textOf("/etc/tare/registry.yml").split("\n").at(-2)).toBe(
      `auth: {token: {realm: "${realm()}", service: tare, issuer: tare, rootcertbundle: /etc/tare/tokens.pem}}`,
    );
    expect(textOf("/etc/tare/tokens.pem")).toMatch(
      /^-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\s*$/,
    );
    const spec = JSON.stringify(services.started[0]?.spec);
    const files = services.started[0]?.spec.files.map(({ path }) => textOf(path)).join("\n") ?? "";
    for (const user of ["upstream", "contributor"] as const) {
      const { password = "" } = trial.access?.login(user) ?? {};
      expect(password).toHaveLength(32);
      expect(spec + files).not.toContain(password);
    }
    await trial.remove();
  });

  it("has a token server as long as it is there itself", async () => {
    const { trial } = await started(undefined, false, { contributor: "contributor" });
    expect((await fetch(realm())).status).toBe(200);
    await trial.remove();
    await expect(fetch(realm())).rejects.toThrow("fetch failed");
    await started(() => true, false, { contributor: "contributor" }).catch(() => {});
    await expect(fetch(realm())).rejects.toThrow("fetch failed");
  });

  it("tells what was refused, until it was told", async () => {
    const { trial } = await started(undefined, false, { contributor: "contributor" });
    await fetch(`${realm()}?scope=repository:group/app:push`);
    const denial = { user: "anonymous", repository: "group/app", action: "push" };
    expect(trial.access?.takeDenied()).toStrictEqual([denial]);
    expect(trial.access?.takeDenied()).toStrictEqual([]);
    await trial.remove();
  });

  it("is none where nobody is named", async () => {
    const { trial } = await started();
    expect(trial.access).toBeNull();
  });
});

describe("a registry that does not start", () => {
  it("is tried again on another port, and what failed is removed", async () => {
    const { trial } = await started((index) => index < 2);
    expect(services.started.map(({ spec, removed }) => ({ name: spec.name, removed }))).toStrictEqual([
      { name: "r1-1", removed: true },
      { name: "r1-2", removed: true },
      { name: "r1-3", removed: false },
    ]);
    await trial.remove();
  });

  it("is a Problem after three times, with what it said", async () => {
    const error = await started(() => true).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      code: "port-taken",
      message: "The registry of the trial did not start.",
      details: ["listen tcp 127.0.0.1:5000: bind: address already in use"],
    });
    expect(services.started.map(({ removed }) => removed)).toStrictEqual([true, true, true]);
  });

  it("is not mistaken for another program that answers on its port", async () => {
    const strangers: { close(): void }[] = [];
    services = fakeRegistryServices();
    let attempts = 0;
    const startService = async (spec: Parameters<FakeServices["startService"]>[0]): Promise<Service> => {
      attempts += 1;
      if (attempts > 1) return services.startService(spec);
      const [file] = spec.files;
      const text = file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : "";
      const stranger = createServer((_, response) => response.end("{}"));
      strangers.push(stranger);
      const { promise, resolve } = Promise.withResolvers<void>();
      stranger.listen(Number(/:(\d+)"/.exec(text)?.[1]), "127.0.0.1", resolve);
      await promise;
      return fakeRegistryServices({ dead: () => true }).startService(spec);
    };
    const trial = await startRegistry({ name: "r1", image: "registry", volume: null, startService });
    for (const stranger of strangers) stranger.close();
    expect(attempts).toBe(2);
    expect(trial.host).toBe(`127.0.0.1:${services.started[0]?.registry?.port}`);
    await trial.remove();
  });
});
