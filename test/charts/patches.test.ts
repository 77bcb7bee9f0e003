import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, JsonPatch } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { IConstruct } from 'constructs';
import { Certificate } from '../../charts/proxy/certificate';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { onTestFinished } from '../afterwards';
import { besideKeyPair } from './options/every-option';
import { find, type Manifest, props, synthesize } from './manifests';

/** The objects of an API, with patches on one of its constructs. */
function patched(construct: (api: LoadBalancedApi) => IConstruct | undefined, ...patches: JsonPatch[]): Manifest[] {
  return synthesize({}, (api) => {
    const changed = construct(api);
    if (changed === undefined) throw new Error('there is nothing to patch');
    ApiObject.of(changed).addJsonPatch(...patches);
  });
}

const podSpec = '/spec/template/spec';

describe('A JSON patch comes out as it is written', () => {
  test.each<
    [
      what: string,
      construct: (api: LoadBalancedApi) => IConstruct | undefined,
      kind: string,
      path: string,
      value: unknown,
    ]
  >([
    [
      'ports of a NetworkPolicy',
      (api) => api.backend.networkPolicy,
      'NetworkPolicy',
      '/spec/ingress',
      [{ ports: [{ port: 3001, protocol: 'TCP' }] }],
    ],
    [
      'an amount of memory',
      (api) => api.backend.deployment,
      'Deployment',
      `${podSpec}/containers/0/resources/limits/memory`,
      '1Gi',
    ],
    ['a target port', (api) => api.backend.headlessService, 'Service', '/spec/ports/0/targetPort', 3001],
    [
      'an average of a metric',
      (api) => api.backend.autoscaler,
      'HorizontalPodAutoscaler',
      '/spec/metrics/-',
      {
        type: 'Pods',
        pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '100' } },
      },
    ],
    [
      'a number of pods more',
      (api) => api.backend.deployment,
      'Deployment',
      '/spec/strategy/rollingUpdate/maxSurge',
      2,
    ],
    [
      'a field newer than Kubernetes 1.27',
      (api) => api.backend.deployment,
      'Deployment',
      `${podSpec}/resourceClaims`,
      [{ name: 'gpu', resourceClaimName: 'gpu' }],
    ],
    [
      'a field that no Kubernetes has',
      (api) => api.backend.disruptionBudget,
      'PodDisruptionBudget',
      '/spec/a~1b',
      { 'c/d': [null, true] },
    ],
  ])('%s', (_what, construct, kind, path, value) => {
    const manifest = find(patched(construct, JsonPatch.add(path, value)), kind, 'orders');
    const found = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/'))
      .reduce<unknown>(
        (parent, key) => (key === '-' ? (parent as unknown[]).at(-1) : (parent as Record<string, unknown>)[key]),
        manifest,
      );
    expect(found).toEqual(value);
  });

  test('on a native sidecar that was added before', () => {
    const manifests = synthesize({}, (api) => {
      api.backend.deployment.addInitContainer({ name: 'logs', image: 'logs:1' });
      ApiObject.of(api.backend.deployment).addJsonPatch(
        JsonPatch.add(`${podSpec}/initContainers/0/restartPolicy`, 'Always'),
      );
    });
    expect(find(manifests, 'Deployment', 'orders')).toMatchObject({
      spec: { template: { spec: { initContainers: [{ name: 'logs', restartPolicy: 'Always' }] } } },
    });
  });

  test('with the classes of cdk8s-plus-27 too', () => {
    const manifests = patched(
      (api) => api.backend.deployment,
      JsonPatch.replace('/spec/strategy/rollingUpdate', {
        maxSurge: k8s.IntOrString.fromString('50%'),
        maxUnavailable: k8s.IntOrString.fromNumber(0),
      }),
      JsonPatch.add(`${podSpec}/containers/0/resources/limits`, { cpu: k8s.Quantity.fromString('3') }),
    );
    expect(find(manifests, 'Deployment', 'orders').spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
      template: { spec: { containers: [{ resources: { limits: { cpu: '3' } } }] } },
    });
  });

  test('one after the other, whatever they do', () => {
    const manifests = patched(
      (api) => api.backend.headlessService,
      JsonPatch.test('/spec/clusterIP', 'None'),
      JsonPatch.add('/spec/ports/-', { name: 'metrics', port: 9000 }),
      JsonPatch.copy('/spec/ports/1', '/spec/ports/2'),
      JsonPatch.replace('/spec/ports/2/name', 'more'),
      JsonPatch.move('/spec/publishNotReadyAddresses', '/spec/was'),
      JsonPatch.remove('/spec/was'),
    );
    const { ports } = find(manifests, 'Service', 'orders').spec as { ports: { name: string }[] };
    expect(ports.map(({ name }) => name)).toEqual(['http', 'metrics', 'more']);
  });
});

