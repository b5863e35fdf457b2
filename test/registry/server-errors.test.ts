import { afterEach, describe, expect, it } from "vitest";
import { readServerErrors } from "../../src/registry/server-errors.ts";
import { startRegistry } from "../../src/registry/trial-registry.ts";
import { fakeRegistryServices, type FakeServices } from "../fakes/registry-service.ts";

/** As docker-registry 2.8.2 writes them, cut to the fields that matter here. */
const complaint = (status: number, detail: string) =>
  `time="2026-11-24T22:38:55.895145901Z" level=error msg="response completed with error" err.code=unknown ${detail} go.version=go1.19.8 http.request.method=POST http.request.uri=/v2/a/b/blobs/uploads/ http.response.duration="604.635µs" http.response.status=${status} http.response.written=189 vars.name=a/b`;
const NO_DIRECTORY = complaint(
  500,
  'err.detail="filesystem: mkdir /var/lib/registry/docker/registry/v2/repositories: not a directory" err.message="unknown error"',
);
const HUNG_UP = complaint(500, 'err.detail="client disconnected" err.message="unknown error"');

describe("what a registry says of its own errors", () => {
  it("is the reason of each answer of 5xx, and nothing where the client hung up", () => {
    const log = [
      'time="2026-11-24T22:38:13Z" level=warning msg="No HTTP secret provided" version=2.8.2+ds1',
      complaint(404, 'err.detail="unknown tag=latest" err.message="manifest unknown"'),
      NO_DIRECTORY,
      'time="2026-11-24T22:38:13Z" level=error msg="client disconnected during blob PATCH" contentLength=1000000',
      HUNG_UP,
      complaint(503, 'err.message="service unavailable"'),
      complaint(500, "err.detail=EOF"),
      complaint(500, 'err.detail="open \\"x\\": no such file"'),
      complaint(500, ""),
    ];
    expect(readServerErrors(log)).toStrictEqual([
      "filesystem: mkdir /var/lib/registry/docker/registry/v2/repositories: not a directory",
      null,
      "service unavailable",
      "EOF",
      'open "x": no such file',
      "it gave no reason",
    ]);
  });
});

describe("the traffic of a trial's registry", () => {
  let services: FakeServices = fakeRegistryServices();
  afterEach(() => services.close());

  async function started() {
    services = fakeRegistryServices();
    const trial = await startRegistry({
      name: "r1",
      image: "registry",
      volume: null,
      startService: (spec) => services.startService(spec),
    });
    const fake = services.started.at(-1)?.registry;
    if (fake === undefined || fake === null) throw new Error("no registry runs");
    const failed = (line: string) => {
      fake.log.push(
        '127.0.0.1 - - [24/Nov/2026:22:38:55 +0000] "POST /v2/a/b/blobs/uploads/ HTTP/1.1" 500 189 "" "b"',
      );
      fake.complaints.push(line);
    };
    return { trial, fake, failed };
  }

  it("tells how often the registry failed since it was asked last, and why at first", async () => {
    const { trial, failed } = await started();
    failed(NO_DIRECTORY);
    failed(HUNG_UP);
    failed(complaint(500, 'err.detail="filesystem: no space left on device"'));
    expect(await trial.traffic()).toMatchObject({
      serverErrors: 2,
      firstServerError:
        "filesystem: mkdir /var/lib/registry/docker/registry/v2/repositories: not a directory",
    });
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
    failed(complaint(500, 'err.detail="filesystem: no space left on device"'));
    expect(await trial.traffic()).toMatchObject({
      serverErrors: 1,
      firstServerError: "filesystem: no space left on device",
    });
  });

  it("blames no registry for a builder that hung up", async () => {
    const { trial, failed } = await started();
    failed(HUNG_UP);
    expect(await trial.traffic()).toMatchObject({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
  });

  it("waits for a reason that comes late, and counts an answer without one", async () => {
    const { trial, fake, failed } = await started();
    failed(NO_DIRECTORY);
    fake.complaints.length = 0;
    setTimeout(() => fake.complaints.push(HUNG_UP), 100);
    expect(await trial.traffic()).toMatchObject({ serverErrors: 0 });
    failed(NO_DIRECTORY);
    fake.complaints.length = 1;
    expect(await trial.traffic()).toMatchObject({ serverErrors: 1, firstServerError: "it gave no reason" });
  });
});
