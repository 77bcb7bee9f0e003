import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { cluster, kubectl, suite } from './suite';

/** What its objects are called, and the namespace that has most of them. */
export const customMetricsStub = 'custom-metrics-stub';

/** The metric that it knows, of the pods of the suite's namespace. */
export const requestsPerSecond = 'http_requests_per_second';

const program = 'custom-metrics-stub-server.mjs';
const version = 'v1beta2';
const group = 'custom.metrics.k8s.io';

/**
 * Starts the stub (custom-metrics-stub-server.mjs) that answers autoscalers for prometheus-adapter, and resolves once the API server has it. It
 * scrapes proxies whose monitoring allows its namespace.
 */
export async function startCustomMetricsStub(): Promise<void> {
  await apply(objects());
  const namespace = `--namespace=${customMetricsStub}`;
  await kubectl.run(['rollout', 'status', `deployment/${customMetricsStub}`, namespace, '--timeout=5m']);
  // Only now: the API server would keep a connection that it made to the Service before there was anything behind it.
  await apply([
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: customMetricsStub, namespace: customMetricsStub },
      },
    },
  ]);
  await kubectl.run(['wait', `apiservice/${version}.${group}`, '--for=condition=Available', '--timeout=2m']);
}

export async function removeCustomMetricsStub(): Promise<void> {
  // First: while an API that nobody serves is listed, no namespace can be deleted.
  await kubectl.run(['delete', 'apiservice', `${version}.${group}`, '--ignore-not-found']);
  const namespace = `--namespace=${suite().namespace}`;
  await kubectl.run(['delete', 'role,rolebinding', customMetricsStub, namespace, '--ignore-not-found']);
  await kubectl.run(['delete', 'namespace', customMetricsStub, '--ignore-not-found', '--wait=false']);
}

async function apply(items: readonly object[]): Promise<void> {
  await kubectl.run(['apply', '--filename=-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}

function objects(): object[] {
  const name = customMetricsStub;
  const metadata = { name, namespace: name };
  const { namespace } = suite();
  const labels = { 'app.kubernetes.io/name': name };
  const pair = selfSignedKeyPair([`${name}.${name}.svc`], join(cluster.directory, name));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    // It knows pods by their addresses, as proxies do; autoscalers know them by name.
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name, namespace },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: name }],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { [program]: readFileSync(join(__dirname, program), 'utf8') },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': pair.certificate, 'tls.key': pair.privateKey },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            terminationGracePeriodSeconds: 1,
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                name: 'stub',
                // That of Node with the API on top: every worker has it already.
                image: 'fairlead-api:dev',
                imagePullPolicy: 'Never',
                command: ['node', `/program/${program}`],
                env: [
                  { name: 'METRIC', value: requestsPerSecond },
                  { name: 'NAMESPACE', value: namespace },
                  { name: 'METRICS_PORT', value: '9113' },
                ],
                readinessProbe: { httpGet: { path: '/readyz', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 },
                resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
                volumeMounts: [
                  { name: 'program', mountPath: '/program', readOnly: true },
                  { name: 'certificate', mountPath: '/certificate', readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: 'program', configMap: { name } },
              { name: 'certificate', secret: { secretName: name } },
            ],
          },
        },
      },
    },
  ];
}
