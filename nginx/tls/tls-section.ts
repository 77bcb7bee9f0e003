import { block, directive, Directive, heading, Node, quoteWithVariables } from '../directive';
import { errorLocation } from '../error-answer';
import { Plan } from '../plan';
import { certificateDirectory, namedCertificates } from './certificate-names';
import { lastGoodCertificate } from './last-good-certificate-section';

/** The first that a client has is taken. */
export const keyExchangeGroups = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'] as const;

/** Mozilla's "intermediate", for TLS 1.2; TLS 1.3 has its own. @see https://ssl-config.mozilla.org/guidelines/5.7.json */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** Certificates and keys that a worker keeps: the pairs that are served, and those before them. */
const cachedFiles = 4;

export function tlsSection(plan: Plan): Node[] {
  const { proxy, place, certificates } = plan;
  return [
    heading("TLS: Mozilla's intermediate configuration"),
    directive('ssl_protocols TLSv1.2 TLSv1.3', "nginx's default, said because auditors look for it"),
    directive(`ssl_ciphers ${ciphers.join(':')}`, 'forward secrecy and authenticated encryption only'),
    directive(`ssl_ecdh_curve ${keyExchangeGroups.join(':')}`, 'post-quantum key exchange first'),
    directive('ssl_session_cache shared:tls:10m', 'resumption for some 40,000 sessions, shared by the workers'),
    directive('ssl_session_timeout 1d'),
    directive('ssl_session_tickets off', 'their key would never change while nginx runs'),
    ...askedCertificate(plan),
    ...(place.certificateStore === undefined ? givenCertificates(plan) : lastGoodCertificate(plan)),
    directive(
      `ssl_certificate_cache max=${cachedFiles * (certificates.length + 1)} valid=${proxy.timeline.certificateValid}s inactive=1h`,
      place.certificateStore === undefined
        ? 'not read for every handshake; this is how long a renewed one waits'
        : 'not read for every handshake; a renewed one has another path, and does not wait',
    ),
  ];
}

/** What a map would not take for a value. @see https://nginx.org/en/docs/http/ngx_http_map_module.html#map */
const isMapParameter = /^(?:default|hostnames|include|volatile)$/;

/** Gives `$certificate`: what the certificate is called that a connection was given, where there are several. */
function askedCertificate({ certificates }: Plan): Node[] {
  if (certificates.length === 1) return [];
  const names = namedCertificates(certificates).flatMap(({ name, hosts }) =>
    hosts.map((host) => [host, name] as const),
  );
  return [
    block(
      'map $ssl_server_name $certificate',
      [
        directive('hostnames', 'without the dot at the end'),
        ...names.map(([host, name]) => directive(`${isMapParameter.test(host) ? '\\' : ''}${host} "${name}"`)),
      ],
      'whose certificate a client was shown; empty is that of the proxy',
    ),
  ];
}

/** What the directories hold, be it good or bad. */
function givenCertificates({ place, certificates }: Plan): Node[] {
  return certificates.map(({ name }) => {
    const [option, path] =
      name === undefined
        ? (['certificateDirectory', place.certificateDirectory] as const)
        : (['hostCertificatesDirectory', `${place.hostCertificatesDirectory}/${name}`] as const);
    return block(
      `map $ssl_server_name ${certificateDirectory(name)}`,
      [directive(`default ${quoteWithVariables(option, path)}`)],
      name === undefined
        ? 'a path by variable is read again when it changes: a renewed certificate needs no reload'
        : 'by a name of its own: no session of another certificate is resumed',
    );
  });
}

/** In each server that ends TLS. */
export function certificateDirectives(name?: string, directory = certificateDirectory(name)): Directive[] {
  return [directive(`ssl_certificate ${directory}/tls.crt`), directive(`ssl_certificate_key ${directory}/tls.key`)];
}

/**
 * In the server of a host: a client may send requests for it on a connection for another one, if that one's certificate names both. A
 * client that was shown another certificate is told to connect anew.
 */
export function refuseOtherCertificate({ certificates }: Plan, name: string | undefined): Directive[] {
  if (certificates.length === 1) return [];
  return [
    block(
      `if ($certificate != "${name ?? ''}")`,
      [directive('return 421')],
      'a connection that was shown another certificate is not for this host (RFC 9110, 15.5.20)',
    ),
    directive('error_page 421 @misdirected_request', 'a named location, which does not come by here again'),
  ];
}

/** Where the server has `refuseOtherCertificate`. */
export function otherCertificateLocation({ certificates }: Plan): Directive[] {
  return certificates.length === 1 ? [] : [errorLocation('misdirected_request', 421, 'Misdirected Request')];
}
