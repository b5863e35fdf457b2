import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 30_000,
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: ".tare/tests.json" }]] : ["default"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/live/**"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // Live tests run real builders and servers. They share one engine and one machine: one file at a time.
          name: "live",
          include: ["test/live/**/*.test.ts"],
          fileParallelism: false,
          // Tests that say so run two at a time: those that tell no times.
          maxConcurrency: 2,
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          globalSetup: ["test/live/hold-engine.ts"],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
