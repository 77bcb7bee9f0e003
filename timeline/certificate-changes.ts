import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { figures } from './kubernetes-figures';
import { after, exactly, upTo } from './range';

export function certificateChanges({ timeline: { certificateValid }, certificateInterval }: Configuration): Chain {
  const served = after(figures.secretSync.range, upTo(certificateInterval));
  const movedBy = [figures.secretSync, option('certificateValid', certificateValid)];
  return {
    title: 'A certificate changes',
    beginning: 'the Secret is changed',
    steps: [
      { at: exactly(0), what: 'The proxies serve the certificate that they have', movedBy: [] },
      {
        at: figures.secretSync.range,
        what: 'The kubelet brings it into a pod of nginx, to each at a time of its own',
        movedBy: [figures.secretSync],
      },
      {
        at: served,
        what: `The first handshake with it: nginx looks every ${certificateInterval} s (certificateValid, if that is shorter than 5 s), and serves it if it is good`,
        movedBy,
        moment: 'certificate-changes.first-handshake',
      },
      {
        at: served,
        what: 'Every proxy serves it; connections that are open stay as they are',
        movedBy,
        moment: 'certificate-changes.every-proxy',
      },
    ],
  };
}
