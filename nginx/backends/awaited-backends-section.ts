import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendModel } from '../../model/proxy';
import { directive, Directive, quote } from '../directive';
import { Place } from '../place';
import { Plan } from '../plan';

/** What nginx runs, to be put beside nginx.conf where a new proxy waits for its backends. */
export const awaitedBackendsScript = {
  name: 'awaited-backends.mjs',
  text: readFileSync(join(__dirname, 'awaited-backends.mjs'), 'utf8'),
} as const;

/** Whether a new proxy waits for an instance of each backend; of a single one it has to reach an instance anyway. */
export function awaitsBackends(
  { certificateStore, backendPatience = 0 }: Pick<Place, 'backendPatience'> & { readonly certificateStore?: unknown },
  backends: readonly BackendModel[],
): boolean {
  return certificateStore !== undefined && backendPatience > 0 && backends.length > 1;
}

/** What the script knows: in front of the server of the probes. */
export function awaitedBackends({ place, backends }: Plan): Directive[] {
  if (place.certificateStore === undefined || !awaitsBackends(place, backends)) return [];
  const { directory } = place.certificateStore;
  const names = backends.map(({ name }) => name);
  return [
    directive(`js_import awaited_backends from ${awaitedBackendsScript.name}`),
    directive(
      `js_shared_dict_zone zone=startup:${zoneKilobytes(names)}k ${quote('certificateStore', `state=${directory}/startup.json`)}`,
      'who was reached, known to the next start of the container too',
    ),
    ...names.map((name, index) => directive(`js_var $awaited_backend_${index + 1} ${name}`)),
    directive(`js_var $backend_patience ${place.backendPatience}`, 'in seconds'),
  ];
}

/** Keys are names, of up to 63 letters. */
function zoneKilobytes(names: readonly string[]): number {
  return 32 + Math.ceil(names.length / 4);
}
