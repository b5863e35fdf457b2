import { builderContract } from "../contracts/builder-contract.ts";
import { openLiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

/** Every RUN is edited in turn with the two that this project began with; the others show the last one. */
const WHOLE = new Set(["docker/inline", "kaniko/layers"]);

builderContract(
  "the real builders",
  async () => {
    const live = await openLiveTestbed();
    return {
      trial: (recipe, dockerfile, edits) => runLiveTrial(live, recipe, dockerfile, { edits }),
      close: () => live.close(),
    };
  },
  (strategy) => (WHOLE.has(strategy) ? [1, 2, 3] : [3]),
);
