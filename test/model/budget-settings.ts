import type { BudgetSettings } from '../../model/budget-options';

export const MiB = 2 ** 20;

/** Those of a proxy with the options that it has by default, and one backend. */
export const defaults: BudgetSettings = {
  memoryLimit: 768 * MiB,
  workers: 2,
  maxBodySize: MiB,
  gzip: true,
  hasStreams: false,
  backends: 1,
  upstreamZones: MiB / 8,
};
