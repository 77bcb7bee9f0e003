#!/usr/bin/env node
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { commandLine, Failure } from '../../cluster/command-line';
import { version } from '../package.json';
import { inOwnCluster, missedOf, runScenarios } from '../scenario-runs';
import { scenarios } from '../scenarios/all';
import { listOf, offered } from './offered';
import { ownRunOptions, usage } from './options';
import { OwnApp } from './own-app';
import { summary } from './summary';

void commandLine('fairlead-reliability', async (args, signal) => {
  const begin = performance.now();
  const possible = offered(scenarios);
  const options = ownRunOptions(
    args,
    possible.map(({ name }) => name),
    process.env,
  );
  if (typeof options === 'string') {
    process.stdout.write({ help: usage, list: listOf(scenarios), version: `${version}\n` }[options]);
    return;
  }
  requireSameVersion(options.main);
  const { main, only, api, rate } = options;
  const app = OwnApp.of(main, api.getPath, options);
  const { backend, proxy } = app.standard;
  await inOwnCluster(
    options,
    () => app,
    signal,
    async (system, progress) => {
      const [node] = await system.nodes();
      const chosen = possible.filter(({ name }) => only?.includes(name) ?? true);
      const done = await runScenarios(chosen, system, options, progress);
      const facts = {
        ...{ getPath: api.getPath, postPath: api.postPath, rate },
        ...{ backend: backend.node.id, proxy: proxy.node.id, image: backend.settings.image },
        kubernetesVersion: (node?.status.nodeInfo.kubeletVersion ?? '').replace(/^v/, ''),
        cores: availableParallelism(),
        seconds: (performance.now() - begin) / 1000,
      };
      if (options.summary !== undefined) appendFileSync(options.summary, summary(done, facts));
      const missed = missedOf(done);
      if (missed.length > 0) throw new Failure(`not all was reached: ${missed.join(', ')}`);
    },
  );
});

/** Both are released together, and this one looks into the constructs of the other. */
function requireSameVersion(main: string): void {
  const found = versionOfFairlead(main);
  if (found === version) return;
  throw new Failure(
    found === undefined
      ? `fairlead is not installed in ${dirname(main)}: npm install --save-dev fairlead@${version}`
      : `fairlead-reliability ${version} is for fairlead ${version}, and ${dirname(main)} has ${found}: npx fairlead-reliability@${found}`,
  );
}

function versionOfFairlead(main: string): string | undefined {
  try {
    return (createRequire(main)('fairlead/package.json') as { readonly version: string }).version;
  } catch {
    return undefined;
  }
}
