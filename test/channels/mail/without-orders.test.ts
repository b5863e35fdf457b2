import { expect, it } from "vitest";
import { withoutMailOrders } from "../../../src/channels/mail/without-orders.ts";

it.each([
  "Reviewed-by: A <a@example.org>",
  "fixes: #12",
  "Closes: https://example.org/1",
  "#syz fix: nothing",
  "/tare trial",
  "From 0000 Mon Sep 17",
  "diff --git a/x b/x",
  "--- a/x",
  "@@ -1 +1 @@",
])("moves in what others obey: %s", (line) => {
  const moved = withoutMailOrders(`Hello\r\n${line}\nend`);
  expect(moved).toBe(`Hello\n  ${line}\nend`);
  expect(withoutMailOrders(moved)).toBe(moved);
});

it("leaves all else, the signature too", () => {
  const body = "from 5 MB to 3 MB\n> Reviewed-by: A\n  diff --git a b\n\n-- \nTare\n";
  expect(withoutMailOrders(body)).toBe(body);
});
