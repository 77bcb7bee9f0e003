import { block, directive, heading, Node, quoteWithVariables } from '../directive';
import { PlaceModel } from '../place';
import { Plan } from '../plan';
import { lastGoodCertificate } from './last-good-certificate-section';

/** Mozilla's "intermediate", for TLS 1.2; TLS 1.3 has its own. @see https://ssl-config.mozilla.org/guidelines/5.7.json */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

export function tlsSection({ proxy, place }: Plan): Node[] {
  return [
    heading("TLS: Mozilla's intermediate configuration"),
    directive('ssl_protocols TLSv1.2 TLSv1.3', "nginx's default, said because auditors look for it"),
    directive(`ssl_ciphers ${ciphers.join(':')}`, 'forward secrecy and authenticated encryption only'),
    directive('ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1:secp384r1', 'post-quantum key exchange first'),
    directive('ssl_session_cache shared:tls:10m', 'resumption for some 40,000 sessions, shared by the workers'),
    directive('ssl_session_timeout 1d'),
    directive('ssl_session_tickets off', 'their key would never change while nginx runs'),
    ...(place.certificateStore === undefined ? givenCertificate(place) : lastGoodCertificate(place)),
    directive(
      `ssl_certificate_cache max=8 valid=${proxy.timeline.certificateValid}s inactive=1h`,
      place.certificateStore === undefined
        ? 'not read for every handshake; this is how long a renewed one waits'
        : 'not read for every handshake; a renewed one has another path, and does not wait',
    ),
  ];
}

/** What the directory holds, be it good or bad. */
function givenCertificate({ certificateDirectory }: PlaceModel): Node[] {
  return [
    block(
      'map $ssl_server_name $certificate_directory',
      [directive(`default ${quoteWithVariables('certificateDirectory', certificateDirectory)}`)],
      'a path by variable is read again when it changes: a renewed certificate needs no reload',
    ),
  ];
}

/** In each server that ends TLS. */
export function certificateDirectives(): Node[] {
  return [
    directive('ssl_certificate $certificate_directory/tls.crt'),
    directive('ssl_certificate_key $certificate_directory/tls.key'),
  ];
}
