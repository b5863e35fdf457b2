#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheDirectory } from "./lib/cache-directory.ts";

// Compiled code is kept between calls: it halves the start. NODE_COMPILE_CACHE, where it is set, says where instead.
if (!process.env["NODE_COMPILE_CACHE"]) enableCompileCache(join(cacheDirectory(process.env), "compiled"));
const { runCommandLine } = await import("./terminal/program.ts");
await runCommandLine();
