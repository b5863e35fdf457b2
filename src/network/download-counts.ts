import type { Tunnel } from "./tunnel.ts";

/**
 * What went through the download cache. Requests that are neither served nor missed were refused, failed, or are of a
 * kind that is never stored (POST, requests with credentials).
 */
export type DownloadReport = {
  requests: number;
  /** Answered from the cache alone. */
  served: number;
  /** Asked of their origin, for the first time or anew; the cache answers the next of their kind. */
  missed: number;
  /** Bytes of bodies from the cache, and from origins. */
  bytesFromCache: number;
  bytesFetched: number;
  tunnels: Tunnel[];
};

export type DownloadCounts = {
  add(part: Partial<Omit<DownloadReport, "tunnels">>): void;
  addTunnel(host: string, part: { connections?: number; bytes?: number }): void;
  /** The report since the last call. */
  take(): DownloadReport;
};

export function createDownloadCounts(): DownloadCounts {
  let report = nothing();
  return {
    add(part) {
      for (const key of COUNTS) report[key] += part[key] ?? 0;
    },
    addTunnel(host, { connections = 0, bytes = 0 }) {
      let tunnel = report.tunnels.find((candidate) => candidate.host === host);
      if (tunnel === undefined) report.tunnels.push((tunnel = { host, connections: 0, bytes: 0 }));
      tunnel.connections += connections;
      tunnel.bytes += bytes;
    },
    take() {
      const taken = report;
      report = nothing();
      return taken;
    },
  };
}

const COUNTS = ["requests", "served", "missed", "bytesFromCache", "bytesFetched"] as const;

function nothing(): DownloadReport {
  return { requests: 0, served: 0, missed: 0, bytesFromCache: 0, bytesFetched: 0, tunnels: [] };
}
