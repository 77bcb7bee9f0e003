import { Load, type LoadOptions } from '../../../load/load';
import { httpsUrl, servedCertificate } from './suite';

const underWay = new Set<Load>();

/** 100 requests a second, unless said otherwise, until `stop`. */
export async function startLoad(
  options: Pick<Partial<LoadOptions>, 'rate' | 'certificates' | 'getPath' | 'postPath'> = {},
): Promise<Load> {
  const { rate = 100, certificates = [], ...paths } = options;
  const load = new Load({
    url: httpsUrl(),
    rate,
    certificates: [await servedCertificate(), ...certificates],
    ...paths,
  });
  underWay.add(load);
  void load.finished.then(() => underWay.delete(load));
  return load;
}

/** Ends what a scenario that failed has left under way, so that it is no load on the next one. */
export async function stopLoad(): Promise<void> {
  await Promise.all([...underWay].map((load) => load.stop()));
}
