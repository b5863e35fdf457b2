import { formatCount, formatDuration } from "../domain/quantities.ts";
import { mapTexts } from "../lib/map-texts.ts";
import { fillPage } from "./fill.ts";
import { htmlTable } from "./html-table.ts";
import type { Grid } from "./plain-table.ts";
import { linkAddress, plainLine } from "./sanitise.ts";

/** What the server does now. Times in milliseconds. */
export type StatusPage = {
  requests: {
    id: string;
    title: string;
    project: string;
    state: string;
    /** 1 for the next in the queue; null where it does not wait. */
    place: number | null;
    /** Until its answer, by the estimate; null where nothing is known. */
    etaMs: number | null;
    /** Address of its report, of the page's own site or http(s). */
    href: string | null;
  }[];
  workers: { id: string; state: string; heartbeatAgoMs: number; job: string | null }[];
};

/** Requests and workers as a page that runs nothing and fetches nothing. Rows keep their order. */
export function renderStatusPage(status: StatusPage): string {
  const { requests, workers } = mapTexts(status, (text) => plainLine(text));
  const waiting = requests.filter(({ place }) => place !== null).length;
  return fillPage("status-page.html", {
    summary: `${formatCount(requests.length, "request")}, ${waiting} of them in the queue; ${formatCount(workers.length, "worker")}.`,
    requests: htmlTable("Requests", requestGrid(requests), {
      links: requests.map(({ href }) => linkAddress(href)),
    }),
    workers: htmlTable("Workers", workerGrid(workers)),
  });
}

function requestGrid(requests: StatusPage["requests"]): Grid {
  return {
    head: ["request", "title", "project", "state", "place", "answer in"],
    align: ["left", "left", "left", "left", "right", "right"],
    rows: requests.map(({ id, title, project, state, place, etaMs }) => [
      id,
      title,
      project,
      state,
      place === null ? "-" : String(place),
      etaMs === null ? "unknown" : formatDuration(etaMs),
    ]),
  };
}

function workerGrid(workers: StatusPage["workers"]): Grid {
  return {
    head: ["worker", "state", "last heard of", "job"],
    align: ["left", "left", "right", "left"],
    rows: workers.map(({ id, state, heartbeatAgoMs, job }) => [
      id,
      state,
      `${formatDuration(heartbeatAgoMs)} ago`,
      job ?? "none",
    ]),
  };
}
