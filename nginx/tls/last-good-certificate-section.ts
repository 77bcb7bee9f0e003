import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Timeline } from '../../model/timeline';
import { block, Directive, directive, heading, Node, quote } from '../directive';
import { PlaceModel } from '../place';
import { Plan } from '../plan';
import { certificateDirectory, namedCertificates } from './certificate-names';

/** What nginx runs, to be put beside nginx.conf whenever `certificateStore` is given. */
export const lastGoodCertificateScript = {
  name: 'last-good-certificate.mjs',
  text: readFileSync(join(__dirname, 'last-good-certificate.mjs'), 'utf8'),
} as const;

/** In seconds: how often nginx looks at the pair. */
export function certificateInterval({ certificateValid }: Timeline): number {
  return Math.min(5, certificateValid);
}

/** The module that runs our scripts. */
export function njsModule(
  { certificateStore, weightsFile, metrics, modulesDirectory }: PlaceModel,
  hasOtherScripts: boolean,
): Node[] {
  if (certificateStore === undefined && weightsFile === undefined && metrics === undefined && !hasOtherScripts) {
    return [];
  }
  const path = quote('modulesDirectory', `${modulesDirectory}/ngx_http_js_module.so`);
  const reason =
    metrics === undefined
      ? 'njs, which keeps the last good certificate, and reads weights'
      : 'njs, which keeps the last good certificate, reads weights, and counts requests';
  return [directive(`load_module ${path}`, reason)];
}

/** Gives `$certificate_directory`, and that of each other certificate. */
export function lastGoodCertificate(plan: Plan): Node[] {
  const { certificateStore, certificateDirectory: secret } = plan.place;
  if (certificateStore === undefined) return [];
  const { directory, checkPort } = certificateStore;
  return [
    directive(`js_import last_good_certificate from ${lastGoodCertificateScript.name}`),
    directive(
      `js_shared_dict_zone zone=certificate:${zoneKilobytes(plan)}k ${quote('certificateStore', `state=${directory}/state.json`)}`,
      'what is served, known to all workers, and to the next start of the container',
    ),
    directive(`js_var $certificate_secret ${encodedPath('certificateDirectory', secret)}`),
    directive(`js_var $certificate_store ${encodedPath('certificateStore', directory)}`),
    directive(`js_var $certificate_check_port ${checkPort}`),
    directive(
      'js_set $certificate_directory last_good_certificate.directory',
      'the last pair that proved good: a Secret that breaks takes nothing away',
    ),
    directive('js_set $candidate_directory last_good_certificate.candidateDirectory'),
    directive('js_set $certificate_is_good last_good_certificate.isGood'),
    ...lastGoodOfHosts(plan),
  ];
}

/** What it takes to keep what is known of each certificate. */
function zoneKilobytes({ certificates }: Plan): number {
  return 64 + 2 * (certificates.length - 1);
}

function lastGoodOfHosts({ place, certificates }: Plan): Node[] {
  const { certificateStore, hostCertificatesDirectory } = place;
  const named = namedCertificates(certificates);
  if (certificateStore === undefined || named.length === 0) return [];
  return [
    directive(
      `js_var $host_certificates ${encodedPath('hostCertificatesDirectory', hostCertificatesDirectory)}`,
      'Secrets of hosts that have a certificate of their own',
    ),
    ...named.map(({ name }, index) => directive(`js_var $host_certificate_${index + 1} ${name}`)),
    directive(`js_var $host_certificate_patience ${certificateStore.patience}`, 'in seconds'),
    directive(
      'js_set $host_certificate_is_awaited last_good_certificate.isAwaited',
      'one without a good pair keeps a new proxy back, but not for ever',
    ),
    ...named.map(({ name }, index) =>
      directive(
        `js_set ${certificateDirectory(name)} last_good_certificate.directoryOfHost`,
        index === 0 ? 'by a name of its own: no session of another certificate is resumed' : undefined,
      ),
    ),
  ];
}

/** Serves the pair that is to be proved, to nginx alone. */
export function certificateCheckServer({ certificateStore }: PlaceModel): Node[] {
  if (certificateStore === undefined) return [];
  const log = quote('certificateStore', `${certificateStore.directory}/check.log`);
  return [
    heading('Server: proves a new certificate before it is served'),
    block('server', [
      directive(`listen 127.0.0.1:${certificateStore.checkPort} ssl`, 'nothing outside the pod reaches it'),
      directive('ssl_certificate $candidate_directory/tls.crt'),
      directive('ssl_certificate_key $candidate_directory/tls.key'),
      directive('ssl_certificate_cache off', 'each is read once'),
      directive(`error_log ${log} info`, "OpenSSL's reason, which the one line in the log quotes"),
      directive('access_log off'),
      directive('return 204'),
    ]),
  ];
}

/** In the server of the probes: what looks at the Secret, and what says how it is. */
export function certificateLocations({ proxy, place }: Plan): Directive[] {
  if (place.certificateStore === undefined) return [];
  const interval = certificateInterval(proxy.timeline);
  return [
    block(
      'location = /certificate',
      [
        directive('allow 127.0.0.1'),
        directive('allow ::1'),
        directive('deny all', 'kubectl exec and port-forward come from inside the pod'),
        directive('js_content last_good_certificate.report'),
      ],
      'what is served, what was refused',
    ),
    block('location @certificate_check', [
      directive(`js_periodic last_good_certificate.check interval=${interval}s`, 'in one worker; first at once'),
      directive(`js_fetch_timeout ${interval * 1000 - 500}ms`, 'ends before the next begins'),
      directive('js_fetch_verify off', 'the handshake matters, not who signed'),
    ]),
  ];
}

/** In the location that makes a new proxy take its part: one of several certificates is waited for, and then done without. */
export function awaitHostCertificates({ place, certificates }: Plan): Directive[] {
  if (place.certificateStore === undefined || certificates.length === 1) return [];
  return [
    block(
      'if ($host_certificate_is_awaited)',
      [directive('return 503')],
      'an older proxy may still have a good one of it',
    ),
  ];
}

/** In the locations that make a pod ready. */
export function refuseWithoutGoodCertificate({ certificateStore }: PlaceModel): Directive[] {
  if (certificateStore === undefined) return [];
  return [block('if ($certificate_is_good = "")', [directive('return 503')], 'never ready with a bad pair')];
}

/** Without `$`, which nginx would read as a variable; the script decodes it. */
export function encodedPath(option: string, path: string): string {
  return quote(option, encodeURI(path).replaceAll('$', '%24'));
}
