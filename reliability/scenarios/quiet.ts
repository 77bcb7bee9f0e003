import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../scenario';

const seconds = 30;

export const quiet: Scenario = {
  name: 'quiet',
  title: 'nothing happens',
  group: 'operations',
  description:
    'The standard state under load: four pods of the API and two proxies on two nodes. What the others are held against.',
  reaches: 'nothing lost',
  act: async (stage) => {
    stage.endOfCause('nothing happens');
    await delay(seconds * 1000, undefined, { signal: stage.system.signal });
  },
};
