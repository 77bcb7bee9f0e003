import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, Node, quote } from '../directive';
import { backendsOf, isSplit, Plan } from '../plan';
import { encodedPath } from '../tls/last-good-certificate-section';

/** What nginx runs, to be put beside nginx.conf whenever `weightsFile` is given. */
export const liveWeightsScript = {
  name: 'live-weights.mjs',
  text: readFileSync(join(__dirname, 'live-weights.mjs'), 'utf8'),
} as const;

/** In seconds: how often nginx looks at the file. */
export const weightsInterval = 5;

/** Whether weights are read while nginx runs, and do not stand in nginx.conf. */
export function hasLiveWeights({ place, routes }: Plan): boolean {
  return place.weightsFile !== undefined && routes.some(isSplit);
}

/** Gives `$live_backend` of a request whose route several backends share. */
export function liveWeights(plan: Plan): Node[] {
  const { place, routes } = plan;
  if (!hasLiveWeights(plan)) return [];
  return [
    directive(`js_import live_weights from ${liveWeightsScript.name}`),
    directive('js_shared_dict_zone zone=weights:64k', 'known to all workers'),
    directive(`js_var $weights_file ${encodedPath('weightsFile', String(place.weightsFile))}`),
    ...routes.filter(isSplit).flatMap((route) => {
      const name = route.name.replaceAll('-', '_dash_');
      const most = mostWeights(route);
      return [
        directive(`js_var $backends_of_${name} ${quote('backends', backendsOf(route).join(' '))}`),
        ...(most.every((weight) => weight === 100)
          ? []
          : [
              directive(`js_var $most_weights_of_${name} ${quote('weights', most.join(' '))}`, 'what their pods carry'),
            ]),
      ];
    }),
    directive('js_set $live_backend live_weights.backend', 'by weights of a file: another weight needs no reload'),
  ];
}

function mostWeights({ target }: RouteModel): number[] {
  return target.kind === 'split' ? target.shares.map(({ mostWeight = 100 }) => mostWeight) : [];
}

/** In the server of the probes: what looks at the file. */
export function weightsLocation(plan: Plan): Directive[] {
  if (!hasLiveWeights(plan)) return [];
  return [
    block('location @weights', [
      directive(`js_periodic live_weights.check interval=${weightsInterval}s`, 'in one worker; first at once'),
    ]),
  ];
}
