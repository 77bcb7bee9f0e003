import { type AccessLogOptions, LogField } from '../../../model/access-log/options';
import { newBackend, newProxy, newShop, nginxConfOf, objectsAround } from '../manifests';

function proxyWith(accessLog?: AccessLogOptions, traceContext = false) {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', { ...(accessLog === undefined ? {} : { accessLog }), traceContext });
  edge.addRoute('/', newBackend(shop, 'orders'));
  return { shop, edge };
}

function conf(accessLog?: AccessLogOptions): string {
  return nginxConfOf(objectsAround(proxyWith(accessLog).shop));
}

test('what is logged by default is the same where it is said', () => {
  expect(conf({})).toBe(conf());
  expect(conf({ omit: [], add: {}, sample: 1, slow: '5s' })).toBe(conf());
});

test('fields with which a line might not fit are refused by the proxy, with the sum', () => {
  const add = {
    tenant: LogField.requestHeader('X-Tenant'),
    trace: LogField.responseHeader('X-Trace', { maxLength: 300 }),
  };
  expect(() => proxyWith({ add }).edge.model).toThrow(
    'shop/edge accessLog.add: "4224 bytes" is what a line may take (3473 of documented fields, 140 of tenant, 611 of trace), and a pipe takes no more than 4096 in one piece',
  );
  expect(() => proxyWith({ add, omit: ['user_agent'] }).edge.model).not.toThrow();
});

test('the id of a trace takes some of the room for other fields', () => {
  const add = { trace: LogField.responseHeader('X-Trace', { maxLength: 306 }) };
  expect(() => proxyWith({ add }).edge.model).not.toThrow();
  expect(() => proxyWith({ add }, true).edge.model).toThrow(
    'shop/edge accessLog.add: "4142 bytes" is what a line may take (3519 of documented fields, 623 of trace), and a pipe takes no more than 4096 in one piece',
  );
});

test('nginx is told what is left out, added and sampled', () => {
  const text = conf({
    omit: ['client', 'protocol', 'user_agent'],
    add: {
      tenant: LogField.requestHeader('X-Tenant', { maxLength: 36 }),
      user: LogField.responseHeader('X-User'),
      plan: LogField.cookie('Plan'),
      page: LogField.query('page', { maxLength: 8 }),
    },
    sample: 0.07,
    slow: '1500ms',
  });
  for (const left of ['"client":', '"protocol":', '$cut_protocol', '$cut_user_agent', '$http_user_agent']) {
    expect(text).not.toContain(left);
  }
  for (const line of [
    'map "$status $request $host \\"$http_x_tenant \\"$upstream_http_x_user \\"$exact_cookie__plan \\"$exact_query_page" $unusual {',
    '7% 1;',
    'map "$status $request_completion $took_long $upstream_status" $sample {',
    '"~^[1-3]\\d\\d OK 0 (?:[1-3]\\d\\d)?$" 0.07;',
    `,"tls":"$ssl_protocol","reason":"$reason","sample":$sample,"tenant":"$http_x_tenant","user":"$upstream_http_x_user","plan":"$exact_cookie__plan","page":"$exact_query_page"}';`,
    `,"tenant":"$cut_added_tenant","user":"$cut_added_user","plan":"$cut_added_plan","page":"$cut_added_page"}';`,
  ]) {
    expect(text).toContain(line);
  }
});
