import { externalServiceModel, type ExternalTls } from '../../../model/routes/external-service';

const tls: ExternalTls = { serverName: 'a.example.com', certificateAuthority: undefined };

test.each<[string, number, ExternalTls | undefined, number, string, number]>([
  ['a.example.com', 80, undefined, 5, 'http_a.example.com_80', 4],
  ['a.example.com', 80, undefined, 65, 'http_a.example.com_80_65s', 60],
  ['a.example.com', 443, tls, 5, 'https_a.example.com_443', 4],
  ['a.example.com', 443, { ...tls, certificateAuthority: 'own-ca' }, 5, 'https_a.example.com_443_ca_own-ca', 4],
  ['a.example.com', 443, { ...tls, certificateAuthority: 'own-ca' }, 30, 'https_a.example.com_443_30s_ca_own-ca', 25],
  ['[2001:db8::1]', 8080, undefined, 5, 'http_v6_2001-db8--1_8080', 4],
])('what is at %s:%i has a name by all that tells it from others: %#', (...given) => {
  const [host, port, own, keepAliveTimeout, name, upstreamKeepAliveTimeout] = given;
  const where = { host, port, isFollowed: true, tls: own, keepAliveTimeout };
  expect(externalServiceModel(where)).toEqual({ ...where, name, upstreamKeepAliveTimeout });
});
