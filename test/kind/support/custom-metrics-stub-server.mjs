// A stub of the API custom.metrics.k8s.io, where a cluster has prometheus-adapter, which needs a Prometheus. It knows one metric of pods: the
// requests a second that proxies have sent to each, by what they count (fairlead_peer_requests_total).
import { readFileSync } from 'node:fs';
import { get as getByHttp } from 'node:http';
import { createServer, get as getByHttps } from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const { METRIC: metric, NAMESPACE: namespace, METRICS_PORT: metricsPort } = process.env;
const api = { host: process.env.KUBERNETES_SERVICE_HOST, port: process.env.KUBERNETES_SERVICE_PORT };
const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const groupVersion = 'custom.metrics.k8s.io/v1beta2';
/** In seconds: rates are of the time between two looks. */
const period = 3;

function text(get, options) {
  return new Promise((resolve, reject) => {
    const request = get({ timeout: 2000, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${options.path} was answered ${response.statusCode}: ${body}`));
      });
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${options.path} was not answered within 2 s`)));
    request.on('error', reject);
  });
}

async function podsOf(labelSelector) {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(labelSelector)}`;
  const authorization = `Bearer ${readFileSync(`${account}/token`, 'utf8')}`;
  const options = { ...api, path, headers: { authorization }, ca: readFileSync(`${account}/ca.crt`) };
  const { items } = JSON.parse(await text(getByHttps, options));
  return items.filter(({ status }) => status.podIP !== undefined);
}

/** How often a proxy has asked each pod, by its address. */
function countsIn(served) {
  const counts = new Map();
  for (const [, address, count] of served.matchAll(/^fairlead_peer_requests_total\{.*peer="([^"]+):\d+"\} (\d+)$/gm)) {
    counts.set(address, (counts.get(address) ?? 0) + Number(count));
  }
  return counts;
}

/** What each proxy had counted at the last look. */
let last = new Map();
/** Requests a second by the address of the pod; undefined until proxies were asked twice. */
let rates;

async function look() {
  const seen = new Map();
  for (const { status } of await podsOf('app.kubernetes.io/component=proxy')) {
    const options = { host: status.podIP, port: metricsPort, path: '/metrics' };
    // One that starts or ends.
    const served = await text(getByHttp, options).catch(() => undefined);
    if (served !== undefined) seen.set(status.podIP, { at: performance.now(), counts: countsIn(served) });
  }
  const sums = new Map();
  for (const [proxy, { at, counts }] of seen) {
    const earlier = last.get(proxy);
    if (earlier === undefined) continue;
    for (const [address, count] of counts) {
      const more = count - (earlier.counts.get(address) ?? 0);
      sums.set(address, (sums.get(address) ?? 0) + (more * 1000) / (at - earlier.at));
    }
  }
  if (last.size > 0) rates = sums;
  last = seen;
}

async function metrics(labelSelector) {
  const timestamp = new Date().toISOString();
  const items = (await podsOf(labelSelector)).map(({ metadata: { name }, status }) => ({
    describedObject: { kind: 'Pod', apiVersion: '/v1', namespace, name },
    metric: { name: metric, selector: null },
    timestamp,
    windowSeconds: period,
    value: `${Math.max(0, Math.round(1000 * (rates.get(status.podIP) ?? 0)))}m`,
  }));
  return { kind: 'MetricValueList', apiVersion: groupVersion, metadata: {}, items };
}

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [{ name: `pods/${metric}`, singularName: '', namespaced: true, kind: 'MetricValueList', verbs: ['get'] }],
};

async function answerTo(path, query) {
  if (path === '/readyz') return rates === undefined ? [503, {}] : [200, {}];
  if (path === `/apis/${groupVersion}`) return [200, resources];
  if (path === `/apis/${groupVersion}/namespaces/${namespace}/pods/*/${metric}`) {
    return [200, await metrics(query.get('labelSelector') ?? '')];
  }
  return [404, failure(404, 'NotFound', `the stub knows nothing of ${path}`)];
}

function failure(code, reason, message) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

const pair = { cert: readFileSync('/certificate/tls.crt'), key: readFileSync('/certificate/tls.key') };
const server = createServer(pair, (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'https://stub');
  void answerTo(decodeURIComponent(pathname), searchParams)
    .catch((error) => [500, failure(500, 'InternalError', error.message)])
    .then(([status, value]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    });
});
server.listen(8443);
process.on('SIGTERM', () => process.exit());

for (;;) {
  await look().catch((error) => {
    console.error(error.message);
  });
  await delay(1000 * period);
}
