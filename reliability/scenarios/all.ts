import type { Scenario } from '../scenario';
import { apiBehaviour } from './api-behaviour';
import { apiPods } from './api-pods';
import { attackScenarios } from './attacks';
import { canary } from './canary';
import { certificates } from './certificates';
import { clusterServices, dns } from './cluster-services';
import { grpcRollout } from './grpc';
import { streams, streamsKept, uploads } from './long-connections';
import { drains, nodes } from './nodes';
import { proxies } from './proxies';
import { baseline, rollouts } from './rollouts';
import { routes } from './routes';
import { scaling } from './scaling';
import { wrongInput } from './wrong-input';

/** In the order in which they run and are reported; the baseline first, which the others are held against. */
export const scenarios: readonly Scenario[] = [
  baseline,
  ...rollouts,
  canary,
  routes,
  ...scaling,
  ...drains,
  ...certificates,
  ...clusterServices,
  ...apiPods,
  ...apiBehaviour,
  ...proxies,
  ...nodes,
  ...dns,
  ...streams,
  streamsKept,
  uploads,
  grpcRollout,
  ...wrongInput,
  ...attackScenarios,
];
