import { executorContract } from "../contracts/executor-contract.ts";
import { openLiveTestbed } from "./live-testbed.ts";

executorContract("the engine's executor on a real engine", async () => {
  const live = await openLiveTestbed();
  const { engine, executor, tools } = live.testbed;
  // Busybox is all that the jobs of the contract need, and the registry's image has it.
  return { engine, executor, image: tools.registry.image, patienceMs: 3_000, close: () => live.close() };
});
