import { randomBytes } from "node:crypto";
import type { Job, JobResult } from "../domain/job.ts";
import { errorText } from "../lib/error-text.ts";
import { openCanaries, type Canaries } from "./canaries.ts";

const MIB = 1024 ** 2;
const LIMITS: Job["limits"] = {
  cpus: 0.5,
  memoryBytes: 64 * MIB,
  processes: 40,
  durationMs: 60_000,
  logBytes: 100_000,
  diskBytes: 32 * MIB,
};

/** Addresses that are nobody's to be reached: a cloud's metadata, private networks, documentation. */
const FOREIGN = ["169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "203.0.113.1"];

/** What the script says of each thing that it got through with. */
const WORDS: Readonly<Record<string, string>> = {
  untried: "the registry's image lacks programs to try all with",
  route: "a gated job has a route out of its network",
  ping: "a gated job reaches others by ICMP",
  foreign: "a gated job connects to addresses outside",
  name: "a gated job has names looked up that are not listed",
  root: "what a job writes beside its volumes has no limit",
  volume: "what a job writes to its volumes has no limit",
  hosts: "what a job writes to /etc/hosts has no limit",
  memory: "a job's memory has no limit, or swap is used beside it",
  cpu: "a job's CPUs have no limit",
  processes: "a job's processes have no limit",
};

/**
 * A job that tries what a hostile one would: to be heard on every address of this machine, outside it, by name, and to
 * take more than its limits. Returns what it got through with, in words.
 */
export async function attemptAll(
  image: string,
  run: (job: Job, signal: AbortSignal) => Promise<JobResult>,
): Promise<string[]> {
  const canaries = await openCanaries();
  try {
    const result = await run(jobOf(image, canaries), AbortSignal.timeout(LIMITS.durationMs));
    return readAttempts(
      result.log.map(({ line }) => line),
      canaries,
    );
  } catch (error) {
    return [`a gated job cannot be started: ${errorText(error)}`];
  } finally {
    canaries.close();
  }
}

function jobOf(image: string, canaries: Canaries): Job {
  return {
    name: `gate-check-${process.pid}-${randomBytes(3).toString("hex")}`,
    image,
    main: ["sh", "-c", scriptFor(canaries)],
    ready: null,
    commands: [],
    environment: {},
    workingDirectory: "/",
    files: [],
    volumes: ["/tmp"],
    privileges: "none",
    limits: LIMITS,
    network: "gated",
    services: [{ host: `127.0.0.1:${canaries.door.port}`, readOnly: false }],
  };
}

/** The words for what came through, by the script's lines and by what the canaries heard. Exported for its tests. */
export function readAttempts(lines: readonly string[], { door, denied }: Canaries): string[] {
  if (!lines.includes("end"))
    return [`the attempts of a gated job broke off: ${lines.slice(-3).join(" / ")}`];
  const through = lines.flatMap((line) => WORDS[/^through (\w+)$/.exec(line)?.[1] ?? ""] ?? []);
  const heard = denied.filter((canary) => canary.heard().connections + canary.heard().bytes > 0);
  return [
    // Without this, silence would prove nothing.
    ...(door.heard().connections > 0 ? [] : ["a gated job does not reach its own registry"]),
    ...heard.map(({ address }) => `a gated job reaches this machine at ${address}`),
    ...new Set(through),
  ];
}

function scriptFor({ door, denied }: Canaries): string {
  const addresses = denied.filter(({ address }) => address !== "127.0.0.1" && address !== "::1");
  const tries = denied.map(({ address, port }) => `tcp ${address} ${port}; udp ${address} ${port}`);
  return String.raw`
tcp() { nc -w 1 "$1" "$2" < /dev/null > /dev/null 2>&1; }
udp() {
  timeout 1 tftp -g -l /dev/null -r canary "$1" "$2" > /dev/null 2>&1
  echo canary | nc -u -w 1 "$1" "$2" > /dev/null 2>&1
}
through() { echo "through $1"; }
for program in nc ping nslookup timeout dd head tail wc; do
  command -v $program > /dev/null || through untried
done
command -v tftp > /dev/null || nc --help 2>&1 | grep -q -e '-u' || through untried
tcp 127.0.0.1 ${door.port}
${tries.join("\n")}
for address in ${FOREIGN.join(" ")}; do tcp $address 80 && through foreign; done
for address in ${[...addresses.map(({ address }) => address), ...FOREIGN.slice(0, 1)].join(" ")}; do
  ping -c 1 -W 1 $address > /dev/null 2>&1 && through ping
done
[ "$(wc -l < /proc/net/route)" -gt 1 ] && through route
nslookup not-listed.example > /dev/null 2>&1 && through name
dd if=/dev/zero of=/fill bs=1M count=64 2> /dev/null && through root; rm -f /fill
dd if=/dev/zero of=/tmp/fill bs=1M count=64 2> /dev/null && through volume; rm -f /tmp/fill
dd if=/dev/zero of=/etc/hosts bs=1M count=64 2> /dev/null && through hosts; : > /etc/hosts
head -c 128m /dev/zero | tail -c 127m > /dev/null 2>&1 && through memory
quota=-1
[ -r /sys/fs/cgroup/cpu.max ] && read quota rest < /sys/fs/cgroup/cpu.max
[ -r /sys/fs/cgroup/cpu/cpu.cfs_quota_us ] && read quota < /sys/fs/cgroup/cpu/cpu.cfs_quota_us
case $quota in -1 | max) through cpu;; esac
sh -c 'i=0; while [ $i -lt 60 ]; do sleep 9 & i=$((i + 1)); done; echo all' > /tmp/forks 2>&1
while read -r line; do [ "$line" = all ] && through processes; done < /tmp/forks
echo end
`;
}
