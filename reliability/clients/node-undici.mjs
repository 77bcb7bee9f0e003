// Asks an API with undici: node-undici.mjs h2|http/1.1 URL CA-FILE GET-PATH POST-PATH RATE, until standard input ends.
// It prints one line of JSON with what became of its requests, and repeats nothing of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';

const atOnce = 20;
const [protocol, url, caFile, getPath, postPath, rate] = process.argv.slice(2);
const { version } = createRequire(import.meta.url)('undici/package.json');

const agent = new Agent({
  allowH2: protocol === 'h2',
  connect: { ca: readFileSync(caFile, 'utf8') },
  headersTimeout: 70_000,
  bodyTimeout: 70_000,
});
const result = { version: `undici ${version}, Node ${process.versions.node}`, sent: 0, ok: 0, errors: {} };
const stop = new AbortController();
process.stdin.resume().once('end', () => stop.abort());

await Promise.all(Array.from({ length: atOnce }, (_, index) => askUntilStopped(index)));
await agent.destroy();
console.log(JSON.stringify(result));

async function askUntilStopped(first) {
  let due = performance.now();
  for (let count = first; ; count += 1) {
    due += (Math.random() * 2 * atOnce * 1000) / Number(rate);
    try {
      await delay(Math.max(0, due - performance.now()), undefined, { signal: stop.signal });
    } catch {
      return;
    }
    const error = await ask(count % 2 === 0);
    result.sent += 1;
    if (error === undefined) result.ok += 1;
    else result.errors[error] = (result.errors[error] ?? 0) + 1;
  }
}

async function ask(get) {
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
