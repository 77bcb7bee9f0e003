// Asks an API with undici: node-undici.mjs h2|http/1.1 URL CA-FILE GET-PATH POST-PATH RATE, until standard input ends.
// It prints "answered" once it has an answer, and one line of JSON at the end with what became of its requests. It repeats nothing of
// its own. Without arguments it prints its version.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';

const atOnce = 20;
const [protocol, url, caFile, getPath, postPath, rate] = process.argv.slice(2);

if (protocol === undefined) {
  const { version } = createRequire(import.meta.url)('undici/package.json');
  console.log(`undici ${version}, Node ${process.versions.node}`);
} else {
  await load();
}

async function load() {
  const agent = new Agent({
    allowH2: protocol === 'h2',
    connect: { ca: readFileSync(caFile, 'utf8') },
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
  });
  const result = { sent: 0, ok: 0, errors: {} };
  let stopped = false;
  process.stdin.resume().once('end', () => (stopped = true));

  async function askUntilStopped(first) {
    let due = performance.now();
    for (let count = first; ; count += 1) {
      due += (Math.random() * 2 * atOnce * 1000) / Number(rate);
      await delay(Math.max(0, due - performance.now()));
      if (stopped) return;
      const error = await ask(agent, count % 2 === 0);
      result.sent += 1;
      if (error !== undefined) {
        result.errors[error] = (result.errors[error] ?? 0) + 1;
        continue;
      }
      if (result.ok === 0) console.log('answered');
      result.ok += 1;
    }
  }

  await Promise.all(Array.from({ length: atOnce }, (_, index) => askUntilStopped(index)));
  await agent.destroy();
  console.log(JSON.stringify(result));
}

async function ask(agent, get) {
  try {
    const { statusCode, body } = await agent.request({
      origin: url,
      ...(get
        ? { method: 'GET', path: getPath }
        : { method: 'POST', path: postPath, headers: { 'content-type': 'application/json' }, body: '{"id":"node"}' }),
    });
    await body.dump();
    return statusCode === 200 ? undefined : `status ${statusCode}`;
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`;
  }
}
