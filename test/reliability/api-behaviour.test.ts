import { failingPod } from '../../reliability/scenarios/api-behaviour';

/** What `kubectl get deployment/api --output=json` gives, as far as it is looked at. */
function deployment(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({ metadata: { namespace: 'orders' }, spec: { template: { metadata: { labels } } } });
}

test('the failing instance has the labels of the pods of the API, whatever its id is', () => {
  const labels = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'orders', team: 'blue' };
  expect(failingPod('api-failing', deployment(labels))).toMatchObject({
    kind: 'Pod',
    metadata: { name: 'api-failing', namespace: 'orders', labels: { ...labels, 'fairlead-reliability': 'extra' } },
  });
});
