import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxyModel } from '../../model/proxy';
import { integer } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';

/** How much of the requests of each route its backends have: in a file that nginx reads while it runs. */
export class Weights {
  private readonly ofRoutes: Map<string, ReadonlyMap<string, number>>;
  /** The greatest weight that each backend carries on each route. */
  private readonly mostOfRoutes: ReadonlyMap<string, ReadonlyMap<string, number>>;

  /** Begins with what main.ts says. */
  constructor(
    hosts: ProxyModel['hosts'],
    private readonly directory: string,
  ) {
    const splits = hosts
      .flatMap(({ routes }) => routes)
      .flatMap(({ name, target }) => (target.kind === 'split' ? [{ name, shares: target.shares }] : []));
    this.ofRoutes = new Map(
      splits.map(({ name, shares }) => [name, new Map(shares.map(({ backend, weight }) => [backend, weight]))]),
    );
    this.mostOfRoutes = new Map(
      splits.map(({ name, shares }) => [
        name,
        new Map(shares.map(({ backend, mostWeight = 100 }) => [backend, mostWeight])),
      ]),
    );
  }

  /** Where nginx reads them; nothing if no route is shared. */
  get file(): string | undefined {
    return this.ofRoutes.size === 0 ? undefined : join(this.directory, 'weights.json');
  }

  /** Percent of each backend, of each route that several share. */
  get current(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries([...this.ofRoutes].map(([route, weights]) => [route, Object.fromEntries(weights)]));
  }

  /** Gives a backend its part of each route that it shares, and the others what is left, as they had it before. */
  set(backend: string, percent: number): void {
    integer('weight', percent, 0, 100);
    const shared = [...this.ofRoutes].filter(([, weights]) => weights.has(backend));
    if (shared.length === 0) {
      const names = [...new Set([...this.ofRoutes.values()].flatMap((weights) => [...weights.keys()]))];
      const remedy = names.length === 0 ? 'main.ts has no TrafficSplit' : `give one of ${names.join(', ')}`;
      throw new InvalidOption('weight', backend, `shares no route: ${remedy}`);
    }
    const changed = shared.map(([route, weights]) => [route, giveRest(new Map(weights), backend, percent)] as const);
    for (const [route, weights] of changed) this.refuseBeyondCapacity(route, weights);
    for (const [route, weights] of changed) this.ofRoutes.set(route, weights);
    this.write();
  }

  /** What nginx would not take. */
  private refuseBeyondCapacity(route: string, weights: ReadonlyMap<string, number>): void {
    for (const [backend, weight] of weights) {
      const mostWeight = this.mostOfRoutes.get(route)?.get(backend) ?? 100;
      if (weight <= mostWeight) continue;
      throw new InvalidOption(
        `weight of ${backend}`,
        weight,
        `is more than its pods carry in a cluster: give ${mostWeight} or less, or its replicas a greater max`,
      );
    }
  }

  /** In one step, as nginx may read at this moment, and by a name that its workers cannot make a link of before. */
  write(): void {
    const { file } = this;
    if (file === undefined) return;
    const unfinished = `${file}.${randomUUID()}`;
    writeFileSync(unfinished, JSON.stringify(this.current), { flag: 'wx' });
    renameSync(unfinished, file);
  }
}

/** Whole percents that add up to 100: what rounding leaves goes to the last. */
function giveRest(weights: Map<string, number>, backend: string, percent: number): Map<string, number> {
  const others = [...weights].filter(([name]) => name !== backend);
  const before = others.reduce((sum, [, weight]) => sum + weight, 0);
  let rest = 100 - percent;
  weights.set(backend, percent);
  others.forEach(([name, weight], index) => {
    const part = before === 0 ? 1 / others.length : weight / before;
    const given = index === others.length - 1 ? rest : Math.min(rest, Math.round((100 - percent) * part));
    weights.set(name, given);
    rest -= given;
  });
  return weights;
}
