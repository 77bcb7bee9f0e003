import { nginxConf } from '../../nginx/nginx-conf';
import { withKeepaliveTime } from '../../reliability/clients/keepalive-time';
import { proxyModel, somePlace } from '../nginx/support/models';
import { testConfiguration } from '../nginx/support/real-nginx';

const fallback = 'api-cluster-ip.orders.svc.cluster.local:3000';

test("the rendered configuration gets a keepalive_time for clients, and keeps that to the API's own Service", async () => {
  const given = nginxConf(proxyModel({ backends: [{ fallback }] }), somePlace());
  const changed = withKeepaliveTime(given, 20);
  expect(new Set(changed.match(/keepalive_time \d+s;/g))).toEqual(
    new Set(['keepalive_time 1s;', 'keepalive_time 20s;']),
  );
  await testConfiguration(changed);
});

test('a keepalive_time that a configuration has is replaced, wherever it stands', () => {
  const conf = (time: string, another: string): string =>
    `http {\n  keepalive_time ${time};  # long\n  server {\n    keepalive_time ${another};\n  }\n}\n`;
  for (const [time, another] of [
    ['1d', '1h'],
    ['86400s', '600s'],
    ['86400', '60m'],
  ] as const) {
    expect(withKeepaliveTime(conf(time, another), 20)).toBe(conf('20s', '20s'));
  }
});

test('another text is refused', () => {
  expect(() => withKeepaliveTime('events {}\n', 20)).toThrow('has no line "http {"');
});