describe('A JSON patch is refused', () => {
  test.each<[what: string, patch: JsonPatch, message: string]>([
    [
      'that replaces what is not there',
      JsonPatch.replace('/spec/replica', 3),
      'orders/orders/orders/Service, JSON patch: "/spec/replica" does not apply: "/spec/replica" is not in what is written: give a path that is, as kubectl apply would get it',
    ],
    [
      'that removes what is not there',
      JsonPatch.remove('/spec/ports/1'),
      'orders/orders/orders/Service, JSON patch: "/spec/ports/1" does not apply: "/spec/ports/1" is not in what is written: give a path that is, as kubectl apply would get it',
    ],
    [
      'that adds to what is not there',
      JsonPatch.add('/spec/template/spec/nodeName', 'a'),
      'orders/orders/orders/Service, JSON patch: "/spec/template/spec/nodeName" does not apply: "/spec/template/spec" is not in what is written: give a path that is, as kubectl apply would get it',
    ],
    [
      'that copies what is not there',
      JsonPatch.copy('/spec/port', '/spec/ports/0'),
      'orders/orders/orders/Service, JSON patch: "/spec/ports/0" does not apply: "/spec/port" is not in what is written: give a path that is, as kubectl apply would get it',
    ],
    [
      'with a value of a class that JSON has not',
      JsonPatch.add('/spec/since', new Date(0)),
      'orders/orders/orders/Service, JSON patch: "/spec/since" has a value that JSON cannot carry (Date): give text, a number, true, false, null, a list or an object of these',
    ],
    [
      'without a value',
      JsonPatch.add('/spec/since', undefined),
      'orders/orders/orders/Service, JSON patch: "/spec/since" has no value: give text, a number, true, false, null, a list or an object of these',
    ],
  ])('%s', (_what, patch, message) => {
    expect(() => patched((api) => api.backend.headlessService, patch)).toThrow(message);
  });

  test('with all others that do not apply, before anything is written', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'fairlead-patches-'));
    onTestFinished(() => {
      rmSync(outdir, { recursive: true });
    });
    const app = new App({ outdir });
    for (const name of ['orders', 'users']) {
      const { backend } = new LoadBalancedApi(app, name, props());
      const wrong = [JsonPatch.remove('/spec/a'), JsonPatch.replace('/spec/b', 1)];
      ApiObject.of(backend.deployment).addJsonPatch(JsonPatch.add('/spec/minReadySeconds', 5), ...wrong);
    }
    const said = ['orders/orders/orders', 'users/users/users'].flatMap((path) =>
      ['a', 'b'].map((name) => `[${path}/Deployment] ${path}/Deployment, JSON patch: "/spec/${name}" does not apply`),
    );
    let message = '';
    try {
      app.synth();
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message.split('\n  ').slice(1)).toEqual(said.map((line) => expect.stringContaining(line) as string));
    expect(readdirSync(outdir)).toEqual([]);
  });
});

describe('Every object of an API', () => {
  besideKeyPair();

  test('can be patched with whatever there is', () => {
    const app = new App();
    new LoadBalancedApi(
      app,
      'orders',
      props({ certificate: Certificate.fromFiles({ certificate: 'tls.crt', privateKey: 'tls.key' }) }),
    );
    const objects = app.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
    for (const object of objects) {
      object.addJsonPatch(JsonPatch.add('/metadata/x', { y: 1 }));
      expect(object.toJson()).toMatchObject({ metadata: { x: { y: 1 } } });
    }
    expect(objects).toHaveLength(16);
  });
});
