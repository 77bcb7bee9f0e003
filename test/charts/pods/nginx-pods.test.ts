import type { ProxyResources } from '../../../charts/proxy/nginx-proxy-props';
import { containerOf, find, nginxConfOf, podSpecOf, synthesize } from '../manifests';

describe('The pods of nginx', () => {
  test('run stock nginx as its own user, with the configuration, the certificate and a place to write', () => {
    const manifests = synthesize();
    expect(containerOf(manifests, 'nginx')).toMatchObject({
      name: 'nginx',
      image: 'nginx:1.30',
      ports: [
        { name: 'http', containerPort: 8080 },
        { name: 'https', containerPort: 8443 },
        { name: 'probe', containerPort: 8444 },
      ],
      command: ['nginx', '-c', '/etc/nginx/nginx.conf'],
      securityContext: { runAsUser: 101, runAsGroup: 101 },
    });
    expect(podSpecOf(manifests, 'nginx').securityContext).toMatchObject({ runAsUser: 101, fsGroup: 101 });
    expect(containerOf(manifests, 'nginx').volumeMounts).toEqual([
      { name: 'config', mountPath: '/etc/nginx/nginx.conf', subPath: 'nginx.conf', readOnly: true },
      {
        name: 'config',
        mountPath: '/etc/nginx/last-good-certificate.mjs',
        subPath: 'last-good-certificate.mjs',
        readOnly: true,
      },
      { name: 'tls', mountPath: '/etc/nginx/tls', readOnly: true },
      { name: 'certificates', mountPath: '/run/certificates' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(podSpecOf(manifests, 'nginx').volumes).toEqual([
      expect.objectContaining({ name: 'config' }),
      { name: 'tls', secret: { secretName: 'orders-tls', defaultMode: 0o440 } },
      { name: 'certificates', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '676Mi' } },
    ]);
  });

  test('may run another image of nginx', () => {
    const image = 'registry.example.com/nginx:1.30.6';
    expect(containerOf(synthesize({ proxy: { image } }), 'nginx').image).toBe(image);
  });

  test('are asked over TLS, on the port of the probes', () => {
    expect(containerOf(synthesize(), 'nginx')).toMatchObject({
      startupProbe: {
        httpGet: { path: '/startup', port: 8444, scheme: 'HTTPS' },
        periodSeconds: 1,
        timeoutSeconds: 5,
      },
      readinessProbe: {
        httpGet: { path: '/healthz', port: 8444, scheme: 'HTTPS' },
        periodSeconds: 5,
        timeoutSeconds: 2,
        failureThreshold: 2,
      },
      livenessProbe: {
        httpGet: { path: '/healthz', port: 8444, scheme: 'HTTPS' },
        periodSeconds: 10,
        timeoutSeconds: 2,
        failureThreshold: 6,
      },
    });
  });

  test('are never killed for an API that they cannot reach', () => {
    expect(containerOf(synthesize(), 'nginx').startupProbe).toMatchObject({ failureThreshold: 2_147_483_647 });
  });

  test('have memory for their workers, one for each CPU that they may use', () => {
    const resourcesOf = (resources: ProxyResources): unknown =>
      containerOf(synthesize({ proxy: { resources } }), 'nginx').resources;
    expect(resourcesOf({})).toMatchObject({
      requests: { cpu: '250m', memory: '64Mi' },
      limits: { cpu: '2', memory: '768Mi' },
    });
    expect(resourcesOf({ cpu: { limit: '50m' } })).toMatchObject({ limits: { memory: '384Mi' } });
    expect(resourcesOf({ cpu: { limit: '3500m' } })).toMatchObject({ limits: { memory: '1536Mi' } });
    expect(resourcesOf({ cpu: { request: '8' } })).toMatchObject({ limits: { cpu: '8', memory: '3072Mi' } });
    expect(
      resourcesOf({ cpu: { request: '1', limit: '1' }, memory: { request: '100Mi', limit: '200Mi' } }),
    ).toMatchObject({ requests: { cpu: '1', memory: '100Mi' }, limits: { cpu: '1', memory: '200Mi' } });
  });

  test('may have as much on the disk of their node as /tmp holds', () => {
    expect(containerOf(synthesize(), 'nginx').resources).toMatchObject({
      requests: { 'ephemeral-storage': '64Mi' },
      limits: { 'ephemeral-storage': '740Mi' },
    });
    const given = synthesize({ proxy: { resources: { temporaryStorage: '2Gi' } } });
    expect(containerOf(given, 'nginx').resources.limits).toMatchObject({ 'ephemeral-storage': '2128Mi' });
    expect(podSpecOf(given, 'nginx').volumes).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '2064Mi' } });
  });

  test('have a worker for each CPU of a limit that follows from the request', () => {
    expect(nginxConfOf(synthesize({ proxy: { resources: { cpu: { request: '6' } } } }))).toContain(
      'worker_processes 6;',
    );
  });

  test('pull no image with the secrets of the API', () => {
    const manifests = synthesize({ pods: { imagePullSecrets: ['registry'] } });
    expect(podSpecOf(manifests, 'nginx')).not.toHaveProperty('imagePullSecrets');
  });

  test('are found by the Service that clients reach, on two ports and not on that of the probes', () => {
    const { spec } = find(synthesize(), 'Service', 'nginx');
    expect(spec).toMatchObject({
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
    });
    expect(JSON.stringify(spec)).not.toContain('8444');
  });
});
