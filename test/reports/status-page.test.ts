import { describe, expect, it } from "vitest";
import { renderStatusPage, type StatusPage } from "../../src/reports/status-page.ts";
import { expectHarmless } from "./harmless-page.ts";
import { named, parsedPage, tableOf } from "./parsed-page.ts";

const REQUEST = {
  id: "r-17",
  title: "ci: replace docker with kaniko",
  project: "example/app",
  state: "running",
  place: null,
  etaMs: 1_800_000,
  href: "/reports/r-17",
};

const STATUS: StatusPage = {
  requests: [
    REQUEST,
    { ...REQUEST, id: "r-18", state: "waiting", place: 1, etaMs: null, href: null },
    { ...REQUEST, id: "r-16", state: "answered", href: "https://tare.example/r/16?a=1&b=2" },
  ],
  workers: [
    { id: "host-a", state: "measuring", heartbeatAgoMs: 1_200, job: "r-17: kaniko/layers, warm" },
    { id: "host-b", state: "idle", heartbeatAgoMs: 400, job: null },
  ],
};

describe("the status page", () => {
  it("is the golden one", async () => {
    await expect(renderStatusPage(STATUS)).toMatchFileSnapshot("../goldens/status.html");
  });

  it("lists requests with their place and workers with their jobs, and does no more", () => {
    const html = renderStatusPage(STATUS);
    expectHarmless(html, ["/reports/r-17", "https://tare.example/r/16?a=1&b=2"]);
    const [requests, workers] = named(parsedPage(html).elements, "table").map((each) => tableOf(each).rows);
    expect(requests?.slice(1, 3).map((row) => row.slice(3))).toStrictEqual([
      ["running", "-", "30 m 00 s"],
      ["waiting", "1", "unknown"],
    ]);
    expect(workers?.[2]).toStrictEqual(["host-b", "idle", "0.4 s ago", "none"]);
  });

  it("says that there is nothing", () => {
    const html = renderStatusPage({ requests: [], workers: [] });
    expectHarmless(html);
    expect(html).toContain("<p>No request.</p>");
    expect(html).toContain("<p>No worker.</p>");
  });

  it.each([
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    " data:text/html,x",
    "\u202ejavascript:x",
  ])("does not link to %j", (href) => {
    const attack = `"><script>alert(1)</script>\u202e\u001b[2J`;
    const html = renderStatusPage({
      requests: [{ ...REQUEST, id: attack, title: attack, project: attack, state: attack, href }],
      workers: [{ id: attack, state: attack, heartbeatAgoMs: 0, job: attack }],
    });
    expectHarmless(html);
    expect(html).not.toContain("<a ");
  });
});
