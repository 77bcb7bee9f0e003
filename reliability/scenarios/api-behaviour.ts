import { setTimeout as delay } from 'node:timers/promises';
import { isReady } from '../../cluster/pods';
import { extra } from '../reliability-cluster';
import type { Scenario } from '../scenario';
import { rolled } from './rollouts';

/** Answers like the example API, but 500 to every second request; its probes are well. */
const failingServer = `
const { createServer } = require('node:http');
const { hostname } = require('node:os');
let count = 0;
const server = createServer((request, response) => {
  const probe = ['/livez', '/readyz'].includes(request.url);
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    response.statusCode = probe || (count += 1) % 2 === 0 ? 200 : 500;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ hostname: hostname(), body }));
  });
});
server.keepAliveTimeout = 65000;
server.listen(3000);
process.on('SIGTERM', () => process.exit());
`;

/** A pod that the Service takes for one of the API's, and that no ReplicaSet owns. Takes the API's Deployment as JSON. */
export function failingPod(name: string, deployment: string): object {
  const { metadata, spec } = JSON.parse(deployment) as {
    readonly metadata: { readonly namespace: string };
    readonly spec: { readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } } };
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: metadata.namespace, labels: { ...spec.template.metadata.labels, ...extra } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 30,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'api',
          image: 'fairlead-api:dev',
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', failingServer],
          ports: [{ name: 'http', containerPort: 3000 }],
          lifecycle: { preStop: { sleep: { seconds: 8 } } },
          readinessProbe: { httpGet: { path: '/readyz', port: 3000 }, periodSeconds: 1 },
          resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
    },
  };
}

const slowStart = { command: ['sh', '-c', 'sleep 20; exec node lib/main.js'] };

/** A JSON patch of the Deployment: what main.ts says of its health check may be a path or a group of them. */
const neverReady = [
  { op: 'replace', path: '/spec/template/spec/containers/0/readinessProbe/httpGet/path', value: '/no-such-path' },
];

export const apiBehaviour: readonly Scenario[] = [
  {
    name: 'api-fails-every-second-request',
    title: 'one of five instances answers 500 to every second request',
    group: 'faults',
    description:
      "A fifth instance whose probes are well fails half of its requests. Its 500 is the API's own answer, which no proxy may hide or repeat.",
    reaches: 'nothing lost',
    needsExampleApi: true,
    act: async (context) => {
      const { workloads } = context;
      const name = 'api-failing';
      context.event('the failing instance begins');
      await workloads.kubectl.run(['apply', '--filename=-'], {
        input: JSON.stringify(
          failingPod(name, await workloads.run('get', workloads.deployment('api'), '--output=json')),
        ),
        signal: context.system.signal,
      });
      await workloads.run('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=2m');
      context.event('it is ready');
      await delay(15_000, undefined, { signal: context.system.signal });
      context.event('it is deleted');
      await workloads.run('delete', 'pod', name);
      context.endOfCause('it is gone');
      const own = context.load.requests.filter(({ status }) => status === 500);
      context.note("the API's own 500", `${own.length} of ${context.load.requests.length} answers`);
      context.judge('the failing instance is asked', own.length > 0);
    },
  },
  {
    name: 'api-slow-to-start',
    title: 'rollout of an API that takes 20 s to start',
    group: 'faults',
    description: 'Its command sleeps before it begins; no old pod is let go before its successor is ready.',
    reaches: 'nothing lost',
    needsExampleApi: true,
    applies: [slowStart],
    act: async (context) => {
      context.event('applied');
      await context.system.apply(slowStart);
      await rolled(context, 'api');
    },
  },
  {
    name: 'api-never-ready',
    title: 'rollout of an API that never gets ready',
    group: 'faults',
    description:
      'Its readiness probe asks a path that answers 404. The rollout stops, the old pods serve, and it is rolled back.',
    reaches: 'nothing lost',
    act: async (context) => {
      const { workloads } = context;
      const before = (await workloads.pods('api')).map(({ metadata }) => metadata.name);
      context.event('patched');
      await workloads.run('patch', workloads.deployment('api'), '--type=json', `--patch=${JSON.stringify(neverReady)}`);
      await workloads.podsUntil('api', 'a new pod', (pods) => (pods.length > before.length ? true : undefined));
      await delay(20_000, undefined, { signal: context.system.signal });
      const ready = (await workloads.pods('api')).filter(isReady).map(({ metadata }) => metadata.name);
      context.judge('the old pods are those that serve', ready.sort().join() === before.sort().join());
      context.event('rolled back');
      await workloads.undo('api');
      await rolled(context, 'api');
    },
  },
];
